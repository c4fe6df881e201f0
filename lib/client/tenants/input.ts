import { ALLOWANCES, type Allowance } from '../../contract';
import { TENANT_PATTERN, type TenantRunInput } from '../../contract/tenants';
import { TenantsError } from './errors';

/** Step Functions' limit for the input of an execution, https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAX_INPUT_BYTES = 262_144;

const RUN_ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const REQUESTED_BY_PATTERN = /^[\x20-\x7e]{1,200}$/;
const NAMED_WRONG = 5;

/** All that is wrong with names of tenants; empty when they can be asked for. */
export function nameListProblems(names: readonly string[]): string[] {
  if (names.length === 0) return ['no tenant is named'];
  const wrong = names.filter((name) => typeof name !== 'string' || !TENANT_PATTERN.test(name));
  const more = wrong.length > NAMED_WRONG ? [`${wrong.length - NAMED_WRONG} more names of tenants can't be used`] : [];
  const rule = 'use letters, digits and _$.-, 63 at most, starting with a letter, a digit or _';
  return [...wrong.slice(0, NAMED_WRONG).map((name) => `${JSON.stringify(name)} is no name of a tenant: ${rule}`), ...more];
}

/** All that is wrong with the id of a run. */
export function runIdProblems(runId: string): string[] {
  return RUN_ID_PATTERN.test(runId) ? [] : [`${JSON.stringify(runId)} is no id of a run: it is a UUID in lower case`];
}

/** The input of an execution as it is sent; all that is wrong with it is one error. */
export function checkedInput({ command, tenants, retryFailed, allow, requestedBy }: TenantRunInput): string {
  const problems: string[] = [];
  if (command !== undefined && command !== 'upgrade' && command !== 'plan')
    problems.push('the command is neither upgrade nor plan');
  if (tenants !== undefined) problems.push(...nameListProblems(tenants));
  if (tenants !== undefined && retryFailed) problems.push('retryFailed says which tenants: name none');
  if (allow?.some((item) => !ALLOWANCES.includes(item as Allowance)))
    problems.push(`allow must be a list of ${ALLOWANCES.join(', ')}`);
  if (requestedBy !== undefined && !REQUESTED_BY_PATTERN.test(requestedBy)) {
    problems.push('requestedBy must be a text of at most 200 printable ASCII characters');
  }
  const once = tenants && [...new Set(tenants)];
  const input = JSON.stringify({ command, tenants: once, retryFailed, allow, requestedBy } satisfies TenantRunInput);
  const bytes = Buffer.byteLength(input);
  if (bytes > MAX_INPUT_BYTES) {
    problems.push(
      `${once?.length} names are ${Math.ceil(bytes / 1024)} KB, and Step Functions takes ${MAX_INPUT_BYTES / 1024} KB: ` +
        'run over all tenants (those at head cost one query each), or name them in several runs',
    );
  }
  if (problems.length > 0) throw new TenantsError('invalid_usage', problems.join('; '), 'correct it; nothing was sent');
  return input;
}
