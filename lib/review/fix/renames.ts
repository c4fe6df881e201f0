import type { ColumnFacts, TableFacts } from '../../contract/facts';
import { fillColumn } from '../advice/batch-loop';
import { callWith, execute } from '../advice/python';
import { literal, quoted, quotedTable } from '../advice/sql';
import type { RevisionFunction, Step } from '../revision/analyzed-revision';
import { originalName, renamedTo } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import type { Action, ActionOf } from '../sql/action';
import { columnMembers, droppedMembers, namesColumn, referencesTo, renamedMembers } from './column-members';
import type { NoSafeForm, SafeForm } from './form';
import { nextRelease } from './next-release';
import { setNotNull } from './not-null';
import { addColumn, moveSequence, syncTrigger, whyNoSecondColumn } from './second-column';

type Rename = ActionOf<'rename'>;

/**
 * Renames a table and creates a view with the old name for the running code. The view checks the privileges of the role that uses it,
 * and has the table's grants.
 */
export function renameTable({ table, to }: Rename, step: Step, part: RevisionFunction): SafeForm | NoSafeForm {
  const { call, sql } = step;
  const facts = part.findTable(table);
  if (!facts) return { reason: `there is no table ${table} before the revision` };
  const [old, target] = [quotedTable(table), quotedTable(renamedTo(table, to))];
  const view = (steps: readonly Step[]) => {
    const columns = facts.columns.map(({ name }) => {
      const own = renamedColumn(table, name, steps);
      return own === name ? quoted(name) : `${quoted(own)} AS ${quoted(name)}`;
    });
    return execute(`CREATE VIEW ${old} WITH (security_invoker = true) AS SELECT ${columns.join(', ')} FROM ${target}`);
  };
  const grants = [
    '# the view gets the grants of its table',
    execute(
      `DO $$ DECLARE one record; BEGIN FOR one IN SELECT string_agg(privilege_type, ', ') AS rights, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS role FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = ${literal(target)}::regclass AND grantee <> relowner GROUP BY grantee LOOP EXECUTE 'GRANT ' || one.rights || ${literal(` ON ${old} TO `)} || one.role; END LOOP; END $$`,
    ),
  ];
  const drop = execute(`DROP VIEW ${old}`);
  const later = {
    up: [`# cdk-alembic: allow drop-in-use: no running code uses ${table} since the release before`, drop],
    down: [view(part.steps), ...grants],
  };
  return {
    parts: [
      {
        phase: 'add',
        up: [
          call && !call.inLoop ? callWith(call, {}) : execute(sql),
          view(part.steps.slice(0, part.steps.indexOf(step))),
          ...grants,
          ...nextRelease(later),
        ],
        down: [drop],
      },
      { phase: 'contract', ...later },
    ],
    // Its own downgrade renames the table back.
    undoneBy: () => false,
  };
}

/** The name of a column after statements that rename it or its table. @param table the table's name before them */
function renamedColumn(table: string, column: string, steps: readonly Step[]): string {
  const actions = steps.map(({ action }) => action);
  return actions.reduce((name, action, at) => {
    if (action.does !== 'rename' || action.what !== 'column' || action.from !== name) return name;
    return (originalName(action.table, actions.slice(0, at)) ?? action.table) === table ? action.to : name;
  }, column);
}

/** Renames a column of a table that the revision renames too: the view has the old names of both. */
export function renameColumnOfRenamedTable({ call, sql }: Step): SafeForm {
  return { parts: [{ phase: 'add', up: [call && !call.inLoop ? callWith(call, {}) : execute(sql)] }], undoneBy: () => false };
}

/**
 * Adds a second column with the new name. A trigger keeps both in sync for the running and the new code, until the next release drops
 * the old one. The column may have NOT NULL, a default, indexes and constraints.
 */
