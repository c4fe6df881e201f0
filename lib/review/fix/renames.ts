import type { ColumnFacts, TableFacts } from '../../contract/facts';
import { batches } from '../advice/batches';
import { callWith, execute } from '../advice/python';
import { literal, quoted, quotedTable } from '../advice/sql';
import type { RevisionFunction, Step } from '../revision/analyzed-revision';
import { originalName, renamedTo } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import type { ActionOf } from '../sql/action';
import { belongings, droppedBy, uses } from './column-members';
import type { Form, NoForm } from './form';
import { nextRelease } from './next-release';
import { setNotNull } from './not-null';
import { inStep, passSequence, whyNoSecond } from './second-column';

type Rename = ActionOf<'rename'>;

/**
 * A table under its new name, with a view under the old one for the running code. The view checks the rights of the role that uses it,
 * and has the table's grants.
 */
export function renameTable({ table, to }: Rename, step: Step, part: RevisionFunction): Form | NoForm {
  const { call, sql } = step;
  const facts = part.findTable(table);
  if (!facts) return { reason: `there is no table ${table} before the revision` };
  const [old, target] = [quotedTable(table), quotedTable(renamedTo(table, to))];
  const view = (steps: readonly Step[]) => {
    const columns = facts.columns.map(({ name }) => {
      const own = columnAfter(table, name, steps);
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

/** The name of a column after statements that rename it or its table. `table`: its name before them. */
function columnAfter(table: string, column: string, steps: readonly Step[]): string {
  const actions = steps.map(({ action }) => action);
  return actions.reduce((name, action, at) => {
    if (action.does !== 'rename' || action.what !== 'column' || action.from !== name) return name;
    return (originalName(action.table, actions.slice(0, at)) ?? action.table) === table ? action.to : name;
  }, column);
}

/** A column of a table that the revision renames too, which has a view with the old names. */
export function renameInRenamed({ call, sql }: Step): Form {
  return { parts: [{ phase: 'add', up: [call && !call.inLoop ? callWith(call, {}) : execute(sql)] }], undoneBy: () => false };
}

/**
 * A second column under the new name. A trigger keeps both in step for the running code and the new one, until the next release drops
 * the old one. The column may have NOT NULL, a default, indexes and constraints.
 */
export function renameColumn({ table, from, to }: Rename, part: RevisionFunction): Form | NoForm {
  const facts = part.findTable(table);
  const column = facts?.columns.find(({ name }) => name === from);
  if (!facts || !column) return { reason: `there is no column ${table}.${from} before the revision` };
  const reason = whyNoSecond(column, facts, table) ?? whyNotInStep(column);
  if (reason !== undefined) return { reason };
  const more = whyNotAlone(table, from, to, facts, part);
  if (more !== undefined) return { reason: more };
  const before = { facts, column: from };
  const its = belongings(table, before, before, to, droppedBy(part));
  if ('reason' in its) return its;
  const [alter, old, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(from), quoted(to)];
  const { add: sync, remove: unsync } = inStep(
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
      ...unsync,
      ...passSequence(table, column, to),
      execute(`${alter} DROP COLUMN ${old}`),
      ...its.take,
      ...setDefault(own),
    ],
    down: [
      ...its.giveBack,
      execute(`${alter} ADD COLUMN ${old} ${column.type}`),
      execute(`UPDATE ${quotedTable(table)} SET ${old} = ${own}`),
      ...passSequence(table, column, from),
      ...its.again,
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
        up: [execute(`${alter} ADD COLUMN ${own} ${column.type}`), ...sync],
        down: [...unsync, execute(`${alter} DROP COLUMN ${own}`)],
      },
      {
        phase: 'fill',
        up: [
          ...batches(table, `${own} = ${old}`, `${own} IS NULL AND ${old} IS NOT NULL`, facts).split('\n'),
          ...nextRelease(later),
        ],
      },
      ...its.parts,
      ...(column.notNull ? setNotNull(table, to).parts : []),
      { phase: 'contract', ...later },
    ],
    undoneBy: ({ action }) =>
      action.does === 'rename' && action.what === 'column' && action.table === table && action.to === from,
  };
}

/** Why other statements of the revision keep a rename from being taken apart; undefined: none does. */
function whyNotAlone(
  table: string,
  from: string,
  to: string,
  { constraints, indexes }: TableFacts,
  part: RevisionFunction,
): string | undefined {
  const actions = part.steps.map(({ action }) => action);
  if (actions.some((one) => one.does === 'change type' && one.table === table && [from, to].includes(one.column))) {
    return 'its type changes too: change it in a revision of its own';
  }
  const dropped = droppedBy(part);
  const renamed = actions.flatMap((one) =>
    one.does === 'rename' && one.what === 'column' && one.table === table && one.from !== from ? [one.from] : [],
  );
  const isShared = (columns: readonly string[]) => columns.includes(from) && columns.some((column) => renamed.includes(column));
  const shared =
    constraints.find(({ name, columns }) => !dropped.has(name) && isShared(columns)) ??
    indexes.find(
      ({ name, definition }) =>
        !dropped.has(unqualifiedName(name)) && isShared([from, ...renamed].filter((one) => uses(definition, one))),
    );
  return shared && `${shared.name} has another column that is renamed too: rename them in two releases`;
}

function whyNotInStep({ type, notNull, default: value }: ColumnFacts): string | undefined {
  if (value !== undefined && !notNull) return 'with a default, a NULL in it can mean that the code does not know the new name';
  return /^(?:json|xml|point|polygon)\b/.test(type) ? `values of the type ${type} can't be compared` : undefined;
}
