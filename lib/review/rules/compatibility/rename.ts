import type { RevisionFacts } from '../../../contract/facts';
import { keptUntil } from '../../../contract/set-aside';
import { fillColumn, withImports } from '../../advice/batch-loop';
import { autocommit, execute, literal, tableArguments } from '../../advice/python';
import { quoted, quotedTable, literal as sqlText } from '../../advice/sql';
import { thisRelease } from '../../fix/form';
import { renameColumn, renameTable } from '../../fix/renames';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { originalName, renamedTo } from '../../revision/created-objects';
import { unqualifiedName } from '../../revision/tables';
import type { ActionOf } from '../../sql/action';
import { nameList } from '../name-list';
import type { Rule, RuleFinding } from '../rule';

/** The old code still runs between the migration and the end of the deploy. */
export const rename: Rule = {
  id: 'rename',
  group: 'compatibility',
  severity: 'error',
  title: 'a table, column, type, label, function or schema that the running code uses is renamed or moved',
  *check({ upgrade, facts }) {
    const views = new Map(
      upgrade.steps.flatMap(({ action }) => (action.does === 'create view' ? [[action.view, action.columns] as const] : [])),
    );
    for (const step of upgrade.steps) {
      const { action, place } = step;
      if (action.does === 'set schema' && !views.has(action.name)) yield* movedToSchema(step, action);
      yield* leftWithOldTable(step, upgrade, facts.changes);
      if (action.does !== 'rename' || action.what === 'other' || isHarmless(step, action, upgrade, views)) continue;
      const { what, table, from, to } = action;
      const subject =
        what === 'column' || what === 'attribute'
          ? `${table}.${from}`
          : what === 'enum value'
            ? `the label ${from} of ${table}`
            : `${what} ${from}`;
      if ((what === 'table' || what === 'column') && keptUntil(to) !== undefined) {
        yield {
          ...place,
          atMost: 'warning',
          message: `${subject} is set aside as ${to}: running code that still uses it fails`,
          instead: `# first release code that neither reads nor writes ${what === 'column' ? `${table}.${from}` : from}`,
        };
        continue;
      }
      yield {
        ...place,
        message: `${subject} is renamed to ${to}: ${effectOn(what)}`,
        instead: safeRename(step, action, upgrade),
      };
    }
  },
};

/** SQLAlchemy names an enum's type in each statement with psycopg 3, asyncpg and pg8000: https://docs.sqlalchemy.org/en/20/dialects/postgresql.html */
function effectOn(what: ActionOf<'rename'>['what']): string {
  return what === 'type'
    ? 'running code that names it fails from now until the deploy is done, and with psycopg 3, asyncpg or pg8000 SQLAlchemy names it in each statement with such a value'
    : 'running code knows only the old name, and fails from now until the deploy is done';
}

/** Views and foreign keys that follow a renamed table, although another table takes its name. */
function* leftWithOldTable(
  { action: renamed, index, place }: Step,
  { steps }: RevisionFunction,
  changes: RevisionFacts['changes'],
): Iterable<RuleFinding> {
  if (renamed.does !== 'rename' || renamed.what !== 'table') return;
  const { table, to } = renamed;
  const isReplaced = steps.some(
    ({ action, index: at }) =>
      at > index &&
      ((action.does === 'create table' && action.table === table) ||
        (action.does === 'rename' && action.what === 'table' && renamedTo(action.table, action.to) === table)),
  );
  if (!isReplaced) return;
  const old = quoted(unqualifiedName(to));
  const names = (definition: string) => definition.match(/"(?:[^"]|"")+"|[\w$]+/g)?.some((word) => word === old);
  const left = Object.entries(changes?.changed ?? {}).flatMap(([entry, [before, after]]) =>
    /^(?:view|materialized view|constraint) /.test(entry) && names(after) && !names(before) ? [entry] : [],
  );
  if (!left.length) return;
  yield {
    ...place,
    message: `${nameList(left)} still ${left.length > 1 ? 'refer' : 'refers'} to this table under its new name ${to}, and not to the one that takes the name ${table}`,
    instead: `# drop what refers to ${table} before, and create it again after the other table has its name`,
  };
}

/** Whether a rename does not affect running code: it does not use the old name, or still finds it. */
function isHarmless(
  step: Step,
  { what, table, from, to }: ActionOf<'rename'>,
  part: RevisionFunction,
  views: ReadonlyMap<string, readonly string[] | undefined>,
): boolean {
  // Names that a helper computes: the source has the same placeholder for both.
  if (from === to) return true;
  const actions = part.steps.map(({ action }) => action);
  switch (what) {
    case 'table':
      // A view under the old name serves the old code, and so does a table that takes its place.
      return !step.isExisting(table) || step.isNewTable(renamedTo(table, to)) || views.has(table) || isTableSwap(step, part);
    case 'column': {
      const isNew = !step.isExisting(table) || step.isNewColumn(table, from) || step.isNewColumn(table, to);
      return isNew || !!views.get(originalName(table, actions) ?? '')?.includes(from);
    }
    case 'function':
      return step.isNewObject(from);
    case 'type':
      return isHarmlessTypeRename(step, table, renamedTo(table, to), part);
    default:
      return false;
  }
}

