import { ANSWER_SCHEMAS } from './checks/answer-schemas';
import { fits } from './checks/json-schema';
import type { CONTRACT_VERSION } from './names';
import type { Command } from './request';

/*
 * The types are the truth: `npm run generate` makes the schemas from them by which `isAnswer` and its like check what comes in, and
 * those that `--json` follows. A tag such as `@minLength` is a part of a type.
 */

/**
 * A text that says something.
 *
 * @minLength 1
 */
export type Text = string;

/**
 * A whole number.
 *
 * @asType integer
 * @minimum 0
 */
export type Count = number;

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
  readonly revision: Text;
  readonly rule: DataLossRule;
  /** What is lost, such as `drop_table users`. */
  readonly what: Text;
  /** File name within the versions folder. */
  readonly file: Text;
  readonly line: Count;
  /** The reason that the revision gives; absent: not acknowledged. */
  readonly acknowledgement?: Text;
}

export interface RevisionInfo {
  readonly revision: Text;
  /** First line of the revision's docstring: Alembic's `-m`. */
  readonly message: string;
}

export interface AppliedRevision extends RevisionInfo {
  /** Milliseconds from the start of the revision to its commit. */
  readonly durationMs: Count;
  /** Statements that the revision sent, without Alembic's own update of the version table. */
  readonly statements: Count;
}

export interface HistoryEntry extends RevisionInfo {
  readonly downRevisions: readonly string[];
  readonly applied: boolean;
}

/** What of the pending revisions runs in a container. */
export interface ContainerWork {
  /**
   * In order. When the first of them is the first of all pending ones, a function goes no further.
   *
   * @minItems 1
   */
  readonly revisions: readonly string[];
  /** The state machine that runs them; absent: the stage has none, and an upgrade is refused with `needs_container`. */
  readonly stateMachineArn?: Text;
}

/** A run of the past, from the history that the runner keeps in the database. */
export interface RunRecord {
  readonly runId: Text;
  readonly command: Text;
  readonly stage: Text;
  readonly requestedBy: Text;
  /** ISO 8601, UTC. */
  readonly startedAt: Text;
  /** ISO 8601, UTC; null: it was ended from outside, or goes on. */
  readonly endedAt: Text | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `running`, a status, or the code of the error. */
  readonly outcome: Text;
  /** What went wrong, with what; null: nothing. Absent from a function that was deployed by an older version. */
  readonly error?: Text | null;
  readonly applied: readonly AppliedRevision[];
}

/** A revision as SQL, rendered without a database. */
export type RenderedRevision =
  | { readonly revision: Text; readonly sql: string; readonly reason?: undefined }
  /** It can't be rendered, because it reads the database for example. */
  | { readonly revision: Text; readonly sql: null; readonly reason: Text };

/** The runner's answer when it did what was asked. */
export interface MigrateAnswer {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: Command;
  readonly stage: Text;
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
  readonly runId?: Text;
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
  readonly message: Text;
  /** What to do about it. */
  readonly next: Text;
  /** The revision that failed. */
  readonly revision?: Text;
  /** PostgreSQL's five-character code. */
  readonly sqlState?: Text;
  /** The statement that failed, shortened. */
  readonly statement?: Text;
  /** With `blocked`: what is not acknowledged. */
  readonly dataLoss?: readonly DataLoss[];
}

/** The runner's answer when it could not: Lambda delivers it as the `errorMessage` of a function error. */
export interface MigrateFailure {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: FailureDetail;
  /** Revisions that this call applied and committed before it failed. */
  readonly applied: readonly AppliedRevision[];
}

/** Whether a value is an answer that this contract describes. Keys it does not know are allowed: a newer runner may add some. */
export function isAnswer(value: unknown): value is MigrateAnswer {
  if (!fits<MigrateAnswer>(ANSWER_SCHEMAS, 'MigrateAnswer', value)) return false;
  return [value.history, value.runs].every((list) => (list !== undefined) === (value.command === 'history'));
}

/** Whether a value is a failure that this contract describes. */
export function isFailure(value: unknown): value is MigrateFailure {
  return fits(ANSWER_SCHEMAS, 'MigrateFailure', value);
}
