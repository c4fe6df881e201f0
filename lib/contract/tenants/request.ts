import { choiceOf, listOf, objectOf, problemsOf, type Rule, type Shape, text, valueProblems } from '../checks/rules';
import { REQUESTED_BY, RUN_ID, SLICE_SECONDS } from '../request';

/** A schema of the function's database, a separate database, or a schema of a separate database. */
export interface Tenant {
  /** Unique. */
  readonly name: string;
  /**
   * Its schema, which must contain its version table. env.py gets it as Alembic's `-x tenant=<schema>`.
   *
   * @default - the name is passed instead; without `secretArn` it is also the schema
   */
  readonly schema?: string;
  /** Secret of its own database, in the shape of the stage's secret. @default - the function's database */
  readonly secretArn?: string;
}

/** The commands of a tenant migration's function. `tenants` lists them with the query of its settings. */
export const TENANT_COMMANDS = ['upgrade', 'plan', 'drift', 'tenants'] as const;
export type TenantCommand = (typeof TENANT_COMMANDS)[number];

/**
 * What a request for tenants can allow: what an upgrade may also do; with the command `drift`, `drift` accepts today's schema of each
 * tenant.
 */
export const TENANT_ALLOWANCES = ['drop_invalid_indexes', 'drift'] as const;
export type TenantAllowance = (typeof TENANT_ALLOWANCES)[number];

export const TENANT_ALLOW: Rule = listOf(choiceOf(TENANT_ALLOWANCES), `{key} must be a list of ${TENANT_ALLOWANCES.join(', ')}`, {
  takenBy: ['upgrade', 'drift'],
});

/** Most tenants in one call of the function. */
export const MAX_BATCH_SIZE = 1000;

/** Most tenants in one answer to `tenants`: far below Lambda's 6 MB. */
export const TENANTS_PAGE = 10_000;

/** Payload of an invoke of a tenant migration's function. Every tenant goes to head. */
export interface TenantRequest {
  /** @default 'upgrade' */
  readonly command?: TenantCommand;
  /** 1 to {@link MAX_BATCH_SIZE} tenants; required by all commands but `tenants`, which takes none. */
  readonly tenants?: readonly Tenant[];
  /** For `tenants`: starts after this name. @default - the first */
  readonly after?: string;
  /** For `upgrade`: after this many failed tenants, the call starts no more. @default - all are tried */
  readonly toleratedFailures?: number;
  /** For `upgrade`: seconds after which no more revisions start. @default - until shortly before the function's deadline */
  readonly sliceSeconds?: number;
  readonly allow?: readonly TenantAllowance[];
  readonly requestedBy?: string;
  /** UUID of the run over all tenants. A tenant's record in its history has an id made from this one and its name. */
  readonly runId?: string;
}

/** `RunnerSettings.tenants`: the function migrates only tenants. */
export interface TenantSettings {
  /**
   * A SELECT on the function's own database with the columns `name` and, if needed, `schema` and `secret_arn`.
   *
   * @default - they are listed elsewhere
   */
  readonly query?: string;
}

/** Names of tenants and schemas: they are used in SQL and in object keys. */
export const TENANT_NAME: Rule = text({
  pattern: '[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}',
  wrong: '{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _',
});

const TENANT: Shape<Tenant> = {
  name: 'a tenant',
  keys: {
    name: { ...TENANT_NAME, neededBy: 'all' },
    schema: TENANT_NAME,
    secretArn: text({ pattern: 'arn:.+', wrong: '{key} must be the ARN of a secret, not {value}' }),
  },
};

/** The rules of any number of tenants. */
export const TENANTS = listOf(
  { ...objectOf(TENANT), wrong: '{key} must be a tenant, {"name": "..."}, not {value}' },
  '{key} must be a list of tenants',
  { once: 'name' },
);

/** The rules of a {@link TenantRequest}. */
export const TENANT_REQUEST: Shape<TenantRequest> = {
  name: 'the request',
  by: 'command',
  keys: {
    command: choiceOf(TENANT_COMMANDS, {
      default: 'upgrade',
      wrong: `unknown command {value}: use ${TENANT_COMMANDS.join(', ')}`,
    }),
    tenants: {
      ...TENANTS,
      min: 1,
      max: MAX_BATCH_SIZE,
      takenBy: ['upgrade', 'plan', 'drift'],
      neededBy: ['upgrade', 'plan', 'drift'],
      called: `tenants, a list of 1 to ${MAX_BATCH_SIZE}`,
      wrong: `{key} must be a list of 1 to ${MAX_BATCH_SIZE} tenants`,
    },
    after: { ...TENANT_NAME, takenBy: ['tenants'] },
    toleratedFailures: {
      type: 'number',
      from: 0,
      whole: true,
      takenBy: ['upgrade'],
      wrong: '{key} must be a number of tenants',
    },
    sliceSeconds: SLICE_SECONDS,
    allow: TENANT_ALLOW,
    requestedBy: REQUESTED_BY,
    runId: RUN_ID,
  },
};

/** All problems of a request to a tenant migration's function; empty: it is valid. */
export function tenantRequestProblems(request: unknown): string[] {
  return problemsOf(TENANT_REQUEST, request);
}

/** All problems of a list of tenants of any length; empty: it is valid. */
export function tenantListProblems(tenants: unknown): string[] {
  return valueProblems(TENANTS, tenants, 'tenants');
}

/** Whether a text can be the name of a tenant or of a schema. */
export function isTenantName(name: unknown): name is string {
  return valueProblems(TENANT_NAME, name).length === 0;
}
