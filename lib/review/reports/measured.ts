import { bytesText, rowsText, timeTaken } from '../../text/sizes';
import type { Measured, MeasuredWaits, Review, ReviewedRevision, Wait } from '../finding';
import { modeName, strengthOf } from './page/locks';

export type MeasuredRevision = ReviewedRevision & { readonly measured: Measured };

/** The revisions that `--measure` ran or tried to run. */
export function measuredRevisions({ revisions }: Review): readonly MeasuredRevision[] {
  return revisions.filter((revision): revision is MeasuredRevision => revision.measured !== undefined);
}

/** How the measurements were taken. */
export function measuredBasis({ postgres }: Review): string {
  return `measured on this machine${postgres === undefined ? '' : ` (PostgreSQL ${postgres})`} with generated rows, a reader and a writer for each table, no other load`;
}

/** The whole revision, such as `5.2 s, 84 MB of write-ahead log`. */
export function measuredSummary({ reason, milliseconds = 0, walBytes }: Measured): string {
  if (reason !== undefined) return `not measured: ${reason}`;
  return [timeTaken(milliseconds), ...(walBytes === undefined ? [] : [`${bytesText(walBytes)} of write-ahead log`])].join(', ');
}

const LIMITS = {
  rows: 'limit of rows',
  bytes: 'limit of bytes',
  time: 'limit of time',
  values: 'no further generated rows were accepted',
} as const;

/** The tables that the revision locked; if no lock was seen, all tables that were filled. */
export function measuredTables({ tables = [] }: Measured): readonly MeasuredWaits[] {
  const locked = tables.filter(({ locks }) => locks.length > 0);
  return locked.length > 0 ? locked : tables;
}

/** The locks and waits of a table, such as `SHARE for 5.1 s, a write waited for 5.1 s at most; on 1 million of 10 million rows (limit of rows)`. */
export function measuredText(table: MeasuredWaits): string {
  const { locks, rows, productionRows, limit, rejected, longestReadMilliseconds, longestWriteMilliseconds } = table;
  const { readsBlocked, writesBlocked } = table;
  const blocking = locks.filter(({ mode }) => strengthOf(mode) !== 'none');
  const held = blocking.map(({ mode, milliseconds }) => `${modeName(mode)} for ${timeTaken(milliseconds)}`);
  const waited = [
    ...(readsBlocked && longestReadMilliseconds !== undefined
      ? [`a read waited for ${timeTaken(longestReadMilliseconds)} at most`]
      : []),
    ...(longestWriteMilliseconds === undefined ? [] : [`a write waited for ${timeTaken(longestWriteMilliseconds)} at most`]),
  ];
  const what = [held.join(' and ') || 'no blocking lock seen', ...waited].join(', ');
  const of = productionRows > rows ? ` of ${rowsText(productionRows)}` : '';
  const why = limit === undefined ? '' : ` (${LIMITS[limit]}${rejected === undefined ? '' : `: ${rejected}`})`;
  const scaled = [...scaledText('reads', readsBlocked), ...scaledText('writes', writesBlocked)];
  const production = scaled.length > 0 ? `; scaled to production, ${scaled.join(', ')}` : '';
  return `${what}; on ${rowsText(rows)}${of} rows${why}${production}`;
}

function scaledText(what: string, wait: Wait | undefined): string[] {
  if (wait === undefined || wait.inProduction === Math.round(wait.milliseconds)) return [];
  return [`${what} blocked for ${timeTaken(wait.inProduction)}`];
}
