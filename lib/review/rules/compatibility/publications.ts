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
      const table = alteredTable(step);
      const publications = table === undefined ? [] : publicationsOf(table, upgrade);
      if (table === undefined || !publications.length || reported.has(table)) continue;
      reported.add(table);
      yield {
        ...step.place,
        message:
          `${nameList(publications)} ${publications.length > 1 ? 'replicate' : 'replicates'} ${table}, but not this change: ` +
          'a subscriber stops at the first row that it has no column or no table for',
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
    message: `${what}: subscribers, such as a change data capture or a Blue/Green deployment, miss what running code writes from now on`,
    instead: '# first end the subscriptions that read it; then, in a separate revision, change the publication',
  };
}

function unpublished({ publication, how, tables }: ActionOf<'unpublish'>): string {
  return how === 'drop'
    ? `the publication ${publication} no longer replicates ${nameList(tables)}`
    : `the publication ${publication} replicates only ${nameList(tables)} from now on`;
}

/** The table that a step changes in a way that a subscriber must follow. After a rename, the subscriber has the old name. */
function alteredTable({ action }: Step): string | undefined {
  switch (action.does) {
    case 'create table':
    case 'add column':
    case 'drop column':
    case 'change type':
      return action.table;
    case 'rename':
      return action.what === 'table' || action.what === 'column' ? action.table : undefined;
    default:
      return undefined;
  }
}

/** The publications of a table and its partitions: a publication lists partitions one by one unless it publishes them as their parent. */
function publicationsOf(table: string, part: RevisionFunction): readonly string[] {
  const facts = part.findTable(table) ?? part.tablesAfter[table];
  const own = (facts?.publications ?? []).map((name) => `the publication ${name}`);
  return [...new Set([...own, ...(facts?.partitions ?? []).flatMap((name) => publicationsOf(name, part))])];
}
