import type { TableStatistics } from '../../contract';
import type { Cost } from './cost';

/** Seconds, from a fast server with the table in memory to one that reads it from slow storage. */
export interface Seconds {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

export interface Estimate {
  /** Absent: unknown. */
  readonly seconds?: Seconds;
  /** Disk space that it needs beyond today's, at its peak. */
  readonly extraBytes: number;
}

/*
 * Microseconds: for a row, a byte, an entry of an index, on a server that sorts the numbers of `DatabaseStatistics.sortMilliseconds` in
 * this time. docs/production.md has predicted and measured.
 */
const SORT_MS = 35;
const START_US = 1_500;
const READ_ROW_US = 0.15;
const READ_BYTE_US = 0.0012;
const WRITE_ROW_US = 1.3;
const WRITE_BYTE_US = 0.008;
/** With a key of fixed width, and with one that is compared as a text. From 10,000 to 10,000,000 rows it grows with their number. */
const SORT_ROW_US = { fixed: 1, text: 1.6 };
const LOOK_UP_ROW_US = 0.15;
/** Times the logarithm of the rows of the referenced table, limited by the rows that are looked up. */
const LOOK_UP_STEP_US = 0.19;

/** An entry of an index without its key, in a page that is 90 % full: https://www.postgresql.org/docs/current/btree.html */
const ENTRY_BYTES = 16;
const FILL = 0.9;
/** A wider key is taken for a text. */
const FIXED_BYTES = 8;
const FIXED_ENTRY_BYTES = 30;
const UNKNOWN_KEY_BYTES = 24;

/** The range holds each measurement of docs/production.md. */
const FASTER = 3;
const SLOWER = 3;
/** Baseline of a gp3 volume: 125 MiB/s (https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html). */
const STORAGE_BYTES_PER_US = 131;

/**
 * Estimates the work on one table.
 *
 * @param sortMilliseconds how fast the server is: `DatabaseStatistics.sortMilliseconds`
 * @param referenced the table that its rows are looked up in
 */
export function estimate(cost: Cost, table: TableStatistics, sortMilliseconds: number, referenced?: TableStatistics): Estimate {
  const { rows } = table;
  const bytes = table.bytes + table.toastBytes;
  const read = rows * READ_ROW_US + table.bytes * READ_BYTE_US;
  const seconds = (us: number, storage: number) => range(((START_US + us) * sortMilliseconds) / SORT_MS, storage);
  switch (cost.work) {
    case 'scan':
      return { seconds: seconds(read, table.bytes), extraBytes: 0 };
    case 'look up': {
      const steps = referenced
        ? Math.min(referenced.rows, 4 * rows) * LOOK_UP_STEP_US * log2(referenced.rows)
        : rows * LOOK_UP_ROW_US;
      const both = table.bytes + (referenced?.bytes ?? 0);
      return { seconds: seconds(read + rows * LOOK_UP_ROW_US + steps, both), extraBytes: 0 };
    }
    case 'index': {
      const key = keyBytes(cost, table);
      const size = (rows * (ENTRY_BYTES + key)) / FILL;
      // The sort spills about as much as it writes.
      return { seconds: seconds(read + sort(rows, key > FIXED_BYTES), table.bytes + 2 * size), extraBytes: 2 * size };
    }
    case 'reindex':
      return { seconds: seconds(read + indexes(table), table.bytes + 2 * table.indexBytes), extraBytes: 2 * table.indexBytes };
    case 'rewrite': {
      const write = rows * WRITE_ROW_US + table.bytes * WRITE_BYTE_US;
      const extraBytes = bytes + table.indexBytes;
      return { seconds: seconds(read + write + indexes(table), bytes + 2 * extraBytes), extraBytes };
    }
    case 'change':
      return { extraBytes: 0 };
  }
}

/** The sum of works that follow each other. */
export function total(estimates: readonly Estimate[]): Estimate {
  const sum = (of: (seconds: Seconds) => number) => estimates.reduce((so, { seconds }) => so + (seconds ? of(seconds) : 0), 0);
  const extraBytes = estimates.reduce((so, one) => so + one.extraBytes, 0);
  if (estimates.some(({ seconds }) => seconds === undefined)) return { extraBytes };
  const seconds = { low: sum(({ low }) => low), likely: sum(({ likely }) => likely), high: sum(({ high }) => high) };
  return { seconds, extraBytes };
}

function range(us: number, bytes: number): Seconds {
  const likely = us / 1e6;
  return { low: likely / FASTER, likely, high: likely * SLOWER + bytes / STORAGE_BYTES_PER_US / 1e6 };
}

function sort(rows: number, isText: boolean): number {
  return rows * SORT_ROW_US[isText ? 'text' : 'fixed'];
}

/** All indexes of a table, one after the other. */
function indexes({ rows, indexes: list, indexBytes }: TableStatistics): number {
  const mean = list.length > 0 ? indexBytes / list.length : 0;
  // Those of a partitioned table hold nothing themselves.
  return list.reduce((us, { bytes }) => us + sort(rows, (bytes || mean) / Math.max(1, rows) > FIXED_ENTRY_BYTES), 0);
}

function keyBytes({ columns = [] }: Cost, table: TableStatistics): number {
  const widths = columns.map((column) => table.columns.find(({ name }) => name === column)?.width ?? UNKNOWN_KEY_BYTES);
  // A second column is compared only where the first ones are equal: the widest one decides.
  return Math.max(...widths, FIXED_BYTES);
}

function log2(rows: number): number {
  return Math.log2(Math.max(2, rows));
}
