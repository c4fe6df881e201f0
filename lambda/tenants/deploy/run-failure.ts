import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { parseJson } from '../../../lib/client/json';
import { isTenantRunSummary, type TenantFailure } from '../../../lib/contract/tenants';
import { cut, DeployFailure } from '../../on-deploy/deploy-failure';

export interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly next: string;
  readonly failures?: readonly TenantFailure[];
}

/** As many as fit into CloudFormation's 4,096 bytes, next to an address and the Provider framework's own error. */
const MAX_FAILURES = 3;
const MAX_MESSAGE_BYTES = 400;
const MAX_TENANT_BYTES = 300;
const MAX_NEXT_BYTES = 400;

/** Why an execution failed. */
export function failureOf({ status, error, cause }: Pick<DescribeExecutionOutput, 'status' | 'error' | 'cause'>): Failure {
  const summary = parseJson(cause ?? '');
  if (isTenantRunSummary(summary) && summary.error) return { ...summary.error, failures: summary.failures };
  const reason = [error, cause].filter(Boolean).join(': ');
  return {
    code: 'run_aborted',
    message: `the run ended as ${status}${reason && `: ${reason}`}`,
    next: 'see its history in Step Functions, then run again: tenants at head are skipped',
  };
}

/** A run that failed. */
export function runFailure({ code, message, next, failures = [] }: Failure, consoleUrl: string): DeployFailure {
  return new DeployFailure([
    `${code ? `[${code}] ` : ''}${cut(message, MAX_MESSAGE_BYTES)}`,
    ...failures.slice(0, MAX_FAILURES).map(({ tenant, error }) => {
      return cut(`${tenant}: [${error.code}] ${error.revision ?? ''} ${error.message}`, MAX_TENANT_BYTES);
    }),
    failures.length > MAX_FAILURES && 'and more',
    `run ${consoleUrl}`,
    `next: ${cut(next, MAX_NEXT_BYTES)}`,
  ]);
}
