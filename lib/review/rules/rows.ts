import { execute } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import type { Part, Reviewed, Step } from '../revision/reviewed';
import type { ActionOf } from '../sql/action';
import type { Found, Rule } from './rule';

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

type Write = ActionOf<'update' | 'delete'>;

/** Rows come between the upgrade and the downgrade, and some were there before. */
export const downgradeChangesMore: Rule = {
  id: 'downgrade-changes-more',
  group: 'data loss',
  severity: 'warning',
  title: 'a downgrade changes rows that the upgrade did not write',
  *check({ upgrade, downgrade }) {
    for (const step of downgrade.steps) {
      const { action, isExisting, place } = step;
      if ((action.does !== 'update' && action.does !== 'delete') || !isExisting(action.table)) continue;
      if (action.rows === 'rows' || !(action.does === 'delete' || losesValues(step, action, upgrade))) continue;
      const { table, columns } = action;
      const which = action.rows === 'all' ? 'all rows' : 'every row that its condition finds';
      const loses =
        action.does === 'delete'
          ? `DELETE loses ${which} of ${table}`
          : `UPDATE overwrites ${columns.join(', ')} in ${which} of ${table}`;
      yield {
        ...place,
        message: `${loses}, also those that the upgrade did not write: going back one revision loses them`,
        instead: '# name the rows that the upgrade wrote: by their keys, or by a value that only the upgrade writes',
      };
    }
  },
};

/** Whether an UPDATE puts the same value into columns that were there, and the upgrade does not do so to all rows. */
function losesValues({ isNewColumn }: Step, { table, columns, written, whereNull }: Write, upgrade: Part): boolean {
  const old = columns.filter((column) => column !== whereNull && !isNewColumn(table, column));
  if (!old.length || !written?.node.targetList?.every((target) => 'ResTarget' in target && isConstant(target.ResTarget.val)))
    return false;
  return !upgrade.steps.some(
    ({ action }) =>
      action.does === 'update' &&
      action.table === table &&
      action.rows === 'all' &&
      old.every((column) => action.columns.includes(column)),
  );
}

function isConstant(value: object | undefined): boolean {
  return !!value && !/"(?:ColumnRef|FuncCall|SubLink)"/.test(JSON.stringify(value));
}

/** What makes a downgrade fail once production has rows, where the replay has not shown it. */
export function* failsOnRows({ upgrade, downgrade }: Reviewed): Iterable<Found> {
  const loosened = upgrade.steps.map(({ action }) => action);
  const filled = new Set<string>();
  for (const { action, place, isExisting } of downgrade.steps) {
    if (action.does === 'update') for (const column of action.columns) filled.add(`${action.table}.${column}`);
    if (action.does === 'delete') filled.add(action.table);
    if (action.does !== 'set not null' || !isExisting(action.table)) continue;
    const { table, column } = action;
    const isLoosened = loosened.some((one) => one.does === 'drop not null' && one.table === table && one.column === column);
    if (!isLoosened || filled.has(table) || filled.has(`${table}.${column}`)) continue;
    yield {
      ...place,
      atMost: 'warning',
      message: `the downgrade fails if a row has NULL in ${table}.${column}, which the upgrade allows`,
      instead: execute(`UPDATE ${quotedTable(table)} SET ${quoted(column)} = ... WHERE ${quoted(column)} IS NULL`),
    };
  }
}
