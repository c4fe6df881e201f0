import type { Tenant, TenantAnswer } from '../../../lib/contract/tenants';

/** Whether an answer reports each requested tenant exactly once. */
export function accountsFor({ outcomes, left, notStarted, failed }: TenantAnswer, requested: readonly Tenant[]): boolean {
  const partial = new Set(outcomes.filter(({ status }) => status === 'partial').map(({ tenant }) => tenant));
  const remaining = left.map(({ name }) => name);
  const reported = [
    ...outcomes.filter(({ status }) => status !== 'partial').map(({ tenant }) => tenant),
    ...remaining,
    ...notStarted,
  ];
  const names = new Set(reported);
  return (
    reported.length === requested.length &&
    requested.every(({ name }) => names.has(name)) &&
    [...partial].every((tenant) => remaining.includes(tenant)) &&
    outcomes.filter(({ status }) => status === 'failed').length === failed
  );
}
