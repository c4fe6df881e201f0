/*
 * The contract between the TypeScript side and the Python runner: names, wire shapes and who may say what.
 * Its twin is lambda/migrate/cdk_alembic/protocol/contract.py. The two are held together by test/contract/*.json, which the tests of
 * both languages must accept or reject alike. This file imports nothing that runs, so that every room may import it.
 */
import type { TenantSettings } from './tenants';

/** Version of the wire shapes. It grows when an answer gains a meaning that an old reader would get wrong. */
export const CONTRACT_VERSION = 1;

/** Where Lambda finds the runner inside the package. */
export const HANDLER = 'cdk_alembic.handler.handler';

/** What packaging tells the runner about the package; relative to its root. */
export const MANIFEST_FILE = 'cdk_alembic/manifest.json';

/** Environment variable of the function that holds {@link RunnerSettings} as JSON. */
export const SETTINGS_VARIABLE = 'CDK_ALEMBIC_SETTINGS';

/** What the container runs, and the environment variable that holds its request as JSON. */
export const TASK_MODULE = 'cdk_alembic.task';
export const REQUEST_VARIABLE = 'CDK_ALEMBIC_REQUEST';

/** Folders of the package, next to the runner's own folder `cdk_alembic`. */
export const BACKEND_DIRECTORY = 'backend';
export const DEPENDENCIES_DIRECTORY = 'site-packages';

/** What a request can ask for. */
export const COMMANDS = ['upgrade', 'plan', 'current', 'history', 'downgrade', 'stamp'] as const;
export type Command = (typeof COMMANDS)[number];

/** Commands that run only where the construct's props allow them. */
export const RESTRICTED_COMMANDS = ['downgrade', 'stamp'] as const;
export type RestrictedCommand = (typeof RESTRICTED_COMMANDS)[number];

/**
 * What the database is, seen from the request.
 *
 * - `complete`: where the request wants it (for a command that only reads: at head)
 * - `partial`: an upgrade or downgrade stopped between two revisions; ask again with `revision` set to the answer's target
 * - `pending`: a command that only reads found revisions that are not applied yet
 * - `ahead`: a command that only reads found revisions in the database that this code does not know
 */
export const STATUSES = ['complete', 'partial', 'pending', 'ahead'] as const;
export type Status = (typeof STATUSES)[number];

/** Codes that the runner answers with. A code never changes its meaning. */
export const RUNNER_CODES = [
  /** the request has an unknown key or command, a wrong type or a malformed revision */
  'invalid_request',
  /** the command is not allowed for this stage by the construct's props */
  'not_allowed',
  /** the function's own settings can't be used: a defect of the deployment, not of the request */
  'invalid_settings',
  /** alembic.ini, env.py or a revision file can't be loaded */
  'invalid_project',
  /** the request names a revision that the scripts do not have */
  'unknown_revision',
  /** `head` was asked for and the scripts have several */
  'multiple_heads',
  /** the database has revisions that this code does not know */
  'database_ahead',
  /** nothing answers at the database's address */
  'database_unreachable',
  /** the database answers and refuses: password, role, database name, TLS */
  'database_refused',
  /** the secret with the database's password can't be read or has another shape */
  'secret_unavailable',
  /** another run holds the mutex */
  'locked',
  /** a pending revision destroys data and does not acknowledge it in its own file; nothing was applied */
  'blocked',
  /** an index that a failed CREATE INDEX CONCURRENTLY left behind is in the way of a pending revision; nothing was applied */
  'invalid_index',
  /** a pending revision runs in a container, and the stage has none; nothing was applied */
  'needs_container',
  /** a revision failed; it was rolled back, those before it stay */
  'migration_failed',
  /** a table stayed busy for all of the retries; the revision was rolled back, those before it stay */
  'lock_not_available',
  /** a statement ran until the function's deadline was near; its revision was rolled back, those before it stay */
  'deadline_reached',
  /** the run in the container was stopped from outside; its revision was rolled back, those before it stay */
  'cancelled',
  /** the run ended without an error and the version table is not where it should be */
  'version_not_moved',
  /** anything else: a defect of the runner */
  'internal_error',
] as const;
export type RunnerCode = (typeof RUNNER_CODES)[number];

