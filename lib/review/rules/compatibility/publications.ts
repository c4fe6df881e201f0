import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { ActionOf } from '../../sql/action';
import { nameList } from '../name-list';
import type { Rule, RuleFinding } from '../rule';

/** https://www.postgresql.org/docs/current/logical-replication-restrictions.html */
export const publishedTableAltered: Rule = {
  id: 'published-table-altered',
  group: 'compatibility',
  severity: 'warning',
  title: 'a table that a publication replicates is altered, or no longer replicated',
  *check({ upgrade }) {
    for (const step of upgrade.steps) yield* noLongerReplicated(step);
    const reported = new Set<string>();
    for (const step of upgrade.steps) {
      const change = unfollowedChange(step);
      const publications = change ? publicationsOf(change.table, upgrade) : [];
      if (!change || !publications.length || reported.has(change.table)) continue;
      reported.add(change.table);
      yield {
        ...step.place,
        message: `${nameList(publications)} ${publications.length > 1 ? 'replicate' : 'replicates'} ${change.table}, but not this change: ${change.effect}`,
        instead: '# add to the subscriber first, and drop from it last; in a Blue/Green deployment wait for the switchover',
      };
    }
  },
};

/** https://www.postgresql.org/docs/current/sql-alterpublication.html: changes that are made meanwhile are never sent */
function* noLongerReplicated({ action, place, isNewObject }: Step): Iterable<RuleFinding> {
  const isDropped = action.does === 'drop' && action.what === 'publication' && !action.names.every(isNewObject);
  if (!isDropped && action.does !== 'unpublish') return;
  const what = action.does === 'unpublish' ? unpublished(action) : `the publication ${nameList(action.names)} is dropped`;
  yield {
    ...place,
    message: `${what}: subscribers, such as a change data capture or a Blue/Green deployment, miss what running code writes afterwards`,
    instead: '# first end the subscriptions that read it; then, in a separate revision, change the publication',
  };
}

function unpublished({ publication, how, tables }: ActionOf<'unpublish'>): string {
  return how === 'drop'
    ? `the publication ${publication} no longer replicates ${nameList(tables)}`
    : `the publication ${publication} now replicates only ${nameList(tables)}`;
}

interface UnfollowedChange {
  readonly table: string;
  /** What it does to a subscriber. */
  readonly effect: string;
}

const STOPS = 'a subscriber stops at the first row that it has no column or no table for';

/** A change of a table that a subscriber must make, too. After a rename, the subscriber has the old name. */
function unfollowedChange({ action }: Step): UnfollowedChange | undefined {
  switch (action.does) {
    case 'create table':
    case 'add column':
      return { table: action.table, effect: STOPS };
    case 'rename':
      return action.what === 'table' || action.what === 'column' ? { table: action.table, effect: STOPS } : undefined;
    case 'drop column':
      return {
        table: action.table,
        effect: 'a subscriber that keeps the column gets no values for it, and stops at the first row if the column is NOT NULL',
      };
    case 'change type':
      return { table: action.table, effect: 'a subscriber stops at the first value that its own type does not take' };
    default:
      return undefined;
  }
}

/**
 * The publications of a table and its partitions: a publication lists partitions one by one unless it publishes them as their parent. One
 * that the revision itself creates has no subscriber yet.
 */
function publicationsOf(table: string, part: RevisionFunction): readonly string[] {
  const facts = part.findTable(table) ?? part.tablesAfter[table];
  const earlier = new Set(Object.values(part.tablesBefore).flatMap(({ publications = [] }) => publications));
  const own = (facts?.publications ?? []).filter((name) => earlier.has(name)).map((name) => `the publication ${name}`);
  return [...new Set([...own, ...(facts?.partitions ?? []).flatMap((name) => publicationsOf(name, part))])];
}
