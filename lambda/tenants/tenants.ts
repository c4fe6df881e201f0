import { TENANT_PATTERN, type Tenant } from '../../lib/contract/tenants';
import type { Failure } from './run-files';

/** The tenants can't be had, or can't be used. */
export class TenantsError extends Error {
  constructor(
    message: string,
    readonly next: string,
    readonly code: Failure['code'] = 'tenants_unavailable',
  ) {
    super(message);
  }
}

const MAX_NAMED = 5;

/** A few names for a message, and how many more there are. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

/** What a source gave, as tenants in the order of their databases and names. All that is wrong is told at once. */
export function readTenants(items: readonly unknown[]): Tenant[] {
  const problems: string[] = [];
  const tenants: Tenant[] = [];
  for (const [index, item] of items.entries()) {
    const tenant = typeof item === 'string' ? { name: item } : item;
    const problem = problemOf(tenant);
    if (problem) problems.push(`item ${index + 1} ${problem}: ${JSON.stringify(item)?.slice(0, 100)}`);
    else tenants.push(tidy(tenant as Tenant));
  }
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of tenants) (seen.has(name) ? twice : seen).add(name);
  if (twice.size) problems.push(`listed twice: ${some([...twice])}`);
  if (problems.length) {
    const more = problems.length > MAX_NAMED ? `; and ${problems.length - MAX_NAMED} more` : '';
    throw new TenantsError(
      `the list holds tenants that can't be used: ${problems.slice(0, MAX_NAMED).join('; ')}${more}`,
      'correct them where they are listed: a tenant is a unique name, and at most a schema and a secretArn',
    );
  }
  return tenants.sort((a, b) => compare(a.secretArn ?? '', b.secretArn ?? '') || compare(a.name, b.name));
}

/** null is how a column, a DynamoDB item and JSON say that there is nothing. */
function tidy({ name, schema, secretArn }: Tenant): Tenant {
  return { name, ...(schema && { schema }), ...(secretArn && { secretArn }) };
}

function problemOf(tenant: unknown): string | undefined {
  if (typeof tenant !== 'object' || tenant === null || Array.isArray(tenant)) return 'is no tenant';
  const { name, schema = null, secretArn = null, ...others } = tenant as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `has an unknown key ${JSON.stringify(unknown)}`;
  if (typeof name !== 'string' || !TENANT_PATTERN.test(name)) return 'has no usable name';
  if (schema !== null && !(typeof schema === 'string' && TENANT_PATTERN.test(schema))) return 'has no usable schema';
  if (secretArn !== null && !(typeof secretArn === 'string' && secretArn.startsWith('arn:'))) return 'has no usable secretArn';
  return undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