/** Codes that arise before the runner is reached, or when its answer can't be read. */
export const CLIENT_CODES = [
  'invalid_usage',
  'no_credentials',
  'access_denied',
  'function_not_found',
  'function_not_ready',
  'throttled',
  'network',
  /** the function ended without an answer of the runner: out of memory, timeout, import error */
  'function_crashed',
  /** the container could not be started, or ended without a record of how */
  'container_failed',
  /** an answer that does not follow this contract */
  'unexpected_answer',
] as const;
export type ClientCode = (typeof CLIENT_CODES)[number];

export type ErrorCode = RunnerCode | ClientCode;

/**
 * Payload of an invoke. Every key is optional: `{}` and no payload at all upgrade to head.
 * Unknown keys are refused by name, so that an old function never ignores what a new caller means.
 */
export interface MigrateRequest {
  /** @default 'upgrade' */
  readonly command?: Command;
  /**
   * Target revision, in Alembic's notation (`head`, `heads`, `base`, an id, `+1`, `-1`, `label@head`).
   * `downgrade` and `stamp` need it; `upgrade` and `plan` go to `head` without it; `current` and `history` take none.
   */
  readonly revision?: string;
  /**
   * Seconds after which an `upgrade` or `downgrade` starts no further revision and answers `partial`. 0 applies one revision.
   * @default - until the function's deadline is near
   */
  readonly sliceSeconds?: number;
  /**
   * What an `upgrade` may do besides. `drop_invalid_indexes` drops the invalid indexes that are in the way of a pending revision.
   * @default - nothing
   */
  readonly allow?: readonly Allowance[];
  /**
   * Who asks, for the run history: `deploy <stack>`, `ci <run>`, `person <name>`. At most 200 printable characters.
   * @default 'invoke'
   */
  readonly requestedBy?: string;
  /**
   * The run that this slice belongs to, a UUID: the answer of its first slice names it.
   * @default - a run of its own
   */
  readonly runId?: string;
  /**
   * Whether a `plan` shows the SQL of the pending revisions.
   * @default false
   */
  readonly sql?: boolean;
  /**
   * With `upgrade` and `plan`: where all pending revisions run.
   *
   * @default - in the function, but for those that say in a comment `# cdk-alembic: run in container`
   */
  readonly in?: Place;
}

/** Where a request can want its revisions to run. */
export const PLACES = ['container'] as const;
export type Place = (typeof PLACES)[number];

/** What a request can allow. */
export const ALLOWANCES = ['drop_invalid_indexes'] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/** Ways to lose data that a revision has to acknowledge, in a comment: `# cdk-alembic: allow <rule>: <reason>`. */
export const DATA_LOSS_RULES = [
  'drop-table',
  'drop-column',
  'drop-schema',
  'drop-type',
  'drop-materialized-view',
  'drop-cascade',
  'drop-owned',
  'detach-partition',
  'truncate',
  'delete-all',
  'clear-column',
  'convert-column',
  /** What can't be read: nobody can tell whether it destroys data. */
  'unread-sql',
] as const;
export type DataLossRule = (typeof DATA_LOSS_RULES)[number];

/** A place in a revision's upgrade that destroys data. */
export interface DataLoss {
  readonly revision: string;
  readonly rule: DataLossRule;
  /** What is lost, such as `DROP TABLE users`. */
  readonly what: string;
  /** File name within the versions folder. */
  readonly file: string;
  readonly line: number;
  /** The reason that the revision gives; absent: not acknowledged. */
  readonly acknowledgement?: string;
}

export interface RevisionInfo {
  readonly revision: string;
  /** First line of the revision's docstring: Alembic's `-m`. */
  readonly message: string;
}

export interface AppliedRevision extends RevisionInfo {
  /** Milliseconds from the start of the revision to its commit. */
  readonly durationMs: number;
  /** Statements that the revision sent, without Alembic's own update of the version table. */
  readonly statements: number;
}

