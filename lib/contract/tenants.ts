/*
 * The contract of a run over many tenants: names and wire shapes between the construct, the state machine, the coordinator
 * (lambda/tenants), the worker (the Python runner) and the command. Beside lib/contract/index.ts, which it extends; its twin is
 * lambda/migrate/cdk_alembic/protocol/tenant_contract.py. The two are held together by test/contract/tenant-*.json.
 */
import {
  type Allowance,
  CONTRACT_VERSION,
  type DataLoss,
  type ErrorCode,
  type FailureDetail,
  isCount,
  isDataLoss,
  isFailureDetail,
  isListOf,
  isRecord,
  isStrings,
  isText,
  runProblems,
  unknownKeys,
} from '.';

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

/** Names of tenants and schemas: they get into SQL and into object keys. */
export const TENANT_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}$/;

/** What the function of a tenant migration can be asked for. `tenants` lists them, by the query of its settings. */
export const TENANT_COMMANDS = ['upgrade', 'plan', 'tenants'] as const;
export type TenantCommand = (typeof TENANT_COMMANDS)[number];

/** Tenants in one call of the function at most. */
export const MAX_BATCH_SIZE = 1000;

/** Tenants in one answer to `tenants` at most: they stay far below Lambda's 6 MB. */
export const TENANTS_PAGE = 10_000;

/** Connections that a worker has open at the same time: one that migrates and one that holds the mutex. */
export const CONNECTIONS_PER_WORKER = 2;

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

/**
 * Where a call left a tenant.
 *
 * - `complete`: at head
 * - `pending`: a plan found revisions that are not applied yet
 * - `partial`: the call's time was used up between two of its revisions; it is among `left`
 * - `ahead`: a plan found revisions that this code does not know
 * - `failed`: see `error`; what was applied before stays
 */
