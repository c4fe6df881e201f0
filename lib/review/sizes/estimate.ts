import type { DatabaseStatistics, TableStatistics } from '../../contract';
import type { Cost } from './cost';

/** How fast a server is. */
export type Speed = Pick<DatabaseStatistics, 'sortMilliseconds' | 'sortTextMilliseconds'>;

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
 * Microseconds: for a row, a byte, an entry of an index, on a server that sorts numbers and texts in these times, by the collation `C`.
 * docs/production.md has predicted and measured.
 */
const SORT_MS = 35;
const SORT_TEXT_MS = 63;
const START_US = 1_500;
const READ_ROW_US = 0.15;
const READ_BYTE_US = 0.0012;
const WRITE_ROW_US = 1.3;
const WRITE_BYTE_US = 0.008;
/** With a key of fixed width, and with a wider one. From 10,000 to 10,000,000 rows it grows with their number. */
const SORT_ROW_US = { fixed: 1, wide: 1.6 };
const LOOK_UP_ROW_US = 0.15;
/** Times the logarithm of the rows of the referenced table, limited by the rows that are looked up. */
const LOOK_UP_STEP_US = 0.19;

/** An entry of an index without its key, in a page that is 90 % full: https://www.postgresql.org/docs/current/btree.html */
const ENTRY_BYTES = 16;
const FILL = 0.9;
const FIXED_BYTES = 8;
const UNKNOWN_KEY_BYTES = 24;

/** The range holds each measurement of docs/production.md. */
const FASTER = 3;
const SLOWER = 3;
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
      const key = keyOf(cost, table);
      const size = (rows * (ENTRY_BYTES + key.bytes)) / FILL;
      // The sort spills about as much as it writes.
      return { seconds: seconds(read + sort(rows, key, speed), table.bytes + 2 * size), extraBytes: 2 * size };
    }
    case 'reindex':
      return {
        seconds: seconds(read + indexes(table, speed), table.bytes + 2 * table.indexBytes),
        extraBytes: 2 * table.indexBytes,
      };
    case 'rewrite': {
      const write = rows * WRITE_ROW_US + table.bytes * WRITE_BYTE_US;
      const extraBytes = bytes + table.indexBytes;
      return { seconds: seconds(read + write + indexes(table, speed), bytes + 2 * extraBytes), extraBytes };
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

/** What an index is sorted by. */
interface Key {
  readonly bytes: number;
  readonly collated: boolean;
}

function sort(rows: number, { bytes, collated }: Key, { sortMilliseconds, sortTextMilliseconds }: Speed): number {
  const slower = collated ? sortTextMilliseconds / SORT_TEXT_MS / (sortMilliseconds / SORT_MS) : 1;
  return rows * slower * SORT_ROW_US[collated || bytes > FIXED_BYTES ? 'wide' : 'fixed'];
}

/** All indexes of a table, one after the other. */
function indexes({ rows, indexes: list, indexBytes }: TableStatistics, speed: Speed): number {
  const mean = list.length > 0 ? indexBytes / list.length : 0;
  // Those of a partitioned table hold nothing themselves.
  const bytesOf = (bytes: number) => ((bytes || mean) / Math.max(1, rows)) * FILL - ENTRY_BYTES;
  return list.reduce((us, { bytes, collated }) => us + sort(rows, { bytes: bytesOf(bytes), collated }, speed), 0);
}

function keyOf({ columns = [] }: Cost, table: TableStatistics): Key {
  const found = columns.map((column) => table.columns.find(({ name }) => name === column));
  // A second column is compared only where the first ones are equal: the widest one decides. An unknown one may be a text.
  const bytes = Math.max(...found.map((one) => one?.width ?? UNKNOWN_KEY_BYTES), FIXED_BYTES);
  return { bytes, collated: found.some((one) => one?.collated ?? true) };
}

function log2(rows: number): number {
  return Math.log2(Math.max(2, rows));
}
