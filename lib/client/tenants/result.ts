import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { MigrateError } from '../../contract/failure';
import { isTenantRunSummary, TENANT_CODES, type TenantCode, type TenantRunSummary } from '../../contract/tenants';
import { parseJson } from '../json';

/** The summary of a finished execution; undefined while it runs. Throws if it failed. */
export function resultOf({ status, output, error, cause, name }: DescribeExecutionCommandOutput): TenantRunSummary | undefined {
  if (status === 'RUNNING') return undefined;
  if (status !== 'SUCCEEDED') throw failureOf({ status, error, cause, name });
  const summary = summaryIn(output);
  if (summary && summary.status !== 'failed') return summary;
  const text = `run ${name} ended without a valid summary: ${(output ?? 'nothing').slice(0, 200)}`;
  throw new MigrateError('unexpected_answer', text, 'use the version of cdk-alembic that deployed the stage');
}

function failureOf({ status = 'FAILED', error, cause, name }: Partial<DescribeExecutionCommandOutput>): MigrateError {
  const summary = summaryIn(cause);
  if (status === 'FAILED' && isRunCode(error)) {
    const { message = cause?.slice(0, MAX_CAUSE) ?? `run ${name} failed`, next = NEXT[error] } = summary?.error ?? {};
    return new MigrateError(error, message, next, { summary });
  }
  const why = [status === 'ABORTED' ? '' : error, cause].filter(Boolean).map((part) => `: ${part}`);
  return new MigrateError('run_aborted', `run ${name} ${ENDS[status] ?? 'failed'}${why.join('')}`, NEXT.run_aborted, { summary });
}

function summaryIn(text = ''): TenantRunSummary | undefined {
  const json = parseJson(text);
  return isTenantRunSummary(json) ? json : undefined;
}

/** The maximum length of Step Functions' cause in a message; the original may have 32,768 characters. */
const MAX_CAUSE = 1000;

const ENDS: Readonly<Record<string, string>> = {
  ABORTED: 'was stopped',
  TIMED_OUT: 'ran out of time',
  FAILED: 'failed as a whole',
};

/** The next step if the run's own summary has none. */
const NEXT: Readonly<Record<RunCode, string>> = {
  invalid_request: 'correct the input of the execution; nothing was started',
  tenants_failed: 'fix what failed, then run it again with --retry-failed: tenants at head cost one query each',
  unknown_tenant: 'correct the names; nothing was started',
  no_tenants: 'check the source of the tenants; nothing was started',
  tenants_unavailable: 'fix the list of tenants; nothing was started',
  not_approved: 'start a new run when you are ready; the canaries stay migrated',
  run_aborted: 'run it again: migrated tenants stay migrated, and cost one query each',
};

/** Codes that a run itself can end with. */
type RunCode = TenantCode | 'invalid_request';

function isRunCode(error: string | undefined): error is RunCode {
  return error === 'invalid_request' || (TENANT_CODES as readonly string[]).includes(error ?? '');
}