export function renameColumn({ table, from, to }: Rename, part: RevisionFunction): SafeForm | NoSafeForm {
  const facts = part.findTable(table);
  const column = facts?.columns.find(({ name }) => name === from);
  if (!facts || !column) return { reason: `there is no column ${table}.${from} before the revision` };
  const reason = whyNoSecondColumn(column, facts, table) ?? whyNotSynced(column);
  if (reason !== undefined) return { reason };
  const more = whyNotSeparable(table, from, to, facts, part);
  if (more !== undefined) return { reason: more };
  // It changes nothing, and names a column that may not be there yet.
  const setsNullability = (action: Action) => setsNotNull(action, table, from, to);
  const before = { facts, column: from };
  const renamed = renamedMembers(part, before);
  const members = columnMembers(table, before, before, to, referencesTo(part, before), droppedMembers(part), renamed);
  if ('reason' in members) return members;
  const [alter, old, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(from), quoted(to)];
  const { add: sync, remove: unsync } = syncTrigger(
    table,
    to,
    `IF TG_OP = 'INSERT' THEN IF NEW.${own} IS NULL THEN NEW.${own} := NEW.${old}; ELSE NEW.${old} := NEW.${own}; END IF; ELSIF NEW.${own} IS DISTINCT FROM OLD.${own} THEN NEW.${old} := NEW.${own}; ELSE NEW.${own} := NEW.${old}; END IF`,
    // Without it, the columns could be dropped one by one, and each write would fail.
    ` WHEN (NEW.${own} IS DISTINCT FROM NEW.${old})`,
  );
  const setDefault = (of: string) =>
    column.default ? [execute(`${alter} ALTER COLUMN ${of} SET DEFAULT ${column.default}`)] : [];
  const later = {
    up: [
      `# cdk-alembic: allow drop-column: ${to} has every value of ${from}, which no running code uses since the release before`,
      `# cdk-alembic: allow drop-in-use: the trigger only keeps ${from} and ${to} equal`,
      ...unsync,
      ...moveSequence(table, column, to),
      ...members.dropReferences,
      execute(`${alter} DROP COLUMN ${old}`),
      ...members.takeNames,
      ...setDefault(own),
    ],
    down: [
      ...members.giveNamesBack,
      ...addColumn(table, from, column.type, column),
      execute(`UPDATE ${quotedTable(table)} SET ${old} = ${own}`),
      ...moveSequence(table, column, from),
      ...members.rebuild,
      ...setDefault(old),
      ...(column.notNull ? [execute(`${alter} ALTER COLUMN ${old} SET NOT NULL`)] : []),
      ...(column.default ? [execute(`${alter} ALTER COLUMN ${own} DROP DEFAULT`)] : []),
      ...sync,
    ],
  };
  return {
    parts: [
      {
        phase: 'add',
        up: [...addColumn(table, to, column.type, column), ...sync],
        down: [...unsync, execute(`${alter} DROP COLUMN ${own}`)],
      },
      { phase: 'fill', up: [...fillColumn(table, to, old, facts).split('\n'), ...nextRelease(later)] },
      ...members.parts,
      ...(column.notNull ? setNotNull(table, to).parts : []),
      { phase: 'contract', ...later },
    ],
    replaces: ({ action }) =>
      setsNullability(action) ||
      (action.does === 'rename' && action.what === 'other' && renamed.get(unqualifiedName(action.from)) === action.to),
    undoneBy: ({ action }) =>
      setsNullability(action) ||
      (action.does === 'rename' &&
        (action.what === 'column'
          ? action.table === table && action.to === from
          : renamed.get(action.to) === unqualifiedName(action.from))),
  };
}

/** Whether an action sets or drops the NOT NULL of a column that is renamed. */
function setsNotNull(action: Action, table: string, from: string, to: string): boolean {
  const sets = action.does === 'set not null' || action.does === 'drop not null';
  return sets && action.table === table && [from, to].includes(action.column);
}

/** Why other statements of the revision prevent the safe form of a rename; undefined if none does. */
function whyNotSeparable(
  table: string,
  from: string,
  to: string,
  { columns, constraints, indexes }: TableFacts,
  part: RevisionFunction,
): string | undefined {
  const actions = part.steps.map(({ action }) => action);
  const isRequired = columns.some(({ name, notNull }) => name === from && notNull);
  if (actions.some((one) => one.does === (isRequired ? 'drop not null' : 'set not null') && setsNotNull(one, table, from, to))) {
    return 'its NOT NULL changes too: change it in a revision of its own';
  }
  if (actions.some((one) => one.does === 'change type' && one.table === table && [from, to].includes(one.column))) {
    return 'its type changes too: change it in a revision of its own';
  }
  const dropped = droppedMembers(part);
  const renamed = actions.flatMap((one) =>
    one.does === 'rename' && one.what === 'column' && one.table === table && one.from !== from ? [one.from] : [],
  );
  const isShared = (columns: readonly string[]) => columns.includes(from) && columns.some((column) => renamed.includes(column));
  const shared =
    constraints.find(({ name, columns }) => !dropped.has(name) && isShared(columns)) ??
    indexes.find(
      ({ name, definition }) =>
        !dropped.has(unqualifiedName(name)) && isShared([from, ...renamed].filter((one) => namesColumn(definition, one))),
    );
  return shared && `${shared.name} has another column that is renamed too: rename them in two releases`;
}

function whyNotSynced({ type, notNull, default: value }: ColumnFacts): string | undefined {
  if (value !== undefined && !notNull) return 'with a default, a NULL in it can mean that the code does not know the new name';
  return /^(?:json|xml|point|polygon)\b/.test(type) ? `values of the type ${type} can't be compared` : undefined;
}
