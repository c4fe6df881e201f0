import type { StatementFailure } from '../../../contract/facts';
import type { Step } from '../../revision/reviewed';
import type { Rule } from '../rule';

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
