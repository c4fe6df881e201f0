import type { DatabaseStatistics, RowBasis, TableStatistics } from '../../contract';
import { bytesText, rowsText, timeTaken } from '../../text/sizes';
import type { Finding, FindingSize, Measured } from '../finding';
import { columnType } from '../sql/column-types';
import type { Cost } from './cost';
import { type Estimate, estimate, type Seconds, total } from './estimate';

/** Below both, a finding about a lock is a note. */
export interface SmallTable {
  readonly rows: number;
  readonly bytes: number;
}

export const SMALL_TABLE: SmallTable = { rows: 10_000, bytes: 10_000_000 };

/** Sizes of production, and the limit of a small table. */
export interface Sizes {
  readonly statistics: DatabaseStatistics;
  readonly smallTable: SmallTable;
}

/**
 * Adds the cost on production's tables to a finding about a lock; unchanged if the statistics lack one of them.
 *
 * @param typeOf the type of a column, if it is known
 * @param measured what was measured of its revision
 */
export function withSize(
  finding: Finding,
  cost: Cost | undefined,
  { statistics, smallTable }: Sizes,
  typeOf: TypeOf,
  measured?: Measured,
): Finding {
  const find = (name: string | undefined) => statistics.tables.find((table) => table.name === name);
  const tables = cost?.tables.flatMap((name) => find(name) ?? []) ?? [];
  const [first] = tables;
  if (!cost || !first || tables.length < cost.tables.length) return finding;
  const { seconds, extraBytes } = total(
    tables.map((table) => estimate(cost, withNewColumns(table, cost, typeOf), statistics, find(cost.references))),
  );
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes + table.toastBytes, 0);
  const small = isSmall([...tables, ...(find(cost.references) ? [find(cost.references) as TableStatistics] : [])], smallTable);
  const basis = basisOf(first, statistics);
  const seen = finding.direction === 'downgrade' ? undefined : measuredWait(first.name, measured);
  return {
    ...finding,
    ...(small ? { severity: 'note' as const } : {}),
    message: `${finding.message}. ${sentence(cost, { seconds, extraBytes }, rows, bytes, seen, basis)}${small ? `. ${whyNote(smallTable)}` : ''}`,
    size: {
      tables: tables.map(({ name }) => name),
      rows,
      bytes,
      ...(seconds === undefined ? {} : { seconds: rounded(seconds) }),
      extraBytes: Math.round(extraBytes),
      basis,
      ...(seen ? { measured: seen } : {}),
      ...(small ? { small: true as const } : {}),
    },
  };
}

type TypeOf = (table: string, column: string) => string | undefined;

/** Types of a fixed width, and their bytes. */
const WIDTHS: Readonly<Record<string, number>> = {
  boolean: 1,
  smallint: 2,
  integer: 4,
  date: 4,
  real: 4,
  bigint: 8,
  'double precision': 8,
  'timestamp without time zone': 8,
  'timestamp with time zone': 8,
  uuid: 16,
};

/** The table with columns that its statistics lack, such as one that an earlier pending revision adds. */
function withNewColumns(table: TableStatistics, { columns = [] }: Cost, typeOf: TypeOf): TableStatistics {
  const added = columns.flatMap((name) => {
    if (name === null || table.columns.some((one) => one.name === name)) return [];
    const width = WIDTHS[columnType(typeOf(table.name, name) ?? '').name];
    return width ? [{ name, nulls: 0, distinct: -1, width, collated: false }] : [];
  });
  return { ...table, columns: [...table.columns, ...added] };
}

/** How long its writes waited in the whole revision. */
function measuredWait(name: string, measured: Measured | undefined): FindingSize['measured'] {
  const table = measured?.tables?.find((one) => one.table === name);
  return table?.writesBlocked && { rows: table.rows, ...table.writesBlocked };
}

/** Whether a finding about these tables is a note. */
export function isSmall(tables: readonly TableStatistics[], { rows, bytes }: SmallTable): boolean {
  return tables.every((table) => table.rows < rows && table.bytes + table.toastBytes < bytes);
}

function whyNote({ rows, bytes }: SmallTable): string {
  return `A note, because it is below "smallTable" (${rowsText(rows)} rows and ${bytesText(bytes)})`;
}

function sentence(
  cost: Cost,
  { seconds, extraBytes }: Estimate,
  rows: number,
  bytes: number,
  measured: FindingSize['measured'],
  basis: string,
): string {
  const has = `In production ${cost.tables.join(' and ')} ${cost.tables.length === 1 ? 'has' : 'have'} ${rowsText(rows)} rows (${bytesText(bytes)})`;
  const time = seconds ? `: ${aboutText(seconds.likely)} under that lock${rangeText(seconds)}` : '';
  const space = extraBytes > 0 ? `, and up to ${bytesText(extraBytes)} more disk space` : '';
  const seen = measured
    ? `; measured on this machine, writes waited ${timeTaken(measured.milliseconds)} on ${rowsText(measured.rows)} rows: ` +
      `${timeTaken(measured.inProduction)} in production`
    : '';
  return `${has}${time}${space}${seen}; ${basis}`;
}

const BASES: Readonly<Record<RowBasis, string>> = {
  analyze: 'rows from its last ANALYZE or VACUUM and its size',
  counters: 'rows as counted, never analyzed',
  size: 'rows guessed from its size alone',
  partitions: 'rows summed over its partitions',
};

function basisOf({ rowsFrom, analyzedAt }: TableStatistics, { readAt }: DatabaseStatistics): string {
  const analyzed = analyzedAt === null || rowsFrom !== 'analyze' ? '' : ` (analyzed ${day(analyzedAt)})`;
  return `${BASES[rowsFrom]}${analyzed}, statistics of ${day(readAt)}`;
}

function day(time: string): string {
  return time.slice(0, 10);
}

const SHORTEST = 'less than 0.1 s';

function rangeText({ low, high }: Seconds): string {
  return timeText(low) === timeText(high) ? '' : ` (${timeText(low)} to ${timeText(high)})`;
}

function aboutText(seconds: number): string {
  const text = timeText(seconds);
  return text === SHORTEST ? text : `about ${text}`;
}

/** A time, such as `4 s`, `3 min`, `2 h`, as estimates are written. */
export function timeText(seconds: number): string {
  if (seconds < 0.1) return SHORTEST;
  const [value, unit] = seconds < 100 ? [seconds, 's'] : seconds < 6_000 ? [seconds / 60, 'min'] : [seconds / 3_600, 'h'];
  return `${Number(value.toPrecision(value < 10 ? 1 : 2))} ${unit}`;
}

function rounded({ low, likely, high }: Seconds): Seconds {
  const two = (seconds: number) => Number(seconds.toPrecision(2));
  return { low: two(low), likely: two(likely), high: two(high) };
}
