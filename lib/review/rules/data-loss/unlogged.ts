import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { Step } from '../../revision/analyzed-revision';
import type { Action } from '../../sql/action';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/sql-createtable.html: UNLOGGED */
export const unloggedTable: Rule = {
  id: 'unlogged-table',
  group: 'data loss',
  severity: 'error',
  title: 'a table is kept out of the write-ahead log',
  *check({ upgrade: { steps } }) {
    for (const { action, holdsRows, index, place } of steps) {
      const table = unlogged(action);
      if (table === undefined || isOnlyMeanwhile(table, index, steps)) continue;
      yield {
        ...place,
        ...(holdsRows(table) ? {} : { atMost: 'warning' as const }),
        message:
          `${table} becomes UNLOGGED: a crash or a failover empties it, queries on it fail on a replica, and a restore to a point ` +
          'in time brings back none of its rows',
        instead: execute(`ALTER TABLE ${quotedTable(table)} SET LOGGED`),
      };
    }
  },
};

/** The table that an action makes UNLOGGED. */
function unlogged(action: Action): string | undefined {
  if (action.does === 'create table') return action.unlogged ? action.table : undefined;
  return action.does === 'rewrite table' && action.how === 'SET UNLOGGED' ? action.table : undefined;
}

/** Whether the revision itself drops the table later, or makes it LOGGED. */
function isOnlyMeanwhile(table: string, before: number, steps: readonly Step[]): boolean {
  return steps.some(
    ({ action, index }) =>
      index > before &&
      ((action.does === 'drop' && action.what === 'table' && action.names.includes(table)) ||
        (action.does === 'rewrite table' && action.how === 'SET LOGGED' && action.table === table)),
  );
}
