import type { ConstraintFacts } from '../../../contract/facts';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { findTable } from '../../revision/tables';
import type { Rule } from '../rule';
import { onDeleteOf } from './delete-actions';
import { losesColumn, madeAgain } from './unique';

/** A constraint whose definition may be unknown without a replay. */
type Dropped = Partial<ConstraintFacts> & Pick<ConstraintFacts, 'name' | 'kind' | 'columns'> & { readonly table: string };

/** https://www.postgresql.org/docs/current/ddl-constraints.html; `unique-dropped` is about unique constraints */
export const constraintDropped: Rule = {
  id: 'constraint-dropped',
  group: 'compatibility',
  severity: 'warning',
  title: 'a foreign key, CHECK or EXCLUDE constraint is dropped and not replaced',
  *check({ upgrade, downgrade }) {
    const all = upgrade.steps.flatMap((step) => {
      const dropped = droppedConstraint(step, upgrade, downgrade);
      return dropped && !isReplaced(dropped, upgrade) ? [{ step, dropped }] : [];
    });
    const [first, ...more] = all;
    if (!first) return;
    const { name, table, kind } = first.dropped;
    const others = more.length ? ` (and ${more.length} more in this revision)` : '';
    yield {
      ...first.step.place,
      message: `the ${NAMES[kind]} ${name} of ${table} is dropped and not replaced${others}: ${consequence(first.dropped)}, after which the downgrade fails`,
      instead: '# to replace it, add the new one first, as NOT VALID, and validate it in a later revision; then drop this one',
    };
  },
};

const NAMES: Readonly<Partial<Record<ConstraintFacts['kind'], string>>> = {
  'foreign key': 'foreign key',
  check: 'CHECK',
  exclude: 'EXCLUDE constraint',
};

/** `type_` of `drop_constraint`. */
const KINDS: Readonly<Record<string, ConstraintFacts['kind']>> = { foreignkey: 'foreign key', check: 'check' };

function droppedConstraint(
  { action, call, isExisting, index }: Step,
  upgrade: RevisionFunction,
  downgrade: RevisionFunction,
): Dropped | undefined {
  if (action.does !== 'drop constraint' || !isExisting(action.table)) return undefined;
  const { table, constraint: name } = action;
  const isOwn = upgrade.steps.some(
    ({ action: earlier, index: at }) =>
      at < index && earlier.does === 'add constraint' && earlier.table === table && earlier.constraint.name === name,
  );
  if (isOwn) return undefined;
  const facts = findTable(upgrade.tablesBefore, table)?.constraints.find((one) => one.name === name);
  const source = upgrade.replayed ? undefined : madeAgain(table, name, downgrade);
  const kind = facts?.kind ?? source?.kind ?? KINDS[String(call?.keywords.type_)];
  if (!kind || !(kind in NAMES)) return undefined;
  return { columns: [], ...source, ...facts, name, kind, table };
}

/** Whether another constraint of the kind takes its place, or nothing is left that it could check. */
function isReplaced(dropped: Dropped, upgrade: RevisionFunction): boolean {
  const { table, kind, columns, references } = dropped;
  const isSame = (other: Pick<ConstraintFacts, 'kind' | 'columns'>) =>
    other.kind === kind && (!columns.length || !other.columns.length || other.columns.some((column) => columns.includes(column)));
  return (
    (upgrade.replayed && !!findTable(upgrade.tablesAfter, table)?.constraints.some(isSame)) ||
    losesColumn(upgrade, table, columns) ||
    upgrade.steps.some(({ action }) => {
      if (action.does === 'add constraint') return action.table === table && isSame(action.constraint);
      if (action.does === 'drop') return action.what === 'table' && action.names.includes(references?.table ?? '');
      // Another table may take the name of the one that it refers to.
      if (action.does === 'rename' && action.what === 'table') return action.table === references?.table;
      if (action.does === 'drop column') return action.table === (columns.length ? references?.table : table);
      // The type, or NOT NULL, says it from now on.
      return (action.does === 'change type' || action.does === 'set not null') && kind === 'check' && action.table === table;
    })
  );
}

function consequence({ kind, definition = '', references }: Dropped): string {
  if (kind !== 'foreign key') return 'rows that it refused may arrive';
  const parent = references?.table ?? 'the other table';
  const onDelete = onDeleteOf(definition);
  const action = /^(?:CASCADE|SET)/.test(onDelete) ? `a DELETE in ${parent} no longer does ON DELETE ${onDelete}, and ` : '';
  return `${action}rows may refer to rows of ${parent} that do not exist`;
}
