import type { Step } from '../../revision/analyzed-revision';
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
      const copied = steps.flatMap((step) =>
        step.action.does === 'update' && step.action.table === table ? step.action.columns : [],
      );
      const successor = added.find((name) => copied.includes(name));
      if (!successor || takesName(revision.upgrade.steps, table, successor, column)) continue;
      yield {
        ...place,
        message: `${table}.${successor} is added and filled, and ${table}.${column} is dropped in the same release: running code fails, and what it writes meanwhile is not copied`,
        instead: `# this release: add ${successor}, write both, copy; next release: read ${successor}; the one after: drop ${column}`,
      };
    }
  },
};

/** Whether the successor gets the column's name: the running code goes on with it. */
function takesName(steps: readonly Step[], table: string, successor: string, column: string): boolean {
  return steps.some(
    ({ action }) =>
      action.does === 'rename' &&
      action.what === 'column' &&
      action.table === table &&
      action.from === successor &&
      action.to === column,
  );
}
