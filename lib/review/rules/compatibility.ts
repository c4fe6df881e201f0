import type { StatementFailure } from '../../contract/facts';
import { batches } from '../advice/batches';
import { addNullable } from '../advice/columns';
import { execute, literal, tableArguments } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import { renamedTo } from '../revision/made';
import type { Part, Step } from '../revision/reviewed';
import type { Rule } from './rule';

/** Between the migration and the end of the deploy the old code still runs. */
export const rename: Rule = {
  id: 'rename',
  group: 'compatibility',
  severity: 'error',
  title: 'a table, column, type, label or schema that the running code uses is renamed',
  *check({ upgrade }) {
    const views = new Set(upgrade.steps.flatMap(({ action }) => (action.does === 'create view' ? [action.view] : [])));
    const retyped = new Set(
      upgrade.steps.flatMap(({ action }) => (action.does === 'drop' && action.what === 'type' ? action.names : [])),
    );
    for (const step of upgrade.steps) {
      const { action, isExisting, isNewColumn, place } = step;
      if (action.does !== 'rename' || action.what === 'other') continue;
      const { what, table, from, to } = action;
      if ((what === 'table' || what === 'column') && !isExisting(table)) continue;
      // A view under the old name serves the old code, and so does a table that takes its place.
      if (what === 'table' && (views.has(table) || isSwapped(step, upgrade))) continue;
      if (what === 'column' && (isNewColumn(table, from) || isNewColumn(table, to))) continue;
      // The old form of an enum, renamed to make room for the new one.
      if (what === 'type' && retyped.has(to)) continue;
      const thing =
        what === 'column' ? `${table}.${from}` : what === 'enum value' ? `the label ${from} of ${table}` : `${what} ${from}`;
      yield {
        ...place,
        message: `${thing} is renamed to ${to}: running code knows only the old name, and fails from now until the deploy is done`,
        instead: renamed(action, upgrade),
      };
    }
  },
};

/** Whether a renamed table makes room for another, or takes the place of another, in the same transaction. */
function isSwapped({ action, transaction, index }: Step, part: Part): boolean {
  if (action.does !== 'rename' || action.what !== 'table' || transaction < 0) return false;
  const target = renamedTo(action.table, action.to);
  return part.steps.some(({ action: other, transaction: own, index: at }) => {
    if (other.does !== 'rename' || other.what !== 'table' || own !== transaction) return false;
    return (at >= index && renamedTo(other.table, other.to) === action.table) || (at <= index && other.table === target);
  });
}

function renamed(action: Extract<Step['action'], { does: 'rename' }>, part: Part): string | undefined {
  const { table, schema } = tableArguments(action.table);
  const facts = part.findTable(action.table);
  if (action.what === 'table') {
    const target = renamedTo(action.table, action.to);
    return [
      `op.rename_table(${table}, ${literal(action.to)}${schema})`,
      execute(`CREATE VIEW ${quotedTable(action.table)} AS SELECT * FROM ${quotedTable(target)}`),
      '# running code uses the view; a later release drops it',
    ].join('\n');
  }
  if (action.what !== 'column') return undefined;
  const [from, to] = [quoted(action.from), quoted(action.to)];
  const type = facts?.columns.find(({ name }) => name === action.from)?.type ?? `<the type of ${action.from}>`;
  return [
    execute(`ALTER TABLE ${quotedTable(action.table)} ADD COLUMN ${to} ${type}`),
    '# release code that writes both columns; in the next revision, copy in batches:',
    batches(action.table, `${to} = ${from}`, `${to} IS NULL AND ${from} IS NOT NULL`, facts),
    `# next release: read ${action.to}; the one after: drop ${action.from}`,
  ].join('\n');
}

export const notNullWithoutDefault: Rule = {
  id: 'not-null-without-default',
  group: 'compatibility',
  severity: 'error',
  title: 'a NOT NULL column without a server default is added to an existing table',
  *check({ upgrade }) {
    for (const { action, isExisting, place } of upgrade.steps) {
      if (action.does !== 'add column' || !action.column.notNull || action.column.default || !isExisting(action.table)) continue;
      const { name } = action.column;
      yield {
        ...place,
        message: `${action.table}.${name} is NOT NULL without a default: the upgrade fails if ${action.table} has a row, and inserts of running code fail`,
        instead: addNullable(action.table, action.column),
      };
    }
  },
};

export const uniqueOnExistingRows: Rule = {
  id: 'unique-on-existing-rows',
  group: 'compatibility',
  severity: 'warning',
  title: 'existing rows must be unique',
  *check({ facts, upgrade }) {
    const failed = facts.rows?.upgradeFailure;
    for (const { action, isExisting, isNewColumn, place } of upgrade.steps) {
      const unique =
        action.does === 'create index' && action.unique
          ? action.columns
          : action.does === 'add constraint' &&
              ['unique', 'exclude'].includes(action.constraint.kind) &&
              !action.constraint.usingIndex
            ? action.constraint.columns
            : undefined;
      if (!unique || !('table' in action) || !isExisting(action.table)) continue;
      const { table } = action;
      // A column that is new and empty has no duplicates.
      if (unique.length && unique.every((column) => column !== null && isNewColumn(table, column))) continue;
      const columns = unique.map((column) => column ?? '<expression>').join(', ') || '...';
      yield {
        ...place,
        message:
          `two rows of ${table} with the same ${columns} make the upgrade fail` +
          (isOf(failed, action) ? `, as sample rows did (${failed?.message})` : '') +
          ', and running code may write such rows',
        instead: `# first check in production: SELECT ${columns}, count(*) FROM ${table} GROUP BY ${columns} HAVING count(*) > 1`,
      };
    }
  },
};

/** Whether sample rows made this index fail: PostgreSQL names it. */
function isOf(failure: StatementFailure | undefined, action: Step['action']): boolean {
  const name =
    action.does === 'create index' ? action.index : action.does === 'add constraint' ? action.constraint.name : undefined;
  return failure?.sqlState === '23505' && (name === undefined || failure.message.includes(`"${name}"`));
}

/** Expand, let both releases run, contract: https://martinfowler.com/bliki/ParallelChange.html */
export const expandAndContractInOne: Rule = {
  id: 'expand-and-contract-in-one',
  group: 'compatibility',
  severity: 'warning',
  title: 'a column and its replacement change in one release',
  *check(revision, change) {
    const together = change.isUnreleased(revision.facts.revision)
      ? change.revisions.filter(({ facts }) => change.isUnreleased(facts.revision))
      : [revision];
    const steps = together.flatMap(({ upgrade }) => upgrade.steps);
    for (const { action, isExisting, isNewColumn, place } of revision.upgrade.steps) {
      if (action.does !== 'drop column' || !isExisting(action.table) || isNewColumn(action.table, action.column)) continue;
      const { table, column } = action;
      const added = steps.flatMap((step) =>
        step.action.does === 'add column' && step.action.table === table ? [step.action.column.name] : [],
      );
      const copied = steps.flatMap((step) =>
        step.action.does === 'update' && step.action.table === table ? step.action.columns : [],
      );
      const successor = added.find((name) => copied.includes(name));
      if (!successor) continue;
      yield {
        ...place,
        message: `${table}.${successor} is added and filled, and ${table}.${column} is dropped in the same release: running code fails, and what it writes meanwhile is not copied`,
        instead: `# this release: add ${successor}, write both, copy; next release: read ${successor}; the one after: drop ${column}`,
      };
    }
  },
};
