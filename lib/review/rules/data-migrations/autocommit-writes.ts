import type { Node } from 'libpg-query';
import { only } from '../../../sql/nodes';
import type { ActionOf } from '../../sql/action';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

/** Outside of a transaction, a revision that is interrupted has written some of its rows, and starts again from the first statement. */
export const writeNotRepeatable: Rule = {
  id: 'write-not-repeatable',
  group: 'data migrations',
  severity: 'warning',
  title: "an UPDATE outside of the revision's transaction computes a value from itself: a rerun computes it twice",
  *check({ upgrade }) {
    const reported = new Set<string>();
    for (const { action, place, transaction, isExisting } of upgrade.steps) {
      if (action.does !== 'update' || transaction >= 0 || !isExisting(action.table)) continue;
      const columns = accumulated(action);
      const key = [place.line, ...columns].join(' ');
      if (!columns.length || reported.has(key)) continue;
      reported.add(key);
      const { table } = action;
      yield {
        ...place,
        message:
          `${nameList(columns)} of ${table} is computed from itself, and this UPDATE commits by itself: if the revision is interrupted and run ` +
          'again, rows that were written before get the change twice',
        instead: '# write into a new column, where NULL marks the rows that are left; then replace the old column with it',
      };
    }
  },
};

/** The columns that arithmetic on themselves changes, such as `balance = balance * 100`, unless the condition asks for one that is set. */
function accumulated({ columns, written }: ActionOf<'update' | 'delete'>): readonly string[] {
  const { targetList = [], whereClause } = written?.node ?? {};
  const condition = JSON.stringify(whereClause ?? {});
  if (columns.some((column) => condition.includes(named(column)))) return [];
  return only(targetList, 'ResTarget').flatMap(({ name = '', val }) => (isOperand(name, val) ? [name] : []));
}

function isOperand(column: string, value: Node | undefined): boolean {
  return !!value && 'A_Expr' in value && value.A_Expr.kind === 'AEXPR_OP' && JSON.stringify(value).includes(named(column));
}

/** A column's name in the syntax tree, after that of its table if it has one. */
function named(column: string): string {
  return `{"String":{"sval":${JSON.stringify(column)}}}]`;
}
