import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { ActionOf } from '../../sql/action';
import type { Rule } from '../rule';

type AddConstraint = ActionOf<'add constraint'>;

/** https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK */
export const onDeleteChanged: Rule = {
  id: 'on-delete-changed',
  group: 'compatibility',
  severity: 'warning',
  title: 'ON DELETE changes: a DELETE of running code does something else to the rows that refer to its row',
  *check({ upgrade, downgrade }) {
    const changed = new Map<string, Changed[]>();
    for (const step of upgrade.steps) {
      const { action, place, isExisting, isNewColumn } = step;
      if (action.does !== 'add constraint' || action.constraint.kind !== 'foreign key' || !isExisting(action.table)) continue;
      const { table, constraint } = action;
      if (constraint.columns.some((column) => isNewColumn(table, column))) continue;
      const now = onDelete(step, action);
      const required = now === 'SET NULL' ? requiredColumn(action, upgrade) : undefined;
      if (required !== undefined) {
        yield {
          ...place,
          message: `each DELETE in ${constraint.references?.table} fails if a row of ${table} refers to it: ON DELETE SET NULL, but ${required} is NOT NULL`,
          instead: '# allow NULL in it, or choose another action: ondelete="CASCADE" or none',
        };
        continue;
      }
      const before = onDeleteBefore(action, upgrade, downgrade);
      if (now === undefined || before === undefined || EFFECTS[now] === EFFECTS[before]) continue;
      const how = `was ${before}, and is ${now}: a DELETE of running code ${EFFECTS[now]}`;
      const key = `${table}, which refers to ${constraint.references?.table}`;
      changed.set(how, [...(changed.get(how) ?? []), { key, place }]);
    }
    for (const [how, [first, ...more]] of changed) {
      if (!first) continue;
      yield {
        ...first.place,
        message: `ON DELETE of the foreign key of ${first.key}${more.length ? ` (and of ${more.length} more)` : ''}, ${how}`,
        instead: '# first release code that deletes in a way that works with both; then change it, in a separate revision',
      };
    }
  },
};

/** A foreign key with another ON DELETE than before. */
interface Changed {
  readonly key: string;
  readonly place: Step['place'];
}

const EFFECTS: Readonly<Record<string, string>> = {
  'NO ACTION': 'fails if a row refers to it',
  RESTRICT: 'fails if a row refers to it',
  CASCADE: 'deletes the rows that refer to it as well, where it failed before or kept them',
  'SET NULL': 'succeeds, and the rows that refer to it lose their reference',
  'SET DEFAULT': 'succeeds, and the rows that refer to it get the default',
};

const LETTERS: Readonly<Record<string, string>> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

function requiredColumn({ table, constraint }: AddConstraint, { tablesAfter }: RevisionFunction): string | undefined {
  const { columns = [] } = tablesAfter[table] ?? {};
  return columns.find(({ name, notNull }) => notNull && constraint.columns.includes(name))?.name;
}

function onDelete({ call }: Step, { constraint: { written } }: AddConstraint): string | undefined {
  if (written) return LETTERS[written.node.fk_del_action ?? 'a'];
  const given = call?.keywords.ondelete ?? 'NO ACTION';
  return typeof given === 'string' ? given.toUpperCase() : undefined;
}

/** The action of a foreign key, from its definition in PostgreSQL. */
export function onDeleteOf(definition: string): string {
  return /\bON DELETE (CASCADE|RESTRICT|SET NULL|SET DEFAULT)/.exec(definition)?.[1] ?? 'NO ACTION';
}

/** What the table's own key of the same columns does before the revision; without a replay, the one that the downgrade brings back. */
function onDeleteBefore(
  { table, constraint }: AddConstraint,
  upgrade: RevisionFunction,
  downgrade: RevisionFunction,
): string | undefined {
  const isSame = ({ columns, references }: Pick<AddConstraint['constraint'], 'columns' | 'references'>) =>
    columns.join() === constraint.columns.join() && references?.table === constraint.references?.table;
  const own = upgrade.findTable(table)?.constraints.find((one) => one.kind === 'foreign key' && isSame(one));
  if (own) return onDeleteOf(own.definition);
  if (upgrade.replayed) return undefined;
  const isBack = ({ action }: Step) =>
    action.does === 'add constraint' &&
    action.constraint.kind === 'foreign key' &&
    action.table === table &&
    isSame(action.constraint);
  const back = downgrade.steps.find(isBack);
  return back?.action.does === 'add constraint' ? onDelete(back, back.action) : undefined;
}
