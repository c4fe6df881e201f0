import type { Tenant, TenantAnswer } from '../../../lib/contract/tenants';

/** Whether an answer reports each requested tenant exactly once. */
export function accountsFor({ outcomes, left, notStarted, failed }: TenantAnswer, asked: readonly Tenant[]): boolean {
  const partial = new Set(outcomes.filter(({ status }) => status === 'partial').map(({ tenant }) => tenant));
  const open = left.map(({ name }) => name);
  const told = [...outcomes.filter(({ status }) => status !== 'partial').map(({ tenant }) => tenant), ...open, ...notStarted];
  const each = new Set(told);
  return (
    told.length === asked.length &&
    asked.every(({ name }) => each.has(name)) &&
    [...partial].every((tenant) => open.includes(tenant)) &&
    outcomes.filter(({ status }) => status === 'failed').length === failed
  );
}