/** Whether a renamed type is new, is dropped, or is replaced by another type of the same name at the end. */
function isHarmlessTypeRename({ index }: Step, type: string, target: string, { steps }: RevisionFunction): boolean {
  const isNew = steps.some(({ action, index: at }) => at < index && action.does === 'create type' && action.type === type);
  return isNew || steps.some(({ action }) => isDropOf(target, action)) || hasSuccessor(type, index, steps);
}

function isDropOf(type: string, action: Step['action']): boolean {
  return action.does === 'drop' && action.what === 'type' && action.names.includes(type);
}

/** Whether another type has this name at the end. @param index the step that renamed the type */
function hasSuccessor(type: string, index: number, steps: readonly Step[]): boolean {
  return steps.reduce((isThere, { action, index: at }) => {
    if (action.does === 'create type') return isThere || action.type === type;
    if (isDropOf(type, action)) return false;
    if (at <= index) return isThere;
    if (action.does === 'change type') return isThere || action.type.replaceAll('[]', '') === type;
    if (action.does !== 'rename' || action.what !== 'type') return isThere;
    return renamedTo(action.table, action.to) === type || (isThere && action.table !== type);
  }, false);
}

/** Whether a renamed table swaps names with another in the same transaction. */
function isTableSwap({ action, transaction, index }: Step, part: RevisionFunction): boolean {
  if (action.does !== 'rename' || action.what !== 'table' || transaction < 0) return false;
  const target = renamedTo(action.table, action.to);
  return part.steps.some(({ action: other, transaction: own, index: at }) => {
    if (other.does !== 'rename' || other.what !== 'table' || own !== transaction) return false;
    return (at >= index && renamedTo(other.table, other.to) === action.table) || (at <= index && other.table === target);
  });
}

/** The safe form of a rename: the one that `--fix` writes, or else one to complete by hand. */
function safeRename(step: Step, action: ActionOf<'rename'>, part: RevisionFunction): string | undefined {
  if (action.what === 'enum value') return newLabel(action);
  if (action.what !== 'table' && action.what !== 'column') return undefined;
  const actions = part.steps.map((other) => other.action);
  const before = action.what === 'column' ? originalName(action.table, actions) : undefined;
  const ofTable = part.steps.find(
    ({ action: other }) => other.does === 'rename' && other.what === 'table' && other.table === before,
  );
  // A view under the table's old name has the old names of its columns.
  if (ofTable?.action.does === 'rename') return safeRename(ofTable, ofTable.action, part);
  const form = action.what === 'table' ? renameTable(action, step, part) : renameColumn(action, part);
  if (!('reason' in form)) return thisRelease(form);
  const { table, schema } = tableArguments(action.table);
  const facts = part.findTable(action.table);
  if (action.what === 'table') {
    const target = renamedTo(action.table, action.to);
    return [
      `op.rename_table(${table}, ${literal(action.to)}${schema})`,
      execute(`CREATE VIEW ${quotedTable(action.table)} WITH (security_invoker = true) AS SELECT * FROM ${quotedTable(target)}`),
      '# running code uses the view; a later release drops it',
    ].join('\n');
  }
  const [from, to] = [quoted(action.from), quoted(action.to)];
  const type = facts?.columns.find(({ name }) => name === action.from)?.type ?? `<the type of ${action.from}>`;
  return [
    execute(`ALTER TABLE ${quotedTable(action.table)} ADD COLUMN ${to} ${type}`),
    '# release code that writes both columns; in the next revision, copy in batches:',
    withImports(fillColumn(action.table, action.to, from, facts)),
    `# next release: read ${action.to}; the one after: drop ${action.from}`,
  ].join('\n');
}

/** https://www.postgresql.org/docs/current/sql-altertype.html: a new label can be used after the commit */
function newLabel({ table: type, from, to }: ActionOf<'rename'>): string {
  return [
    autocommit(execute(`ALTER TYPE ${quotedTable(type)} ADD VALUE IF NOT EXISTS ${sqlText(to)} AFTER ${sqlText(from)}`)),
    `# release code that reads both labels and writes ${to}; in a later revision, update the rows that still have ${from}, in batches`,
  ].join('\n');
}

/** https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH */
function* movedToSchema(
  { place, isExisting, isNewObject }: Step,
  { what, name, schema }: ActionOf<'set schema'>,
): Iterable<RuleFinding> {
  if (what === 'table' ? !isExisting(name) : isNewObject(name)) return;
  const target = schema === 'public' ? unqualifiedName(name) : `${schema}.${unqualifiedName(name)}`;
  yield {
    ...place,
    message: `${name} moves to the schema ${schema}: running code fails from now until the deploy is done, unless its search_path finds ${target}`,
    ...(what === 'table'
      ? {
          instead: [
            execute(`ALTER TABLE ${quotedTable(name)} SET SCHEMA ${quoted(schema)}`),
            execute(`CREATE VIEW ${quotedTable(name)} AS SELECT * FROM ${quotedTable(target)}`),
            '# running code uses the view; a later release drops it',
          ].join('\n'),
        }
      : {}),
  };
}
