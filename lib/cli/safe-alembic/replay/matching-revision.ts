import type { CatalogEntries, PlacedFacts, Report, SchemaChange } from '../../../contract/facts';
import { mustHave } from '../../../local/python/observe';
import type { Observer } from '../../../local/python/observer';

/** The next step for a database with tables and no recorded revision. */
export interface MatchingRevision {
  /** What was found, for a message. */
  readonly found: string;
  /** The next step. */
  readonly next: string;
}

/** The maximum number of differences to list. */
const MOST = 5;

/** The catalog of the project's own database; undefined if it has no tables. */
export async function readCatalog(observer: Observer): Promise<CatalogEntries | undefined> {
  const reports: Report[] = [];
  await observer.ask({ ask: 'catalog' }, (report) => reports.push(report));
  const { entries } = mustHave(reports, 'catalog');
  return Object.keys(entries).some((key) => key.startsWith('table ')) ? entries : undefined;
}

/** Finds the revision that produces a catalog, on the scratch database. */
export async function findMatchingRevision(
  observer: Observer,
  entries: CatalogEntries,
  overwrite: boolean,
): Promise<MatchingRevision> {
  const reports: Report[] = [];
  await observer.ask({ ask: 'place', entries, overwrite }, (report) => reports.push(report));
  return inWords(mustHave(reports, 'placed').placed);
}

function inWords({ command, heads, later, differs, stopped }: PlacedFacts): MatchingRevision {
  const stamp = `${command} stamp ${heads.join(' ')}`;
  const differences = differs === undefined ? [] : listed(differs);
  if (differs !== undefined && !differences.length) {
    const rows = later.length ? `; ${later.join(', ')} after it change rows only, and run with the next upgrade` : '';
    return {
      found: `its tables are those of revision ${heads.join(', ')}${rows}`,
      next: `record that with \`${stamp}\`, then apply the rest`,
    };
  }
  const why = stopped === undefined ? '' : `; the search ended at ${stopped}`;
  if (differs === undefined) {
    return {
      found: `no revision could be compared with it${why}`,
      next: 'fix what stops the revisions on an empty database, and run it again',
    };
  }
  const more = differences.length > MOST ? ` and ${differences.length - MOST} more` : '';
  return {
    found: `no revision leaves exactly these tables; ${heads.join(', ')} is the nearest, and differs in ${differences.slice(0, MOST).join(', ')}${more}${why}`,
    next: `make the database equal to ${heads.join(', ')} by hand, and record that with \`${stamp}\``,
  };
}

function listed({ added, removed, changed }: SchemaChange): string[] {
  return [
    ...Object.keys(added).map((key) => `${key} (missing in the database)`),
    ...Object.keys(removed).map((key) => `${key} (only in the database)`),
    ...Object.entries(changed).map(([key, [here, there]]) => `${key} (${here} in the database, ${there} in the revision)`),
  ];
}
