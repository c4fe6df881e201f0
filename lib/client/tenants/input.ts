import { MigrateError, RUN_ID } from '../../contract';
import { wrongWith } from '../../contract/checks/rules';
import { TENANT_RUN_INPUT, type TenantRunInput, tenantRunInputProblems } from '../../contract/tenants';

/** Step Functions' limit for the input of an execution, https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAX_INPUT_BYTES = 262_144;

/** All that is wrong with names of tenants; empty when they can be asked for. */
export function nameListProblems(names: readonly string[]): string[] {
  return wrongWith(TENANT_RUN_INPUT.keys.tenants, names, 'tenants');
}

/** All that is wrong with the id of a run. */
export function runIdProblems(runId: string): string[] {
  return wrongWith(RUN_ID, runId, `the id ${JSON.stringify(runId)}`);
}

/** The input of an execution as it is sent; all that is wrong with it is one error. */
export function checkedInput({ command, tenants, retryFailed, allow, requestedBy }: TenantRunInput): string {
  const once = tenants && [...new Set(tenants)];
  const request: TenantRunInput = { command, tenants: once, retryFailed, allow, requestedBy };
  const problems = tenantRunInputProblems(request);
  const input = JSON.stringify(request);
  const bytes = Buffer.byteLength(input);
  if (bytes > MAX_INPUT_BYTES) {
    problems.push(
      `${once?.length} names are ${Math.ceil(bytes / 1024)} KB, and Step Functions takes ${MAX_INPUT_BYTES / 1024} KB: ` +
        'run over all tenants (those at head cost one query each), or name them in several runs',
    );
  }
  if (problems.length > 0) throw new MigrateError('invalid_usage', problems.join('; '), 'correct it; nothing was sent');
  return input;
}
