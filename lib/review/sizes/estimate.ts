import type { DatabaseStatistics, TableStatistics } from '../../contract';
import type { Cost } from './cost';

/** How fast a server is. */
export type Speed = Pick<DatabaseStatistics, 'sortMilliseconds' | 'sortTextMilliseconds'>;

/** A range of seconds: from a fast server with the table in memory to one that reads it from slow storage. */
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
 * Microseconds per row, byte or index entry, on a server that sorts numbers and texts in SORT_MS and SORT_TEXT_MS (collation `C`).
 * docs/production.md compares predicted and measured times.
 */
const SORT_MS = 35;
const SORT_TEXT_MS = 63;
const START_US = 1_500;
const READ_ROW_US = 0.15;
const READ_BYTE_US = 0.0012;
const WRITE_ROW_US = 1.3;
const WRITE_BYTE_US = 0.008;
/** Per row, for a key of fixed width and for a wider one. The time is linear from 10,000 to 10,000,000 rows. */
const SORT_ROW_US = { fixed: 1, wide: 1.6 };
const LOOK_UP_ROW_US = 0.15;
/** Per row and level: multiplied by log2 of the referenced table's rows. */
const LOOK_UP_STEP_US = 0.19;

/** An entry of an index without its key, in a page that is 90 % full: https://www.postgresql.org/docs/current/btree.html */
const ENTRY_BYTES = 16;
const FILL_FACTOR = 0.9;
const FIXED_BYTES = 8;
const UNKNOWN_KEY_BYTES = 24;

/** The range covers every measurement in docs/production.md. */
const FAST_FACTOR = 3;
const SLOW_FACTOR = 3;
/** Baseline of a gp3 volume: 125 MiB/s (https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html). */
const STORAGE_BYTES_PER_US = 131;

/**
 * Estimates the work on one table.
 *
 * @param referenced the table that its rows are looked up in
 */
export function estimate(cost: Cost, table: TableStatistics, speed: Speed, referenced?: TableStatistics): Estimate {
  const { rows } = table;
  const bytes = table.bytes + table.toastBytes;
  const read = rows * READ_ROW_US + table.bytes * READ_BYTE_US;
  const seconds = (us: number, storage: number) => range(((START_US + us) * speed.sortMilliseconds) / SORT_MS, storage);
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
      const key = indexKey(cost, table);
      const size = (rows * (ENTRY_BYTES + key.bytes)) / FILL_FACTOR;
      // The sort spills about as much as it writes.
      return { seconds: seconds(read + sortTime(rows, key, speed), table.bytes + 2 * size), extraBytes: 2 * size };
    }
    case 'reindex':
      return {
        seconds: seconds(read + indexBuildTime(table, speed), table.bytes + 2 * table.indexBytes),
        extraBytes: 2 * table.indexBytes,
      };
    case 'rewrite': {
      const write = rows * WRITE_ROW_US + table.bytes * WRITE_BYTE_US;
      const extraBytes = bytes + table.indexBytes;
      return { seconds: seconds(read + write + indexBuildTime(table, speed), bytes + 2 * extraBytes), extraBytes };
    }
    case 'change':
      return { extraBytes: 0 };
  }
}

/** The sum of estimates that follow each other. */
export function total(estimates: readonly Estimate[]): Estimate {
  const sum = (of: (seconds: Seconds) => number) => estimates.reduce((so, { seconds }) => so + (seconds ? of(seconds) : 0), 0);
  const extraBytes = estimates.reduce((so, one) => so + one.extraBytes, 0);
  if (estimates.some(({ seconds }) => seconds === undefined)) return { extraBytes };
  const seconds = { low: sum(({ low }) => low), likely: sum(({ likely }) => likely), high: sum(({ high }) => high) };
  return { seconds, extraBytes };
}

function range(us: number, bytes: number): Seconds {
  const likely = us / 1e6;
  return { low: likely / FAST_FACTOR, likely, high: likely * SLOW_FACTOR + bytes / STORAGE_BYTES_PER_US / 1e6 };
}

/** The key of an index, as far as it matters for sorting. */
interface Key {
  readonly bytes: number;
  readonly collated: boolean;
}

function sortTime(rows: number, { bytes, collated }: Key, { sortMilliseconds, sortTextMilliseconds }: Speed): number {
  const slower = collated ? sortTextMilliseconds / SORT_TEXT_MS / (sortMilliseconds / SORT_MS) : 1;
  return rows * slower * SORT_ROW_US[collated || bytes > FIXED_BYTES ? 'wide' : 'fixed'];
}

/** All indexes of a table, one after the other. */
function indexBuildTime({ rows, indexes: list, indexBytes }: TableStatistics, speed: Speed): number {
  const mean = list.length > 0 ? indexBytes / list.length : 0;
  // The indexes of a partitioned table are empty themselves.
  const bytesOf = (bytes: number) => ((bytes || mean) / Math.max(1, rows)) * FILL_FACTOR - ENTRY_BYTES;
  return list.reduce((us, { bytes, collated }) => us + sortTime(rows, { bytes: bytesOf(bytes), collated }, speed), 0);
}

function indexKey({ columns = [] }: Cost, table: TableStatistics): Key {
  const found = columns.map((column) => table.columns.find(({ name }) => name === column));
  // A second column is compared only where the first ones are equal: the widest one decides. An unknown one may be a text.
  const bytes = Math.max(...found.map((one) => one?.width ?? UNKNOWN_KEY_BYTES), FIXED_BYTES);
  return { bytes, collated: found.some((one) => one?.collated ?? true) };
}

function log2(rows: number): number {
  return Math.log2(Math.max(2, rows));
}
