import type { AppliedRevision, DatabaseStatistics, MigrateAnswer, MigrateFailure } from '../../../lib/contract';

/** An answer of the runner. Default: at head `c3`, nothing to do. */
export function answer(fields: Partial<MigrateAnswer> = {}): MigrateAnswer {
  const at = ['c3'];
  return {
    contract: 1,
    command: 'upgrade',
    stage: 'dev',
    status: 'complete',
    from: at,
    to: at,
    heads: at,
    target: at,
    applied: [],
    pending: [],
    unknown: [],
    dataLoss: [],
    edited: [],
    warnings: [],
    protected: false,
    ...(fields.status === 'partial' && { continueWith: 'head' }),
    ...(fields.command === 'history' && { history: [], runs: [] }),
    ...(fields.command === 'statistics' && { statistics: STATISTICS }),
    ...fields,
  };
}

/** A failure of the runner. */
export function failure(error: Partial<MigrateFailure['error']> = {}, applied: AppliedRevision[] = []): MigrateFailure {
  const detail = { code: 'migration_failed', message: 'revision b2 failed', next: 'fix it', ...error } as const;
  return { contract: 1, status: 'failed', error: detail, applied };
}

export function applied(revision: string, message = `Add ${revision}`): AppliedRevision {
  return { revision, message, durationMs: 12, statements: 1 };
}

/** Of a database with one large table. */
export const STATISTICS: DatabaseStatistics = {
  readAt: '2026-01-01T00:00:00Z',
  postgres: '18.4',
  bytes: 1_700_000_000,
  countedSince: '2025-12-01T00:00:00Z',
  settings: [{ name: 'maintenance_work_mem', value: '64MB' }],
  sortMilliseconds: 40.5,
  sortTextMilliseconds: 72.9,
  publications: [{ name: 'feed', allTables: false, tables: ['orders'] }],
  tables: [
    {
      name: 'orders',
      kind: 'table',
      rows: 10_000_000,
      rowsFrom: 'analyze',
      bytes: 1_200_000_000,
      toastBytes: 8_192,
      indexBytes: 400_000_000,
      deadRows: 12_000,
      writesPerSecond: 14.2,
      analyzedAt: '2025-12-31T00:00:00Z',
      rowBytes: 112,
      bloatBytes: 40_000_000,
      columns: [{ name: 'note', nulls: 0.5, distinct: -0.2, width: 20, collated: true }],
      indexes: [
        { name: 'orders_pkey', rows: 10_000_000, bytes: 220_000_000, method: 'btree', valid: true, collated: false, scans: 7 },
      ],
    },
  ],
  tablesLeftOut: 0,
};