export const TENANT_STATUSES = ['complete', 'pending', 'partial', 'ahead', 'failed'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

export interface TenantOutcome {
  readonly tenant: string;
  readonly status: TenantStatus;
  /** Revisions in its version table before the call and after it; empty: base. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Ids of the revisions that the call committed. */
  readonly applied: readonly string[];
  /** How many are not applied yet. */
  readonly pending: number;
  readonly durationMs: number;
  /** With `failed`. */
  readonly error?: FailureDetail;
}

/** The worker's answer. A tenant that fails is in it; a call that can't begin (project, settings, no database) is a MigrateFailure. */
export interface TenantAnswer {
  readonly contract: number;
  readonly command: 'upgrade' | 'plan';
  readonly stage: string;
  /** `partial`: ask again for `left`. */
  readonly status: 'complete' | 'partial';
  readonly heads: readonly string[];
  readonly outcomes: readonly TenantOutcome[];
  /** Tenants that the call did not come to an end with, as they were given; not those after the tolerated failures. */
  readonly left: readonly Tenant[];
  /** Tenants that were not begun, because more than `toleratedFailures` had failed. */
  readonly notBegun: readonly string[];
  /** How many of `outcomes` are `failed`. */
  readonly failed: number;
  /** What the pending revisions destroy, each once. */
  readonly dataLoss: readonly DataLoss[];
  readonly warnings: readonly string[];
  readonly protected: boolean;
}

/** The answer to `tenants`. */
export interface TenantList {
  readonly contract: number;
  readonly command: 'tenants';
  readonly stage: string;
  /** Ordered by name, {@link TENANTS_PAGE} at most. */
  readonly tenants: readonly Tenant[];
  /** Whether there are more: ask with `after` set to the last name. */
  readonly more: boolean;
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

/** What stops a run over tenants. A code never changes its meaning. */
export const TENANT_CODES = [
  /** more tenants failed than are tolerated; the others are migrated, or were not begun */
  'tenants_failed',
  /** a tenant was named that the list does not have */
  'unknown_tenant',
  /** the tenants can't be listed, or the list holds one that can't be used */
  'tenants_unavailable',
  /** nobody approved the canaries in time, or somebody said no */
  'not_approved',
  /** the run was stopped from outside, ran out of time, or its state machine failed */
  'run_aborted',
] as const;
export type TenantCode = (typeof TENANT_CODES)[number];

/** Input of an execution of the state machine. `{}` upgrades all tenants. Unknown keys are refused. */
export interface TenantRunInput {
  /** @default 'upgrade' */
  readonly command?: 'upgrade' | 'plan';
  /** Names. @default - all */
  readonly tenants?: readonly string[];
  /** Those that failed in the last upgrade, and those that it did not begin. Not together with `tenants`. @default false */
  readonly retryFailed?: boolean;
  readonly allow?: readonly Allowance[];
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** The two waves of a run. A plan has one, `rest`. */
export const WAVES = ['canary', 'rest'] as const;
export type Wave = (typeof WAVES)[number];

/**
 * States of the state machine by which a watcher tells how far a run is; it may have others between them. The two maps have their
 * names as labels, too, so that each map run tells its wave.
 */
export const TENANT_STATES = {
  list: 'List',
  canary: 'Canary',
  judge: 'Judge',
  pause: 'Pause',
  approval: 'Approval',
  rest: 'Rest',
  summarize: 'Summarize',
} as const;

/** What the caller of a run may do on its state machine, its executions and their map runs; `ListStateMachines` is about all. */
export const RUN_ACTIONS = [
  'states:ListStateMachines',
  'states:StartExecution',
  'states:DescribeExecution',
  'states:GetExecutionHistory',
  'states:ListMapRuns',
  'states:DescribeMapRun',
  'states:StopExecution',
] as const;

/** Payload of an invoke of the function that answers a run which waits for the approval of its canaries. */
export interface TenantApproval {
  readonly runId: string;
  /** false: the rest is not begun, and the run fails with `not_approved`. */
  readonly approved: boolean;
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** Its answer. */
export interface TenantApprovalAnswer {
  readonly contract: number;
  readonly runId: string;
  /** `not_waiting`: the run is not there, not there yet, over it already, or somebody else was first. */
  readonly status: 'taken' | 'not_waiting';
}

/**
 * Why a tenant failed. Besides the runner's codes: `function_crashed` and its like when the worker ended without an answer,
 * `run_aborted` when the tenant's batch did not come to an end.
 */
export interface TenantError extends Omit<FailureDetail, 'code'> {
  readonly code: ErrorCode | TenantCode;
}

/** A tenant that failed, as the summary tells it. */
export interface TenantFailure {
  readonly tenant: string;
  readonly error: TenantError;
}

/** Failures that a summary holds at most: with Step Functions' limit of 32,768 characters for a cause in mind. All are in `detailsUri`. */
export const MAX_SUMMARY_FAILURES = 50;

/** Output of an execution that succeeded, and, as JSON, the cause of one that failed with a TenantCode. */
export interface TenantRunSummary {
  readonly contract: number;
  readonly command: 'upgrade' | 'plan';
  readonly stage: string;
  /** Name of the execution, a UUID. */
  readonly runId: string;
  /** `complete`: all at head, or the failures are tolerated; `pending`: a plan found something; `failed`: see `error`. */
  readonly status: 'complete' | 'pending' | 'failed';
  readonly total: number;
  /** Tenants at head that were there before, and those that the run brought there. */
  readonly unchanged: number;
  readonly migrated: number;
  readonly pending: number;
  readonly ahead: number;
  readonly failed: number;
  /** Not begun, because too many had failed or the canaries were not approved. */
  readonly notBegun: number;
  readonly heads: readonly string[];
  /** How many tenants are where after the run, most first; an empty list of revisions is base. */
  readonly places: readonly { readonly revisions: readonly string[]; readonly tenants: number }[];
  readonly failures: readonly TenantFailure[];
  readonly dataLoss: readonly DataLoss[];
  readonly warnings: readonly string[];
  readonly protected: boolean;
  /** `s3://<bucket>/runs/<runId>/`: each batch's answers, and all failures. */
  readonly detailsUri: string;
  /** With `failed`. `invalid_request`: the input of the execution can't be used. */
  readonly error?: { readonly code: TenantCode | 'invalid_request'; readonly message: string; readonly next: string };
}

/** Name of the function that migrates the tenants of a stage. */
export function tenantFunctionName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-lambda-${stage}`;
}

/** Name of the state machine that runs over the tenants of a stage. */
export function tenantStateMachineName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-${stage}`;
}

/** Name of the function that approves the canaries of a run, or refuses to. */
export function tenantApprovalName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-approve-${stage}`;
}

/** All that is wrong with a request to the function of a tenant migration; empty when it can be sent. */
export function tenantRequestProblems(request: unknown): string[] {
  if (!isRecord(request)) return ['the request must be a JSON object'];
  const keys = ['command', 'tenants', 'after', 'toleratedFailures', 'sliceSeconds', 'allow', 'requestedBy', 'runId'];
  const problems = unknownKeys(request, keys);
  const { command = 'upgrade', tenants, after, toleratedFailures } = request;
  if (!TENANT_COMMANDS.includes(command as TenantCommand)) {
    problems.push(`unknown command ${JSON.stringify(command)}: use ${TENANT_COMMANDS.join(', ')}`);
    return problems;
  }
  if (command === 'tenants') {
    if (tenants !== undefined) problems.push('"tenants" lists them and takes none');
  } else if (!Array.isArray(tenants) || tenants.length < 1 || tenants.length > MAX_BATCH_SIZE) {
    problems.push(`"${command}" needs tenants, a list of 1 to ${MAX_BATCH_SIZE}`);
  } else {
    problems.push(...tenants.flatMap(tenantProblems), ...namedTwice(tenants));
  }
  if (after !== undefined) {
    if (command !== 'tenants') problems.push(`"${command}" takes no after`);
    else if (!isName(after)) problems.push(`after: ${nameProblem(after)}`);
  }
  if (toleratedFailures !== undefined) {
    if (command !== 'upgrade') problems.push(`"${command}" takes no toleratedFailures`);
    else if (!isCount(toleratedFailures)) problems.push('toleratedFailures must be a number of tenants');
  }
  problems.push(...runProblems(request, command as string));
  return problems;
}

/** Whether a value is a tenant that can be migrated. */
export function isTenant(value: unknown): value is Tenant {
  return tenantProblems(value).length === 0;
}

/** Whether a value is the worker's answer to `upgrade` or `plan`. Keys it does not know are allowed: a newer worker may add some. */
export function isTenantAnswer(value: unknown): value is TenantAnswer {
  return (
    isRecord(value) &&
    value.contract === CONTRACT_VERSION &&
    (value.command === 'upgrade' || value.command === 'plan') &&
    typeof value.stage === 'string' &&
    (value.status === 'complete' || value.status === 'partial') &&
    [value.heads, value.notBegun, value.warnings].every(isStrings) &&
    isListOf(value.outcomes, isTenantOutcome) &&
    isListOf(value.left, isTenant) &&
    isCount(value.failed) &&
    isListOf(value.dataLoss, isDataLoss) &&
    typeof value.protected === 'boolean'
  );
}

/** Whether a value is the worker's answer to `tenants`. */
export function isTenantList(value: unknown): value is TenantList {
  return (
    isRecord(value) &&
    value.contract === CONTRACT_VERSION &&
    value.command === 'tenants' &&
    typeof value.stage === 'string' &&
    isListOf(value.tenants, isTenant) &&
    typeof value.more === 'boolean'
  );
}

function isTenantOutcome(value: unknown): value is TenantOutcome {
  return (
    isRecord(value) &&
    isText(value.tenant) &&
    TENANT_STATUSES.includes(value.status as TenantStatus) &&
    [value.from, value.to, value.applied].every(isStrings) &&
    isCount(value.pending) &&
    isCount(value.durationMs) &&
    (value.status === 'failed' ? isFailureDetail(value.error) : value.error === undefined)
  );
}

/** All that is wrong with a tenant; empty when it can be migrated. */
export function tenantProblems(value: unknown): string[] {
  if (!isRecord(value)) return [`${JSON.stringify(value)} is no tenant: use {"name": "..."}`];
  const problems = unknownKeys(value, ['name', 'schema', 'secretArn']);
  if (!isName(value.name)) problems.push(nameProblem(value.name));
  if (value.schema !== undefined && !isName(value.schema)) {
    problems.push(`the schema of tenant ${JSON.stringify(value.name)}: ${nameProblem(value.schema)}`);
  }
  if (value.secretArn !== undefined && !isText(value.secretArn)) {
    problems.push(`the secretArn of tenant ${JSON.stringify(value.name)} must be a text`);
  }
  return problems;
}

function namedTwice(tenants: readonly unknown[]): string[] {
  const names = tenants.filter(isRecord).map(({ name }) => name);
  const seen = new Set<unknown>();
  const twice = new Set(names.filter((name) => seen.size === seen.add(name).size));
  return [...twice].map((name) => `tenant ${JSON.stringify(name)} is named twice`);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && TENANT_PATTERN.test(value);
}

function nameProblem(value: unknown): string {
  return `${JSON.stringify(value)} is not a usable name: use at most 63 letters, digits, "_", "$", ".", "-", the first a letter, digit or "_"`;
}
