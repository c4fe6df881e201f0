import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { MigrateError } from '../../contract/failure';
import { isTenantRunSummary, TENANT_CODES, type TenantCode, type TenantRunSummary } from '../../contract/tenants';
import { parseJson } from '../json';

/** What an execution says about its end: undefined while it runs, the summary, or why there is none that is good. */
export function resultOf({ status, output, error, cause, name }: DescribeExecutionCommandOutput): TenantRunSummary | undefined {
  if (status === 'RUNNING') return undefined;
  if (status === 'SUCCEEDED') {
    const summary = parseJson(output ?? '');
    if (isTenantRunSummary(summary) && summary.status !== 'failed') return summary;
    const told = `run ${name} ended with something that is no summary: ${(output ?? 'nothing').slice(0, 200)}`;
    throw new MigrateError('unexpected_answer', told, 'use the version of cdk-alembic that deployed the stage');
  }
  const told = parseJson(cause ?? '');
  const summary = isTenantRunSummary(told) ? told : undefined;
  if (status === 'FAILED' && isRunCode(error)) {
    const { message, next } = (summary?.error ?? told ?? {}) as { readonly message?: string; readonly next?: string };
    throw new MigrateError(error, message ?? cause ?? `run ${name} failed`, next ?? NEXT[error], { summary });
  }
  const why = [status === 'ABORTED' ? '' : error, cause].filter(Boolean).join(': ');
  throw new MigrateError('run_aborted', `run ${name} ${ENDS[status ?? ''] ?? 'failed'}${why && `: ${why}`}`, NEXT.run_aborted, {
    summary,
  });
}

const ENDS: Readonly<Record<string, string>> = {
  ABORTED: 'was stopped',
  TIMED_OUT: 'ran out of time',
  FAILED: 'failed as a whole',
};

/** What to do where the run itself has not said it. */
const NEXT: Readonly<Record<RunCode, string>> = {
  invalid_request: 'correct the input of the execution: nothing was begun',
  tenants_failed: 'fix what failed, then run it again with --retry-failed: tenants at head cost one query each',
  unknown_tenant: 'correct the names: nothing was begun',
  tenants_unavailable: 'correct where the tenants are listed: nothing was begun',
  not_approved: 'run it again when it is wanted: the canaries are migrated and stay so',
  run_aborted: 'run it again: tenants that are migrated stay so, and cost one query each',
};

/** What a run can say of itself. */
type RunCode = TenantCode | 'invalid_request';

function isRunCode(error: string | undefined): error is RunCode {
  return error === 'invalid_request' || (TENANT_CODES as readonly string[]).includes(error ?? '');
}
