import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/logical-replication-restrictions.html */
export const publishedTableAltered: Rule = {
  id: 'published-table-altered',
  group: 'compatibility',
  severity: 'warning',
  title: 'a table that a publication replicates is altered',
  *check({ upgrade }) {
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