export interface HistoryEntry extends RevisionInfo {
  readonly downRevisions: readonly string[];
  readonly applied: boolean;
}

/** What of the pending revisions runs in a container. */
export interface ContainerWork {
  /** In order. When the first of them is the first of all pending ones, a function goes no further. */
  readonly revisions: readonly string[];
  /** The state machine that runs them; absent: the stage has none, and an upgrade is refused with `needs_container`. */
  readonly stateMachineArn?: string;
}

/** A run of the past, from the history that the runner keeps in the database. */
export interface RunRecord {
  readonly runId: string;
  readonly command: string;
  readonly stage: string;
  readonly requestedBy: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC; null: it was ended from outside, or goes on. */
  readonly endedAt: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `running`, a status, or the code of the error. */
  readonly outcome: string;
  /** What went wrong, with what; null: nothing. Absent from a function that was deployed by an older version. */
  readonly error?: string | null;
  readonly applied: readonly AppliedRevision[];
}

/** A revision as SQL, rendered without a database. */
export interface RenderedRevision {
  readonly revision: string;
  /** null: it can't be rendered, because it reads the database for example. */
  readonly sql: string | null;
  /** Why there is no SQL. */
  readonly reason?: string;
}

/** The runner's answer when it did what was asked. */
export interface MigrateAnswer {
  readonly contract: number;
  readonly command: Command;
  readonly stage: string;
  readonly status: Status;
  /** Revisions in the version table before the call; empty: none yet. Several: branches. */
  readonly from: readonly string[];
  /** Revisions in the version table after the call. */
  readonly to: readonly string[];
  /** Heads of the packaged scripts. */
  readonly heads: readonly string[];
  /** The request's revision resolved to ids; empty is base. */
  readonly target: readonly string[];
  readonly applied: readonly AppliedRevision[];
  /** Revisions that an upgrade to `target` still has to apply, in order. */
  readonly pending: readonly RevisionInfo[];
  /** Which of the pending ones run in a container; absent: none. */
  readonly container?: ContainerWork;
  /** Revisions in the version table that the packaged scripts do not have. */
  readonly unknown: readonly string[];
  /** What the pending revisions destroy, acknowledged or not. */
  readonly dataLoss: readonly DataLoss[];
  /** Applied revisions whose file is not what it was when it was applied. */
  readonly edited: readonly string[];
  /** What did not stop the run and should be known. */
  readonly warnings: readonly string[];
  /** The run that the call belongs to; absent when it neither migrated nor had to. */
  readonly runId?: string;
  /** Whether a person is asked before this stage is changed. */
  readonly protected: boolean;
  /** The pending revisions as SQL, in order; with a `plan` that asks for it only. */
  readonly sql?: readonly RenderedRevision[];
  /** The latest runs, newest first, 20 at most; with the command `history` only. */
  readonly runs?: readonly RunRecord[];
  /** Newest first; with the command `history` only. */
  readonly history?: readonly HistoryEntry[];
}

export interface FailureDetail {
  readonly code: RunnerCode;
  /** What went wrong, with what. */
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
  /** The revision that failed. */
  readonly revision?: string;
  /** PostgreSQL's five-character code. */
  readonly sqlState?: string;
  /** The statement that failed, shortened. */
  readonly statement?: string;
  /** With `blocked`: what is not acknowledged. */
  readonly dataLoss?: readonly DataLoss[];
}

/** The runner's answer when it could not: Lambda delivers it as the `errorMessage` of a function error. */
export interface MigrateFailure {
  readonly contract: number;
  readonly status: 'failed';
  readonly error: FailureDetail;
  /** Revisions that this call applied and committed before it failed. */
  readonly applied: readonly AppliedRevision[];
}

