import { MigrateError } from '../../../lib/contract';
import { type Tenant, tenantListProblems } from '../../../lib/contract/tenants';

const MAX_NAMED = 5;

/** A few names, and the number of the others. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

/** Converts a source's items to tenants, sorted by database and name. Throws one error with all problems. */
export function readTenants(items: readonly unknown[]): Tenant[] {
  const tenants = items.map((item) => (typeof item === 'string' ? { name: item } : withoutNulls(item)));
  const problems = tenantListProblems(tenants);
  if (problems.length) {
    throw new MigrateError(
      'tenants_unavailable',
      `the list has invalid tenants: ${problems.join('; ')}`,
      'correct them in the list: a tenant has a unique name and, optionally, a schema and a secretArn',
    );
  }
  return (tenants as Tenant[]).sort((a, b) => compare(a.secretArn ?? '', b.secretArn ?? '') || compare(a.name, b.name));
}

/** A column, a DynamoDB item and JSON use null for a missing value. */
function withoutNulls(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
