import { createConcurrently, createOnPartitions, dropConcurrently, dropOfPartitioned } from '../../advice/indexes';
import { autocommit, execute } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { ActionOf } from '../../sql/action';
import type { Rule, RuleFinding } from '../rule';
import { andCommits, lockEnd, readsMeanwhile, tableOfIndex } from './locks';

/** https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY */
export const indexNotConcurrent: Rule = {
  id: 'index-not-concurrent',
  group: 'locking',
  severity: 'error',
  title: 'an index on an existing table is created, dropped, moved or rebuilt without CONCURRENTLY',
  *check({ upgrade }) {
    for (const step of upgrade.steps) yield* checkStep(step, upgrade);
  },
};

/** Off by default: downgrades of production are rare and watched. Projects that roll back on busy tables turn it on. */
export const downgradeIndexNotConcurrent: Rule = {
  id: 'downgrade-index-not-concurrent',
  group: 'locking',
  severity: 'warning',
  optional: true,
  title: 'a downgrade creates, drops or rebuilds an index without CONCURRENTLY',
  *check({ downgrade }) {
    for (const step of downgrade.steps) yield* checkStep(step, downgrade);
  },
};

function* checkStep(step: Step, part: RevisionFunction): Iterable<RuleFinding> {
  const { action } = step;
  if (action.does === 'create index' && !action.concurrently) yield* createFindings(step, action, part);
  if (action.does === 'drop index' && !action.concurrently) yield* dropFindings(step, action, part);
  if (action.does === 'reindex' && !action.concurrently) yield* reindexFindings(step, action, part);
  if (action.does === 'move index') yield* moveFindings(step, action, part);
}

function* createFindings(step: Step, action: ActionOf<'create index'>, part: RevisionFunction): Iterable<RuleFinding> {
  // A materialized view that the revision creates again is new, too.
  if (!step.holdsRows(action.table) || step.isNewObject(action.table)) return;
  if (part.isMaterializedView(action.table)) {
    yield {
      ...step.place,
      atMost: 'warning',
      message: `CREATE INDEX takes a SHARE lock on ${action.table} until ${lockEnd(step)}: a REFRESH MATERIALIZED VIEW waits; reads continue`,
      cost: { work: 'index', tables: [action.table], columns: action.columns },
      instead: createConcurrently(action, step.call),
    };
    return;
  }
  const partitions = part.partitionsOf(action.table);
  // ON ONLY reads no rows; the partitions get their indexes one by one.
  if (partitions && action.onlyParent) return;
  yield {
    ...step.place,
    message:
      `CREATE INDEX takes a SHARE lock on ${action.table}${partitions ? ' and all its partitions' : ''} until ${lockEnd(step)}: ` +
      `inserts, updates and deletes wait while the whole table is read; ${readsMeanwhile(step, part, [action.table])}`,
    cost: { work: 'index', tables: [action.table], columns: action.columns },
    instead: partitions ? createOnPartitions(action, partitions, step.call) : createConcurrently(action, step.call),
  };
}

function* dropFindings(
  { place, isExisting }: Step,
  { indexes, of }: ActionOf<'drop index'>,
  part: RevisionFunction,
): Iterable<RuleFinding> {
  for (const name of indexes) {
    const table = tableOfIndex(name, part) ?? of;
    if (table ? !isExisting(table) : part.replayed) continue;
    // The lock is short. It hurts behind a long query, and a lock timeout ends that wait.
    yield {
      ...place,
      atMost: 'warning',
      message:
        `DROP INDEX ${name} takes an ACCESS EXCLUSIVE lock on ${table ?? 'its table'}: ` +
        'it waits for every running query, and all later reads and writes wait behind it',
      instead: table && part.partitionsOf(table) ? dropOfPartitioned(name, table) : autocommit(dropConcurrently(name, table)),
    };
  }
}

/** https://www.postgresql.org/docs/current/sql-alterindex.html: each query of a table locks its indexes, also those that it does not use */
function* moveFindings(step: Step, { index, tablespace }: ActionOf<'move index'>, part: RevisionFunction): Iterable<RuleFinding> {
  const table = tableOfIndex(index, part);
  if (table !== undefined && !step.isExisting(table)) return;
  yield {
    ...step.place,
    message:
      `SET TABLESPACE copies the index ${index} under an ACCESS EXCLUSIVE lock: reads and writes of ${table ?? 'its table'} wait until it is ` +
      `copied${andCommits(step)}`,
    ...(table === undefined ? {} : { cost: { work: 'reindex', tables: [table] } }),
    instead: autocommit(execute(`REINDEX (TABLESPACE ${quoted(tablespace)}) INDEX CONCURRENTLY ${quotedTable(index)}`)),
  };
}

function* reindexFindings(step: Step, { what, name }: ActionOf<'reindex'>, part: RevisionFunction): Iterable<RuleFinding> {
  const { place, isExisting } = step;
  const table = what === 'index' ? part.findIndex(name)?.table : name;
  if (table !== undefined && !isExisting(table)) return;
  yield {
    ...place,
    message:
      `REINDEX locks ${table ?? `the table of ${name}`} against writes, and each index against reads that would use it, ` +
      `until ${lockEnd(step)}`,
    ...(table === undefined ? {} : { cost: { work: 'reindex', tables: [table] } }),
    instead: autocommit(execute(`REINDEX ${what === 'table' ? 'TABLE' : 'INDEX'} CONCURRENTLY ${quotedTable(name)}`)),
  };
}