/** Environment names that the backend reads. Only what is named is filled. */
export interface DatabaseVariables {
  /** Gets the whole address, `<scheme>://user:password@host:port/database`, each part percent-encoded. */
  readonly url?: string;
  /** @default 'postgresql' */
  readonly urlScheme?: string;
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

/** Where the runner gets the database's address from, at run time. No kind holds a password. */
export type DatabaseSettings =
  /** the function's environment is complete as it is */
  | { readonly source: 'environment' }
  /** a secret of Secrets Manager, of the shape RDS gives it or a URL; what is given here goes before it */
  | {
      readonly source: 'secret';
      readonly secretArn: string;
      readonly variables: DatabaseVariables;
      readonly host?: string;
      readonly port?: number;
      readonly database?: string;
    }
  /** a token of IAM database authentication in place of the password */
  | {
      readonly source: 'iam';
      readonly variables: DatabaseVariables;
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
    };

/** What the construct tells the runner, in {@link SETTINGS_VARIABLE}. */
export interface RunnerSettings {
  readonly stage: string;
  readonly allow: readonly RestrictedCommand[];
  readonly database: DatabaseSettings;
  /** Whether a revision that destroys data has to acknowledge it. @default true */
  readonly guard?: boolean;
  /** Whether a revision has to acknowledge SQL that can't be read, too. @default false */
  readonly guardUnread?: boolean;
  /** Whether a person is asked before the stage is changed. @default false */
  readonly protected?: boolean;
  readonly limits?: RunnerLimits;
  /** Name or ARN of the event bus that is told when a run has ended. @default - nobody is told */
  readonly eventBus?: string;
  /** ARN of the state machine that runs a container. @default - there is none */
  readonly container?: string;
  /** The function migrates tenants: it takes a TenantRequest, and nothing without one. @default - it migrates its database */
  readonly tenants?: TenantSettings;
}

/** How long the runner waits for what. All in seconds. */
export interface RunnerLimits {
  /** How long a run waits for another one to end before it answers `locked`. @default 60 */
  readonly mutexWaitSeconds?: number;
  /** How long a statement of a migration may queue for a lock; so long may the application's queries queue behind it. @default 5 */
  readonly lockTimeoutSeconds?: number;
  /** How long a revision is tried again after a lock was not available or a deadlock was found. @default 120 */
  readonly lockRetrySeconds?: number;
  /** How long a database that can't be reached is tried again: a paused Aurora, a failover. Never after the first revision. @default 30 */
  readonly connectRetrySeconds?: number;
}

/**
 * CloudFormation turns every property of a custom resource into a string: these are the strings that arrive at the handler.
 */
export interface OnDeployProperties {
  readonly ServiceToken: string;
  readonly FunctionName: string;
  readonly Stage: string;
  /** Changes with the package, the function's configuration and the database settings: CloudFormation then sends an Update. */
  readonly Fingerprint: string;
  /** What the deploy does about revisions that run in a container; absent: the stage has none. */
  readonly Container?: ContainerOnDeploy;
}

/** The deploy waits for the container, or starts it and goes on. */
export type ContainerOnDeploy = 'wait' | 'handOver';

/** Attributes of the custom resource (`Fn::GetAtt`). Several heads are joined with `,`; base is the empty string. */
export interface OnDeployData {
  readonly fromRevision: string;
  readonly toRevision: string;
  /** A number as a string, as CloudFormation hands attributes on. */
  readonly appliedCount: string;
  /** ARN of the execution that was handed over to; empty: none. With a container only. */
  readonly containerExecution?: string;
}

export const DEFAULT_APP_NAME = 'template-saas';

/** Lambda's limit for a function name, https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
export const MAX_FUNCTION_NAME_LENGTH = 64;

/** Name of the function of a stage. */
export function functionName(appName: string, stage: string): string {
  return `${appName}-api-migrate-lambda-${stage}`;
}

/** Name of the state machine that runs a function's revisions in a container. Step Functions takes 80 characters. */
export function containerStateMachineName(ofFunction: string): string {
  return `${ofFunction}-container`;
}

/** All that is wrong with a stage and an app name; empty when they can be used. @param name the longest name that they make */
export function nameProblems(appName: string, stage: string, name = functionName(appName, stage)): string[] {
  const problems: string[] = [];
  const allowed = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
  const rule = 'letters, digits, "-" and "_", starting with a letter or digit';
  if (!allowed.test(stage)) problems.push(`the stage "${stage}" is not a usable name: use ${rule}`);
  if (!allowed.test(appName)) problems.push(`the app name "${appName}" is not a usable name: use ${rule}`);
  if (name.length > MAX_FUNCTION_NAME_LENGTH) {
    problems.push(
      `the function name "${name}" has ${name.length} characters and Lambda allows ${MAX_FUNCTION_NAME_LENGTH}: ` +
        `shorten the stage or the app name by ${name.length - MAX_FUNCTION_NAME_LENGTH}`,
    );
  }
  return problems;
}

/** What Alembic takes as a revision: an id or the start of one, a symbol, a label, a relative step. */
export const REVISION_PATTERN =
  /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*(?:@(?:heads?|base|[A-Za-z0-9_]+))?(?:[+-][0-9]{1,4})?|[+-][0-9]{1,4})$/;
