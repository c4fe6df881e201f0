import type { AppliedRevision, MigrateAnswer, MigrateFailure } from '../../../lib/contract';

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
    ...(fields.command === 'history' && { history: [], runs: [] }),
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
