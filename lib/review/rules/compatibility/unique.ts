import type { StatementFailure } from '../../../contract/facts';
import { keyOf } from '../../advice/indexes';
import { quotedList, quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { findTable } from '../../revision/tables';
import type { Rule, RuleFinding } from '../rule';

export const uniqueOnExistingRows: Rule = {
  id: 'unique-on-existing-rows',
  group: 'compatibility',
  severity: 'warning',
  title: 'existing rows must be unique',
  *check({ facts, upgrade }) {
    const failed = facts.rows?.upgradeFailure;
    for (const step of upgrade.steps) {
      const { action, call, isExisting, isNewObject, place } = step;
      const unique = uniqueColumns(action);
      if (!unique || !('table' in action) || !isExisting(action.table) || isNewObject(action.table)) continue;
      const { table } = action;
      if (isEmptyKey(step, table, unique) || isUniqueByFewer(upgrade, table, unique)) continue;
      const { columns, where } =
        action.does === 'create index'
          ? keyOf(action, call)
          : { columns: quotedList(unique.filter((name) => name !== null)), where: '' };
      const [key, relation] = [columns || '...', quotedTable(table)];
      const isExclude = action.does === 'add constraint' && action.constraint.kind === 'exclude';
      yield {
        ...place,
        message:
          `two rows of ${table} ${isExclude ? 'that the constraint excludes' : `with the same ${key}`} make the upgrade fail` +
          (isCausedBy(failed, action) ? `, as sample rows did (${failed?.message})` : '') +
          (upgrade.isMaterializedView(table) ? ', or a later REFRESH' : ', and running code may write such rows'),
        instead: isExclude
          ? `# first check in production: SELECT * FROM ${relation} a JOIN ${relation} b ON a.ctid < b.ctid AND <each element of the constraint, with its operator>`
          : `# first check in production: SELECT ${key}, count(*) FROM ${relation}${where} GROUP BY ${key} HAVING count(*) > 1`,
      };
    }
  },
};

/** Whether all columns are new and empty, so that they have no duplicates. */
function isEmptyKey({ isNewColumn }: Step, table: string, columns: readonly (string | null)[]): boolean {
  return columns.length > 0 && columns.every((column) => column !== null && isNewColumn(table, column));
}

/** Whether rows are unique by some of the columns already, such as the primary key: no two of them have the same values in all. */
function isUniqueByFewer({ tablesAfter }: RevisionFunction, table: string, columns: readonly (string | null)[]): boolean {
  return (findTable(tablesAfter, table)?.indexes ?? []).some(
    (index) =>
      index.unique &&
      !index.partial &&
      index.columns.length < columns.length &&
      index.columns.every((column) => column !== null && columns.includes(column)),
  );
}

/** The columns that an action makes unique, with null for an expression; undefined if it makes none unique. */
function uniqueColumns(action: Step['action']): readonly (string | null)[] | undefined {
  if (action.does === 'create index') return action.unique ? action.columns : undefined;
  if (action.does !== 'add constraint') return undefined;
  const { kind, usingIndex, columns } = action.constraint;
  return (kind === 'unique' || kind === 'exclude') && !usingIndex ? columns : undefined;
}

/** Whether sample rows violated this index: PostgreSQL's message names it. */
function isCausedBy(failure: StatementFailure | undefined, action: Step['action']): boolean {
  const name =
    action.does === 'create index' ? action.index : action.does === 'add constraint' ? action.constraint.name : undefined;
  return failure?.sqlState === '23505' && (name === undefined || failure.message.includes(`"${name}"`));
}

interface DroppedUnique {
  readonly name: string;
  readonly what: 'constraint' | 'index';
  readonly table: string;
  /** Empty if unknown. */
  readonly columns: readonly string[];
  /** Whether it holds for some rows only. */
  readonly partial: boolean;
}

/** https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
export const uniqueDropped: Rule = {
  id: 'unique-dropped',
  group: 'compatibility',
  severity: 'warning',
  title: 'a unique constraint or index that running code may rely on is dropped',
  *check({ upgrade: part, downgrade }) {
    for (const step of part.steps) {
      yield* madeDeferrable(step, part);
      for (const { name, what, table, columns, partial } of droppedUniques(step, part, downgrade)) {
        if (!step.isExisting(table) || staysUnique(part, table, columns, partial) || losesColumn(part, table, columns)) continue;
        const key = columns.length ? `(${columns.join(', ')})` : 'its columns';
        yield {
          ...step.place,
          message:
            `the unique ${what} ${name} of ${table} is dropped: INSERT ... ON CONFLICT ${columns.length ? key : '(...)'} of running code fails, and rows ` +
            `that repeat ${key} may arrive, after which neither the downgrade nor a new unique index succeeds`,
          instead: `# first release code without ON CONFLICT on ${key}; to replace it, build the other unique index first, CONCURRENTLY, and drop this one afterwards`,
        };
      }
    }
  },
};

/** "Note that deferrable constraints cannot be used as conflict arbitrators in an INSERT statement that includes an ON CONFLICT clause" */
function* madeDeferrable({ action, isExisting, place }: Step, part: RevisionFunction): Iterable<RuleFinding> {
  if (action.does !== 'drop constraint' || !part.replayed || !isExisting(action.table)) return;
  const { table, constraint } = action;
  const [before, after] = [part.tablesBefore, part.tablesAfter].map((tables) => findTable(tables, table)?.constraints ?? []);
  const dropped = before?.find(({ name, kind }) => name === constraint && kind === 'unique');
  if (!dropped || isDeferrable(dropped)) return;
  const same = after?.filter(({ kind, columns }) => kind === 'unique' && String(columns) === String(dropped.columns)) ?? [];
  const indexes = findTable(part.tablesAfter, table)?.indexes ?? [];
  const others = indexes.filter(({ unique, columns }) => unique && String(columns) === String(dropped.columns));
  if (!same.length || !same.every(isDeferrable) || others.length > same.length) return;
  const key = `(${dropped.columns.join(', ')})`;
  yield {
    ...place,
    message: `${constraint} of ${table} becomes deferrable: INSERT ... ON CONFLICT ${key} of running code fails, and no new foreign key can refer to ${key}`,
    instead: `# keep ${constraint} as it is, or first release code without ON CONFLICT on ${key}`,
  };
}

function isDeferrable({ definition }: { readonly definition: string }): boolean {
  return /\bDEFERRABLE\b/.test(definition);
}

function droppedUniques({ action, call }: Step, part: RevisionFunction, downgrade: RevisionFunction): readonly DroppedUnique[] {
  if (action.does === 'drop constraint') {
    const { table, constraint: name } = action;
    const facts = findTable(part.tablesBefore, table)?.constraints.find((one) => one.name === name);
    const known = facts ?? madeAgain(table, name, downgrade);
    const isUnique = known ? known.kind === 'unique' : call?.keywords.type_ === 'unique';
    return isUnique ? [{ name, what: 'constraint', table, columns: known?.columns ?? [], partial: false }] : [];
  }
  if (action.does !== 'drop index') return [];
  return action.indexes.flatMap((name) => {
    const { table, index } = part.findIndex(name) ?? {};
    if (!table || !index?.unique) return [];
    const columns = index.columns.filter((column) => column !== null);
    const known = columns.length < index.columns.length ? [] : columns;
    return [{ name, what: 'index' as const, table, columns: known, partial: index.partial }];
  });
}

/** The constraint of that name that the downgrade makes: without a replay, it shows what was dropped. */
export function madeAgain(table: string, name: string, { steps }: RevisionFunction) {
  return steps
    .flatMap(({ action }) => (action.does === 'add constraint' && action.table === table ? [action.constraint] : []))
    .find((constraint) => constraint.name === name);
}

/** Whether another unique index or constraint still covers the columns after the function. @param partial for some rows, as before */
function staysUnique(
  { replayed, tablesAfter: outcome, steps }: RevisionFunction,
  table: string,
  columns: readonly string[],
  partial: boolean,
): boolean {
  if (replayed) {
    const indexes = findTable(outcome, table)?.indexes ?? [];
    const isFewer = (index: readonly (string | null)[]) => index.every((column) => column !== null && columns.includes(column));
    return indexes.some((index) => index.unique && (partial || !index.partial) && isFewer(index.columns));
  }
  return steps.some(
    ({ action }) =>
      (action.does === 'create index' && action.unique && action.table === table) ||
      (action.does === 'add constraint' && action.constraint.kind === 'unique' && action.table === table),
  );
}

/** Whether the function drops or renames one of the columns: drop-column and rename report it. */
export function losesColumn({ steps }: RevisionFunction, table: string, columns: readonly string[]): boolean {
  return steps.some(
    ({ action }) =>
      (action.does === 'drop column' && action.table === table && columns.includes(action.column)) ||
      (action.does === 'rename' && action.what === 'column' && action.table === table && columns.includes(action.from)),
  );
}
