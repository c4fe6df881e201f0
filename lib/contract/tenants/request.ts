import { choiceOf, listOf, objectOf, problemsOf, type Rule, type Shape, text, wrongWith } from '../checks/rules';
import { ALLOW, type Allowance, REQUESTED_BY, RUN_ID, SLICE_SECONDS } from '../request';

/** A schema of the function's database, a database of its own, or a schema of a database of its own. */
export interface Tenant {
  /** What people call it; unique. */
  readonly name: string;
  /**
   * Its schema. env.py gets it as Alembic's `-x tenant=<schema>`, and its version table has to lie there.
   *
   * @default - the name is handed over in its place; without `secretArn` it is the schema, too
   */
  readonly schema?: string;
  /** Secret of its own database, of the shape that the stage's database has. @default - the function's database */
  readonly secretArn?: string;
}

/** What the function of a tenant migration can be asked for. `tenants` lists them, by the query of its settings. */
export const TENANT_COMMANDS = ['upgrade', 'plan', 'tenants'] as const;
export type TenantCommand = (typeof TENANT_COMMANDS)[number];

/** Tenants in one call of the function at most. */
export const MAX_BATCH_SIZE = 1000;

/** Tenants in one answer to `tenants` at most: they stay far below Lambda's 6 MB. */
export const TENANTS_PAGE = 10_000;

/** Payload of an invoke of a tenant migration's function. Every tenant goes to head. */
export interface TenantRequest {
  /** @default 'upgrade' */
  readonly command?: TenantCommand;
  /** Which, 1 to {@link MAX_BATCH_SIZE}; needed by `upgrade` and `plan`, refused by `tenants`. */
  readonly tenants?: readonly Tenant[];
  /** With `tenants`: lists what comes after this name. @default - from the first */
  readonly after?: string;
  /** With `upgrade`: after so many failed tenants the call begins no further one. @default - all are tried */
  readonly toleratedFailures?: number;
  /** With `upgrade`: seconds after which no further revision is begun. @default - until the function's deadline is near */
  readonly sliceSeconds?: number;
  readonly allow?: readonly Allowance[];
  readonly requestedBy?: string;
  /** The run over all tenants, a UUID. A tenant's own record of it in its history has an id that is made from both. */
  readonly runId?: string;
}

/** What `RunnerSettings.tenants` says: the function migrates tenants, and nothing without one. */
export interface TenantSettings {
  /**
   * A SELECT on the function's own database with the columns `name` and, where they are needed, `schema` and `secret_arn`.
   *
   * @default - they are listed elsewhere
   */
  readonly query?: string;
}

/** Names of tenants and schemas: they get into SQL and into object keys. */
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
      takenBy: ['upgrade', 'plan'],
      neededBy: ['upgrade', 'plan'],
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
    allow: ALLOW,
    requestedBy: REQUESTED_BY,
    runId: RUN_ID,
  },
};

/** All that is wrong with a request to the function of a tenant migration; empty when it can be sent. */
export function tenantRequestProblems(request: unknown): string[] {
  return problemsOf(TENANT_REQUEST, request);
}

/** All that is wrong with tenants that somebody lists; empty when they can be migrated. There may be any number of them. */
export function tenantListProblems(tenants: unknown): string[] {
  return wrongWith(TENANTS, tenants, 'tenants');
}

/** Whether a text can be the name of a tenant or of a schema. */
export function isTenantName(name: unknown): name is string {
  return wrongWith(TENANT_NAME, name).length === 0;
}
