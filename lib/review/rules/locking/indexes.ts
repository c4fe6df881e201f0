import { autocommit, conventionalName, list, literal, tableArguments } from '../../advice/python';
import type { Part, Step } from '../../revision/reviewed';
import type { Action } from '../../sql/action';
import type { Found, Rule } from '../rule';

/** https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY */
export const indexNotConcurrent: Rule = {
  id: 'index-not-concurrent',
  group: 'locking',
  severity: 'error',
  title: 'an index of an existing table is created, dropped or rebuilt without CONCURRENTLY',
  *check({ parts }) {
    for (const part of parts) for (const step of part.steps) yield* checkStep(step, part);
  },
};

function* checkStep({ action, isExisting, place }: Step, part: Part): Iterable<Found> {
  if (action.does === 'create index' && !action.concurrently && isExisting(action.table)) {
    yield {
      ...place,
      message:
        `CREATE INDEX takes a SHARE lock on ${action.table} until the revision commits: ` +
        'inserts, updates and deletes wait while the whole table is read, reads go on',
      instead: createConcurrently(action),
    };
  }
  if (action.does === 'drop index' && !action.concurrently) {
    for (const name of action.indexes) {
      const table = part.findIndex(name)?.table ?? action.of;
      if (table ? !isExisting(table) : part.replayed) continue;
      // A moment's lock: it hurts behind a long query, which a lock timeout ends.
      yield {
        ...place,
        atMost: 'warning',
        message:
          `DROP INDEX ${name} takes an ACCESS EXCLUSIVE lock on ${table ?? 'its table'}: ` +
          'it waits for every query that runs, and all reads and writes that come after wait behind it',
        instead: autocommit(
          `op.drop_index(${literal(name)}${table ? `, ${literal(table)}` : ''}, if_exists=True, postgresql_concurrently=True)`,
        ),
      };
    }
  }
  if (action.does === 'reindex' && !action.concurrently) {
    const table = action.what === 'index' ? part.findIndex(action.name)?.table : action.name;
    if (table !== undefined && !isExisting(table)) return;
    yield {
      ...place,
      message:
        `REINDEX locks ${table ?? action.name} against writes, and each index against reads that would use it, ` +
        'until the revision commits',
      instead: autocommit(`op.execute("REINDEX ${action.what === 'table' ? 'TABLE' : 'INDEX'} CONCURRENTLY ${action.name}")`),
    };
  }
}

/** Builds anew: what a failed build has left is invalid and in the way. */
function createConcurrently(action: Extract<Action, { does: 'create index' }>): string {
  const { table, schema } = tableArguments(action.table);
  const name = literal(action.index ?? conventionalName('ix', action.table, action.columns));
  const unique = action.unique ? ', unique=True' : '';
  return autocommit(
    '# what a build that failed has left behind is invalid and in the way',
    `op.drop_index(${name}, ${table}${schema}, if_exists=True, postgresql_concurrently=True)`,
    `op.create_index(${name}, ${table}, ${list(action.columns)}${schema}${unique}, postgresql_concurrently=True)`,
  );
}