export const MAX_REVISION_LENGTH = 128;

/** Lambda runs a call for 900 s at most. */
export const MAX_SLICE_SECONDS = 900;

export const REQUESTED_BY_PATTERN = /^[\x20-\x7e]{1,200}$/;
export const RUN_ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** All that is wrong with a request; empty when it can be sent. */
export function requestProblems(request: unknown): string[] {
  if (!isRecord(request)) return ['the request must be a JSON object'];
  const problems = unknownKeys(request, ['command', 'revision', 'sliceSeconds', 'allow', 'requestedBy', 'runId', 'sql', 'in']);
  const { command = 'upgrade', revision, sql, in: place } = request;
  if (!COMMANDS.includes(command as Command)) {
    problems.push(`unknown command ${JSON.stringify(command)}: use ${COMMANDS.join(', ')}`);
    return problems;
  }
  if (revision !== undefined) {
    if (command === 'current' || command === 'history') problems.push(`"${command}" takes no revision`);
    else if (typeof revision !== 'string' || revision.length > MAX_REVISION_LENGTH || !REVISION_PATTERN.test(revision)) {
      problems.push(`${JSON.stringify(revision)} is not a revision: use an id, head, base or a step such as +1 or -1`);
    }
  } else if (command === 'downgrade' || command === 'stamp') {
    problems.push(`"${command}" needs a revision`);
  }
  problems.push(...runProblems(request, command as string));
  if (sql !== undefined) {
    if (command !== 'plan') problems.push(`"${command}" takes no sql`);
    else if (typeof sql !== 'boolean') problems.push('sql must be true or false');
  }
  if (place !== undefined) {
    if (command !== 'upgrade' && command !== 'plan') problems.push(`"${command}" takes no in`);
    else if (!PLACES.includes(place as Place)) problems.push(`in must be ${PLACES.join(', ')}`);
  }
  return problems;
}

/** What is wrong with how a run is bounded, allowed and recorded. */
export function runProblems({ sliceSeconds, allow, requestedBy, runId }: Record<string, unknown>, command: string): string[] {
  const problems: string[] = [];
  if (sliceSeconds !== undefined) {
    if (command !== 'upgrade' && command !== 'downgrade') problems.push(`"${command}" takes no sliceSeconds`);
    else if (typeof sliceSeconds !== 'number' || !(sliceSeconds >= 0 && sliceSeconds <= MAX_SLICE_SECONDS)) {
      problems.push(`sliceSeconds must be a number from 0 to ${MAX_SLICE_SECONDS}`);
    }
  }
  if (allow !== undefined) {
    if (command !== 'upgrade') problems.push(`"${command}" takes no allow`);
    else if (!isListOf(allow, (item) => ALLOWANCES.includes(item as Allowance))) {
      problems.push(`allow must be a list of ${ALLOWANCES.join(', ')}`);
    }
  }
  if (requestedBy !== undefined && !(typeof requestedBy === 'string' && REQUESTED_BY_PATTERN.test(requestedBy))) {
    problems.push('requestedBy must be a text of at most 200 printable ASCII characters');
  }
  if (runId !== undefined && !(typeof runId === 'string' && RUN_ID_PATTERN.test(runId))) {
    problems.push('runId must be a UUID in lower case');
  }
  return problems;
}

