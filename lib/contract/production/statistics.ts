import type { Count, Text } from '../basic';

/**
 * Sizes and traffic of a database: names and numbers, never a value of a row. A role that may read a table's catalog entry but not the
 * table gets everything except `columns`, `rowBytes` and `bloatBytes`.
 */
export interface DatabaseStatistics {
  /** ISO 8601, UTC. */
  readonly readAt: Text;
  /** Version of the server, such as `18.4`. */
  readonly postgres: Text;
  /** Of the whole database. */
  readonly bytes: Count;
  /** Since when PostgreSQL counts writes and scans: its last reset. ISO 8601, UTC; null: unknown. */
  readonly countedSince: Text | null;
  /** Server settings that decide how long a build or a scan takes, as `SHOW` prints them. */
  readonly settings: readonly ServerSetting[];
  /**
   * How fast the server is: milliseconds to sort 50,000 numbers in memory, the median of nine measurements.
   *
   * @minimum 0.001
   */
  readonly sortMilliseconds: number;
  /**
   * The same with texts, in the database's collation: `en_US.UTF-8`, for example, takes several times as long as `C`.
   *
   * @minimum 0.001
   */
  readonly sortTextMilliseconds: number;
  readonly publications: readonly PublicationStatistics[];
  /** The largest first. */
  readonly tables: readonly TableStatistics[];
  /** Smaller tables that are not in `tables`, which has at most 2,000. */
  readonly tablesLeftOut: Count;
}

export interface ServerSetting {
  readonly name: Text;
  readonly value: string;
}

export interface PublicationStatistics {
  readonly name: Text;
  /** Whether it publishes every table, including future ones. */
  readonly allTables: boolean;
  /** Names of the published tables. */
  readonly tables: readonly string[];
}

/**
 * Where a number of rows comes from.
 *
 * - `analyze`: the density of the last VACUUM or ANALYZE, times today's size, as PostgreSQL's planner estimates
 * - `counters`: the inserts and deletes that PostgreSQL counted; the table was never analyzed
 * - `size`: 100 bytes a row; nothing else is known
 * - `partitions`: the sum of the partitions
 */
export const ROW_BASES = ['analyze', 'counters', 'size', 'partitions'] as const;
export type RowBasis = (typeof ROW_BASES)[number];

export interface TableStatistics {
  /** Without the schema `public`. */
  readonly name: Text;
  readonly kind: 'table' | 'partitioned table' | 'materialized view' | 'foreign table';
  /** Name of the partitioned table that it is a direct partition of. */
  readonly partitionOf?: Text;
  /** Estimate. */
  readonly rows: Count;
  readonly rowsFrom: RowBasis;
  /** Without TOAST and indexes. For a partitioned table, this and the next two are sums of its partitions. */
  readonly bytes: Count;
  /** Bytes that are stored out of line. */
  readonly toastBytes: Count;
  readonly indexBytes: Count;
  /** Rows that VACUUM has yet to remove. */
  readonly deadRows: Count;
  /** Inserted, updated and deleted rows per second since `countedSince`. Absent: unknown. */
  readonly writesPerSecond?: number;
  /** Last ANALYZE, by hand or automatic. ISO 8601, UTC; null: never. */
  readonly analyzedAt: Text | null;
  /** Mean bytes of a row in the table, with its header, from the statistics of its columns. Absent: not analyzed, or not readable. */
  readonly rowBytes?: Count;
  /** Bytes beyond those of the live rows: dead rows and free space. Estimate, from `rowBytes`. */
  readonly bloatBytes?: Count;
  readonly columns: readonly ColumnStatistics[];
  readonly indexes: readonly IndexStatistics[];
}

export interface ColumnStatistics {
  readonly name: Text;
  /** Share of NULLs, 0 to 1. */
  readonly nulls: number;
  /** Distinct values; negative: as a share of the rows, as in pg_stats. */
  readonly distinct: number;
  /** Mean bytes of a value that is not NULL. */
  readonly width: Count;
  /** Whether its values are compared by a collation: it has text, and its collation is not `C`. */
  readonly collated: boolean;
}

export interface IndexStatistics {
  readonly name: Text;
  /** Estimate. */
  readonly rows: Count;
  readonly bytes: Count;
  /** Such as `btree`. */
  readonly method: Text;
  readonly valid: boolean;
  /** Whether one of its columns is compared by a collation. */
  readonly collated: boolean;
  /** Scans since `countedSince`. */
  readonly scans: Count;
}
