import type { MeasuredFacts, MeasuredTable, RevisionFacts } from '../../contract/facts';
import type { Measured, MeasuredWaits, Wait } from '../finding';
import { WAITING_BY_LOCK } from '../rules/locking/locks';
import type { Sizes } from './size';

/** Milliseconds of polling and of the last check before the commit: they do not grow with the table. */
const OVERHEAD_MS = 20;

/** The measurement of a revision, scaled to production; undefined if it was not measured or the sizes are unknown. */
export function measurementOf(
  { revision, upgrade }: RevisionFacts,
  all: readonly MeasuredFacts[] = [],
  sizes?: Sizes,
): Measured | undefined {
  const facts = all.find((one) => one.revision === revision);
  if (!facts || !sizes) return undefined;
  const { revision: _, tables, ...rest } = facts;
  // The replay on nearly empty tables shows the time that does not grow with them.
  const fixed = upgrade.statements.reduce((sum, { milliseconds }) => sum + milliseconds, OVERHEAD_MS);
  const { sortMilliseconds } = sizes.statistics;
  const slower = sortMilliseconds / (facts.sortMilliseconds ?? sortMilliseconds);
  // Without this lock no read waits: its time only shows how busy this machine was.
  const blocksReads = tables?.some(({ locks }) => locks.some(({ mode }) => mode === 'AccessExclusiveLock')) ?? false;
  return { ...rest, ...(tables ? { tables: tables.map((table) => withWaits(table, fixed, slower, blocksReads)) } : {}) };
}

/**
 * @param fixed milliseconds that do not grow with the table
 * @param slower how many times as long production takes for the same work
 * @param blocksReads whether the revision blocked reads of any table. A read of a partitioned table also waits for its partitions
 */
function withWaits(table: MeasuredTable, fixed: number, slower: number, blocksReads: boolean): MeasuredWaits {
  if (table.rows === 0) return table;
  const longest = (blocks: (mode: string) => boolean) =>
    table.locks.reduce((most, { mode, milliseconds }) => (blocks(mode) ? Math.max(most, milliseconds) : most), 0);
  const reads = Math.max(
    longest((mode) => mode === 'AccessExclusiveLock'),
    blocksReads ? (table.longestReadMilliseconds ?? 0) : 0,
  );
  const writes = Math.max(
    longest((mode) => mode in WAITING_BY_LOCK),
    table.longestWriteMilliseconds ?? 0,
  );
  const wait = (milliseconds: number): Wait => ({
    milliseconds,
    inProduction: scaleToProduction(milliseconds, fixed, slower, table),
  });
  return {
    ...table,
    ...(reads > 0 ? { readsBlocked: wait(reads) } : {}),
    ...(writes > 0 ? { writesBlocked: wait(writes) } : {}),
  };
}

function scaleToProduction(milliseconds: number, fixed: number, slower: number, { rows, productionRows }: MeasuredTable): number {
  const growing = Math.max(0, milliseconds - fixed);
  return Math.round(milliseconds - growing + growing * Math.max(1, productionRows / rows) * slower);
}