/** Whether a value is an answer that this contract describes. Keys it does not know are allowed: a newer runner may add some. */
export function isAnswer(value: unknown): value is MigrateAnswer {
  return (
    isRecord(value) &&
    value.contract === CONTRACT_VERSION &&
    COMMANDS.includes(value.command as Command) &&
    STATUSES.includes(value.status as Status) &&
    typeof value.stage === 'string' &&
    [value.from, value.to, value.heads, value.target, value.unknown, value.edited, value.warnings].every(isStrings) &&
    isListOf(value.applied, isAppliedRevision) &&
    isListOf(value.pending, isRevisionInfo) &&
    (value.container === undefined || isContainerWork(value.container)) &&
    isListOf(value.dataLoss, isDataLoss) &&
    isOptionalText(value.runId) &&
    typeof value.protected === 'boolean' &&
    (value.sql === undefined || isListOf(value.sql, isRendered)) &&
    (value.command === 'history') === isListOf(value.history, isHistoryEntry) &&
    (value.command === 'history') === isListOf(value.runs, isRunRecord)
  );
}

/** Whether a value is a failure that this contract describes. */
export function isFailure(value: unknown): value is MigrateFailure {
  return (
    isRecord(value) &&
    value.contract === CONTRACT_VERSION &&
    value.status === 'failed' &&
    isListOf(value.applied, isAppliedRevision) &&
    isFailureDetail(value.error)
  );
}

/** Whether a value tells what went wrong in the way that this contract describes. */
export function isFailureDetail(value: unknown): value is FailureDetail {
  return (
    isRecord(value) &&
    RUNNER_CODES.includes(value.code as RunnerCode) &&
    isText(value.message) &&
    isText(value.next) &&
    [value.revision, value.sqlState, value.statement].every(isOptionalText) &&
    (value.dataLoss === undefined || isListOf(value.dataLoss, isDataLoss))
  );
}

function isRevisionInfo(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && isText(value.revision) && typeof value.message === 'string';
}

function isAppliedRevision(value: unknown): boolean {
  return isRevisionInfo(value) && isCount(value.durationMs) && isCount(value.statements);
}

function isHistoryEntry(value: unknown): boolean {
  return isRevisionInfo(value) && isStrings(value.downRevisions) && typeof value.applied === 'boolean';
}

export function isDataLoss(value: unknown): boolean {
  return (
    isRecord(value) &&
    [value.revision, value.what, value.file].every(isText) &&
    DATA_LOSS_RULES.includes(value.rule as DataLossRule) &&
    isCount(value.line) &&
    isOptionalText(value.acknowledgement)
  );
}

function isRendered(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value.revision) &&
    (value.sql === null ? isText(value.reason) : typeof value.sql === 'string' && value.reason === undefined)
  );
}

function isContainerWork(value: unknown): boolean {
  return (
    isRecord(value) &&
    isStrings(value.revisions) &&
    (value.revisions as unknown[]).length > 0 &&
    isOptionalText(value.stateMachineArn)
  );
}

function isRunRecord(value: unknown): boolean {
  return (
    isRecord(value) &&
    [value.runId, value.command, value.stage, value.requestedBy, value.startedAt, value.outcome].every(isText) &&
    (value.endedAt === null || isText(value.endedAt)) &&
    (value.error === null || isOptionalText(value.error)) &&
    [value.from, value.to].every(isStrings) &&
    isListOf(value.applied, isAppliedRevision)
  );
}

export function isOptionalText(value: unknown): boolean {
  return value === undefined || isText(value);
}

export function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

export function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

export function isStrings(value: unknown): boolean {
  return isListOf(value, (item) => typeof item === 'string');
}

export function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function unknownKeys(value: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown key ${JSON.stringify(key)}: use ${known.join(', ')}`);
}
