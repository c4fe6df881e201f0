import { UNKNOWN_VALUE } from '../../../contract/facts';
import type { Step } from '../../revision/analyzed-revision';
import { unqualifiedName } from '../../revision/tables';
import type { Action, ActionOf } from '../../sql/action';
import { columnsNamedIn } from '../../sql/names';
import type { Rule } from '../rule';

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
      const copied = steps.flatMap((step) => (mayCopy(step.action, table, column) ? step.action.columns : []));
      const renames = renamesIn(revision.upgrade.steps, table);
      if (renames.some(({ from, to }) => to === column && added.includes(from))) continue;
      const successor = added.find((name) => copied.includes(name) && !renames.some(({ from }) => from === name));
      if (!successor) continue;
      yield {
        ...place,
        message: `${table}.${successor} is added and filled, and ${table}.${column} is dropped in the same release: running code fails, and what it writes meanwhile is not copied`,
        instead: `# this release: add ${successor}, write both, copy; next release: read ${successor}; the one after: drop ${column}`,
      };
    }
  },
};

/** Whether an UPDATE of a table reads a column. Python may have read it for values that the statement gets. */
function mayCopy(action: Action, table: string, column: string): action is ActionOf<'update' | 'delete'> {
  if (action.does !== 'update' || action.table !== table) return false;
  const { rows, written } = action;
  if (!written || rows === 'rows' || /\$\d/.test(written.sql) || written.sql.includes(UNKNOWN_VALUE)) return true;
  const sources = [column, unqualifiedName(table)];
  return columnsNamedIn({ UpdateStmt: written.node }).some((parts) => sources.includes(parts.at(-1) ?? ''));
}

/** A new column that gets the name of a dropped one replaces that one: the running code goes on with it. */
function renamesIn(steps: readonly Step[], table: string) {
  return steps.flatMap(({ action }) =>
    action.does === 'rename' && action.what === 'column' && action.table === table ? [action] : [],
  );
}
