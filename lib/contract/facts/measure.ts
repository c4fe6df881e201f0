/* Measurements on generated rows. */
import type { ColumnStatistics } from '../production/statistics';
import type { CatalogEntries, TableFacts } from './catalog';

/** A revision to measure. */
export interface MeasureTarget {
  readonly revision: string;
  /** Tables to fill. */
  readonly tables: readonly string[];
  /** Tables after the revision, as in {@link RevisionFacts}: the rows meet their constraints. */
  readonly after: Readonly<Record<string, TableFacts>>;
  /** What the revision adds to the catalog, such as an enum. */
  readonly added: CatalogEntries;
}

/** A table of production. */
export interface TableTarget {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly ColumnStatistics[];
}

/** What ends the fill of tables, and the whole measurement. */
export interface MeasureLimits {
  /** Rows of a table. */
  readonly rows: number;
  /** Bytes of all tables of a revision, with indexes. */
  readonly bytes: number;
  /** Of all revisions together. */
  readonly seconds: number;
}

/** A revision, run once on filled tables, with a poll of its locks and writers beside it. */
export interface MeasuredFacts {
  readonly revision: string;
  /** Why it was not measured; the other properties are absent then. Absent: it was measured. */
  readonly reason?: string;
  /** From its start to its commit. */
  readonly milliseconds?: number;
  /** How fast this machine's server was just before, as {@link DatabaseStatistics.sortMilliseconds}. */
  readonly sortMilliseconds?: number;
  /** Bytes of write-ahead log that the server wrote meanwhile. Absent: the server does not report it. */
  readonly walBytes?: number;
  /** Tables that were filled, and those that the revision locked. */
  readonly tables?: readonly MeasuredTable[];
}

export interface MeasuredTable {
  readonly table: string;
  /** Rows that it had. */
  readonly rows: number;
  /** By the statistics; 0 if they do not have the table. */
  readonly productionRows: number;
  /** Which limit ended the fill before it had as many; `values`: no further rows were accepted. */
  readonly limit?: 'rows' | 'bytes' | 'time' | 'values';
  /** The error of the database that accepted no further rows. */
  readonly rejected?: string;
  readonly locks: readonly MeasuredLock[];
  /** The longest read. Absent: nothing read the table. */
  readonly longestReadMilliseconds?: number;
  /** The longest wait of a write, for a lock of the table or of a row. Absent: nothing wrote to the table. */
  readonly longestWriteMilliseconds?: number;
}

export interface MeasuredLock {
  /** As in pg_locks, such as `AccessExclusiveLock`. */
  readonly mode: string;
  /** How long it was held at most, by polling every few milliseconds. */
  readonly milliseconds: number;
}
