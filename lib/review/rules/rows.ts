import type { Rule } from './rule';

/** Rows that a query or their age finds: nobody has seen them when the revision is reviewed. */
export const deleteByQuery: Rule = {
  id: 'delete-by-query',
  group: 'data loss',
  severity: 'warning',
  title: 'a DELETE whose rows a query or their age finds',
  *check({ upgrade }) {
    for (const { action, isExisting, place } of upgrade.steps) {
      if (action.does !== 'delete' || !action.by || !isExisting(action.table)) continue;
      const { table, by } = action;
      yield {
        ...place,
        message:
          `DELETE loses the rows of ${table} that ${by === 'query' ? 'a query finds' : 'are old enough when it runs'}: how many is known only ` +
          'in production, each stays locked until the revision commits, and no downgrade brings them back',
        instead: `# first count in production what it finds: SELECT count(*) FROM ${table} ... with the same condition\n# delete many rows in batches, in a separate revision`,
      };
    }
  },
};

/** https://www.postgresql.org/docs/current/routine-vacuuming.html: no row that a transaction still sees can be removed */
export const copiesTable: Rule = {
  id: 'copies-table',
  group: 'transactions',
  severity: 'warning',
  title: 'every row of a table is copied in one transaction',
  *check({ upgrade }) {
    for (const { action, isExisting, place } of upgrade.steps) {
      if (action.does !== 'copy rows') continue;
      const from = action.from.filter(isExisting);
      if (!from.length) continue;
      const names = from.join(' and ');
      yield {
        ...place,
        message:
          `${action.how} copies every row of ${names} into ${action.into} in one transaction: it takes as long as ${names} is large, all rows ` +
          `go through the write-ahead log, VACUUM removes nothing meanwhile, and ${action.into} misses what running code writes after it has started`,
        cost: { work: 'change', tables: from },
        instead: `# in separate revisions: create ${action.into}, let running code write to both, and copy in batches by key`,
      };
    }
  },
};
