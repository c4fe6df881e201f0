import { MigrateError, RUN_ID } from '../../contract';
import { valueProblems } from '../../contract/checks/rules';
import { EXECUTION_NAME, TENANT_RUN_INPUT, type TenantRunInput, tenantRunInputProblems } from '../../contract/tenants';

/**
 * Step Functions' limit for the input of an execution, https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
const MAX_INPUT_BYTES = 262_144;

/** All problems of a list of tenants' names; empty if they are valid. */
export function nameListProblems(names: readonly string[]): string[] {
  return valueProblems(TENANT_RUN_INPUT.keys.tenants, names, 'tenants');
}

/** All problems of a run's id. `any`: also accepts the id of a run that EventBridge started. */
export function runIdProblems(runId: string, any = false): string[] {
  return valueProblems(any ? EXECUTION_NAME : RUN_ID, runId, `the id ${JSON.stringify(runId)}`);
}

/** The input of an execution. Throws one error with all its problems. */
export function checkedInput({ command, tenants, retryFailed, allow, requestedBy }: TenantRunInput): string {
  const unique = tenants && [...new Set(tenants)];
  const request: TenantRunInput = { command, tenants: unique, retryFailed, allow, requestedBy };
  const problems = tenantRunInputProblems(request);
  const input = JSON.stringify(request);
  const bytes = Buffer.byteLength(input);
  if (bytes > MAX_INPUT_BYTES) {
    problems.push(
      `${unique?.length} names are ${Math.ceil(bytes / 1024)} KB, but Step Functions accepts only ${MAX_INPUT_BYTES / 1024} KB: ` +
        'run all tenants (those at head cost one query each), or split the names over several runs',
    );
  }
  if (problems.length > 0) throw new MigrateError('invalid_usage', problems.join('; '), 'correct the request; nothing was sent');
  return input;
}
