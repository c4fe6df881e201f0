import { fillCommand } from '../../advice/backfill';
import type { RevisionFunction } from '../../revision/analyzed-revision';
import { unqualifiedName } from '../../revision/tables';
import { isOverwrittenByDowngrade } from '../rows';
import type { Rule, RuleFinding } from '../rule';

export const notNullOnExistingRows: Rule = {
  id: 'not-null-on-existing-rows',
  group: 'data loss',
  severity: 'error',
  title: 'a column becomes NOT NULL while rows hold NULL',
  *check({ facts, upgrade }) {
    const failure = facts.rows?.upgradeFailure;
    if (failure?.sqlState !== '23502') return;
    // not-null-without-default reports this for a new column.
    if (upgrade.steps.some(({ action }) => action.does === 'add column' && action.column.notNull && !action.column.default))
      return;
    const failed = /column "([^"]+)" of relation "([^"]+)"/.exec(failure.message);
    for (const { action, place } of upgrade.steps) {
      if (action.does !== 'set not null') continue;
      const { table, column } = action;
      if (failed && (column !== failed[1] || unqualifiedName(table) !== failed[2])) continue;
      yield {
        ...place,
        message: `the upgrade fails if a row has NULL in ${table}.${column}: ${failure.message}`,
        instead: `# a revision before, in batches:\n# ${fillCommand(table, column)}`,
      };
      return;
    }
  },
};

export const downgradeLosesData: Rule = {
  id: 'downgrade-loses-data',
  group: 'data loss',
  severity: 'warning',
  title: 'a downgrade restores a column or table without its data',
  *check(revision) {
    const { facts, upgrade, downgrade } = revision;
    const { rows } = facts;
    const written = writtenObjects(downgrade);
    // Deleted rows are intended, and what a downgrade computes can't be judged from sample values.
    const lost = (
      rows ? rows.notBroughtBack.filter((name) => !rows.deleted.includes(name)) : droppedAndRecreated(upgrade, downgrade)
    ).filter((name) => !written.has(name) && !isOverwrittenByDowngrade(name, revision));
    if (!lost.length) return;
    const place: Omit<RuleFinding, 'message'> = {
      line: downgrade.source?.line ?? 1,
      direction: 'downgrade',
      seen: facts.rows ? 'replay' : 'source',
    };
    yield {
      ...place,
      message: `after upgrade and downgrade ${lost.join(', ')} ${lost.length > 1 ? 'are' : 'is'} back without what was there: the downgrade does not bring back the data`,
    };
  },
};

/** Columns and tables that the upgrade drops and the downgrade creates again. */
function droppedAndRecreated(upgrade: RevisionFunction, downgrade: RevisionFunction): readonly string[] {
  const created = downgrade.steps.flatMap(({ action }) =>
    action.does === 'create table'
      ? [action.table]
      : action.does === 'add column'
        ? [`${action.table}.${action.column.name}`]
        : [],
  );
  return upgrade.steps
    .flatMap(({ action, isExisting, isNewColumn }) => {
      if (action.does === 'drop' && action.what === 'table') return action.names.filter(isExisting);
      if (action.does !== 'drop column' || !isExisting(action.table) || isNewColumn(action.table, action.column)) return [];
      return [`${action.table}.${action.column}`];
    })
    .filter((name) => created.includes(name));
}

/** Tables and columns that a function writes rows of, by their names at its end. */
function writtenObjects(part: RevisionFunction): ReadonlySet<string> {
  const written = new Set<string>();
  for (const { action } of part.steps) {
    if (action.does === 'insert') written.add(action.table);
    if (action.does === 'update') for (const column of action.columns) written.add(`${action.table}.${column}`);
    if (action.does === 'rename' && action.what === 'column' && written.delete(`${action.table}.${action.from}`)) {
      written.add(`${action.table}.${action.to}`);
    }
  }
  return written;
}
