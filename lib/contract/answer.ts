import type { Count, Text } from './basic';
import { ANSWER_SCHEMAS } from './checks/answer-schemas';
import { matches } from './checks/json-schema';
import type { CONTRACT_VERSION } from './names';
import type { DriftReport } from './production/drift';
import type { Snapshot } from './production/snapshot';
import type { DatabaseStatistics } from './production/statistics';
import type { Command } from './request';

/*
 * The types are the source: `npm run generate` makes the schemas from them, for `isAnswer` and similar checks and for `--json`. A tag
 * such as `@minLength` is part of a type.
 */

/**
 * The state of the database, relative to the request.
 *
 * - `complete`: at the requested revision (for a command that only reads: at head)
 * - `partial`: an upgrade or downgrade stopped between two revisions; ask again with `revision` set to `continueWith`
 * - `pending`: a command that only reads found revisions that are not applied yet
 * - `ahead`: a command that only reads found revisions in the database that this code does not have
 */
export const STATUSES = ['complete', 'partial', 'pending', 'ahead'] as const;
export type Status = (typeof STATUSES)[number];

/** Codes of the runner. A code never changes its meaning. */
export const RUNNER_CODES = [
  /** the request has an unknown key or command, a wrong type or a malformed revision */
  'invalid_request',
  /** the command is not allowed for this stage by the construct's props */
  'not_allowed',
  /** the function's settings are invalid: a problem of the deployment, not of the request */
  'invalid_settings',
  /** alembic.ini, env.py or a revision file could not be loaded */
  'invalid_project',
  /** the request names a revision that the scripts do not have */
  'unknown_revision',
  /** the request targets `head`, but the scripts have several */
  'multiple_heads',
  /** the database has revisions that this code does not have */
  'database_ahead',
  /** the database does not answer */
  'database_unreachable',
  /** the database refused the connection: password, role, database name, TLS */
  'database_refused',
  /** the role lacks a permission on the version table, or on the schema in which it is created */
  'permission_denied',
  /** the database accepts no writes: a standby, a reader endpoint, a read-only role or database */
  'read_only',
  /** a pooler such as PgBouncer gives each transaction another session: no lock would hold; nothing was applied */
  'pooled_connection',
  /** the version table has something that Alembic never writes: a duplicate row, NULL, another column or type */
  'invalid_version_table',
  /** a timeout of the database or of the role ended a statement of the runner, not of a revision */
  'timed_out',
  /** the secret with the database's address could not be read, or lacks a part of it */
  'secret_unavailable',
  /** another run holds the mutex */
  'locked',
  /** a pending revision destroys data, and its file does not acknowledge it; nothing was applied */
  'blocked',
  /** an invalid index, left behind by a failed CREATE INDEX CONCURRENTLY, blocks a pending revision; nothing was applied */
  'invalid_index',
  /** the schema was changed by hand since the last run, and the stage refuses that; nothing was applied */
  'drifted',
  /** a pending revision changes a logically replicated table, or could not be read; nothing was applied */
  'breaks_replication',
  /** the RDS snapshot that must exist first could not be made; nothing was applied */
  'snapshot_failed',
  /** a pending revision runs in a container, and the stage has none; nothing was applied */
  'needs_container',
  /** a revision failed; it was rolled back, earlier ones stay */
  'migration_failed',
  /** a table stayed locked during all retries; the revision was rolled back, earlier ones stay */
  'lock_not_available',
  /** a statement ran until just before the function's deadline; its revision was rolled back, earlier ones stay */
  'deadline_reached',
  /** someone stopped the run in the container; its revision was rolled back, earlier ones stay */
  'cancelled',
  /** the run ended without an error, but the version table did not move */
  'version_not_moved',
  /** anything else: a bug of the runner */
  'internal_error',
] as const;
export type RunnerCode = (typeof RUNNER_CODES)[number];

/** Codes of failures before the runner is reached, or with an invalid answer. */
export const CLIENT_CODES = [
  'invalid_usage',
  'no_credentials',
  'access_denied',
  'function_not_found',
  'function_not_ready',
  'throttled',
  'network',
  /** the function ended without an answer: out of memory, timeout, import error */
  'function_crashed',
  /** the container could not start, or ended without recording a result */
  'container_failed',
  /** RDS could not begin the snapshot for a long time, or a deploy could not wait until it was available; nothing was applied */
  'snapshot_not_ready',
  /** an answer that does not follow this contract */
  'unexpected_answer',
] as const;
export type ClientCode = (typeof CLIENT_CODES)[number];

export type ErrorCode = RunnerCode | ClientCode;

/** Ways to lose data that a revision must acknowledge in a comment: `# cdk-alembic: allow <rule>: <reason>`. */
export const DATA_LOSS_RULES = [
  'drop-table',
  'drop-column',
  'drop-schema',
  'drop-type',
  'drop-sequence',
  'drop-materialized-view',
  'drop-cascade',
  'drop-owned',
  'detach-partition',
  'truncate',
  'delete-all',
  'clear-column',
  'convert-column',
  /** A DELETE whose rows a query or their age selects: only the run knows how many. `plan` warns, and no run stops. */
  'delete-by-query',
  /** SQL that can't be read: whether it destroys data could not be determined. */
  'unread-sql',
] as const;
export type DataLossRule = (typeof DATA_LOSS_RULES)[number];

/** A statement in a revision's upgrade that destroys data. */
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
  /** Number of statements of the revision, without Alembic's update of the version table. */
  readonly statements: Count;
}

export interface HistoryEntry extends RevisionInfo {
  readonly downRevisions: readonly string[];
  readonly applied: boolean;
}

/** The pending revisions that run in a container. */
export interface ContainerWork {
  /**
   * In order. If the first of them is the next pending revision, the function stops before it.
   *
   * @minItems 1
   */
  readonly revisions: readonly string[];
  /** The state machine that runs them; absent: the stage has none, and an upgrade fails with `needs_container`. */
  readonly stateMachineArn?: Text;
}

/** The last moment before a run changed anything. */
export interface RestorePoint {
  /** ISO 8601 with milliseconds, UTC. */
  readonly at: Text;
  /** PostgreSQL's position in the write-ahead log; absent on RDS, which restores to a time. */
  readonly walPosition?: Text;
  /** The Aurora cluster, from the address that the runner connects to. */
  readonly cluster?: Text;
  /** The RDS instance. */
  readonly instance?: Text;
  /** Identifier of the RDS snapshot that was made before the run. */
  readonly snapshot?: Text;
}

/** A past run, from the run history in the database. */
export interface RunRecord {
  readonly runId: Text;
  readonly command: Text;
  readonly stage: Text;
  readonly requestedBy: Text;
  /** ISO 8601, UTC. */
  readonly startedAt: Text;
  /** ISO 8601, UTC; null: it was killed or still runs. */
  readonly endedAt: Text | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `running`, `killed` when the process ended without an answer, a status, or the code of the error. */
  readonly outcome: Text;
  /** What happened, with what; null: no error. Absent from a function that was deployed by an older version. */
  readonly error?: Text | null;
  /** Sessions that it ended, because `limits.endBlockers` allows it; absent: none. */
  readonly endedBlockers?: readonly Blocker[];
  /** Absent from a function that was deployed by an older version. */
  readonly restorePoint?: RestorePoint;
  readonly applied: readonly AppliedRevision[];
}

/** Logical replication out of the database. */
export interface Replication {
  readonly slots: readonly { readonly name: Text; readonly plugin: Text; readonly active: boolean }[];
  /** @param tables number of its tables */
  readonly publications: readonly { readonly name: Text; readonly allTables: boolean; readonly tables: Count }[];
  /** Replicated tables that pending revisions change. */
  readonly breaks: readonly {
    readonly revision: Text;
    readonly what: 'creates' | 'alters' | 'drops';
    readonly table: Text;
  }[];
  /** Pending revisions that could not be read. */
  readonly unread: readonly Text[];
}

/** What a run is doing, as another call sees it. Unknown facts are absent. */
export interface Running {
  readonly runId: Text;
  readonly command: Text;
  readonly requestedBy: Text;
  /** ISO 8601, UTC. */
  readonly startedAt: Text;
  readonly revision?: Text;
  readonly message?: string;
  /** Its current statement, without values, shortened. Absent between two statements. */
  readonly statement?: Text;
  /** When the statement began. ISO 8601, UTC. */
  readonly since?: Text;
  /** Milliseconds since then, on the server's clock. */
  readonly elapsedMs?: Count;
  /** PostgreSQL's command and phase, such as `CREATE INDEX: building index: scanning table`. */
  readonly phase?: Text;
  /** Percent of the phase that is done. */
  readonly percent?: Count;
  /** Estimated seconds until the statement ends. */
  readonly secondsLeft?: Count;
  /** Who holds the lock that it waits for. */
  readonly blockers?: readonly Blocker[];
}

/** A revision as SQL, rendered without a database. */
export type RenderedRevision =
  | { readonly revision: Text; readonly sql: string; readonly reason?: undefined }
  /** Why it can't be rendered, for example because it reads the database. */
  | { readonly revision: Text; readonly sql: null; readonly reason: Text };

/** The runner's answer to a request that it carried out. */
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
  /**
   * The `revision` of the next request; only for `partial`. The request's own could mean something else by now: `-2` would go two
   * steps further.
   */
  readonly continueWith?: Text;
  readonly applied: readonly AppliedRevision[];
  /** Revisions that an upgrade to `target` still has to apply, in order. */
  readonly pending: readonly RevisionInfo[];
  /** Pending revisions that run in a container; absent: none. */
  readonly container?: ContainerWork;
  /** Revisions in the version table that the packaged scripts do not have. */
  readonly unknown: readonly string[];
  /** What the pending revisions destroy, acknowledged or not. */
  readonly dataLoss: readonly DataLoss[];
  /** Applied revisions whose file has changed since they were applied. */
  readonly edited: readonly string[];
  /** Warnings that did not stop the run. */
  readonly warnings: readonly string[];
  /** The run that the call belongs to; absent if it had nothing to migrate. */
  readonly runId?: Text;
  /** Whether a person is asked before this stage is changed. */
  readonly protected: boolean;
  /** Sessions that the call ended, because `limits.endBlockers` allows it; absent: none. */
  readonly endedBlockers?: readonly Blocker[];
  /** The RDS snapshot that comes before the pending revisions; absent: none. */
  readonly snapshot?: Snapshot;
  /** The pending revisions as SQL, in order; only for a `plan` with `sql`. */
  readonly sql?: readonly RenderedRevision[];
  /** The latest runs, newest first, at most 20; only for `history`. */
  readonly runs?: readonly RunRecord[];
  /** Only for a `plan` with pending revisions, if the database has a logical replication slot. */
  readonly replication?: Replication;
  /** The run in progress; only for `current`. Absent: none, or without a record in the database. */
  readonly running?: Running;
  /** Newest first; only for `history`. */
  readonly history?: readonly HistoryEntry[];
  /** Only for `drift`. */
  readonly drift?: DriftReport;
  /** Only for `statistics`. */
  readonly statistics?: DatabaseStatistics;
}

/** A session, or a prepared transaction, that holds a lock that a run waits for. Unknown facts are absent. */
export interface Blocker {
  /** Process id of its backend; a prepared transaction has none. */
  readonly pid?: Count;
  /** PostgreSQL's `backend_type`, such as `client backend` and `autovacuum worker`, or `prepared transaction`. */
  readonly kind?: Text;
  readonly role?: Text;
  /** Its `application_name`. */
  readonly application?: Text;
  /** The client's address; `local`: a socket on the server. */
  readonly client?: Text;
  /** PostgreSQL's `state`, such as `active` and `idle in transaction`. */
  readonly state?: Text;
  /** When its transaction began. ISO 8601, UTC. */
  readonly since?: Text;
  /** Its current or last statement, without values, shortened. */
  readonly statement?: Text;
  /** The name of a prepared transaction, for `ROLLBACK PREPARED`. */
  readonly transaction?: Text;
  /** The table that the run waits for. */
  readonly table?: Text;
  /** The lock modes that it has there. */
  readonly lock?: Text;
  /** It also waits for the table, ahead of the run. */
  readonly queued?: boolean;
  /** The runner's role may not see its state and its statement. */
  readonly hidden?: boolean;
}

/** Facts about a failure besides its code, message and next step. */
export interface FailureFacts {
  /** The revision that failed. */
  readonly revision?: Text;
  /** PostgreSQL's five-character SQLSTATE. */
  readonly sqlState?: Text;
  /** The statement that failed, shortened. */
  readonly statement?: Text;
  /** With `blocked`: what pending revisions destroy without an acknowledgement. */
  readonly dataLoss?: readonly DataLoss[];
  /** Who held the lock that the run waited for, if known. */
  readonly blockers?: readonly Blocker[];
  /** Sessions that the run ended, because `limits.endBlockers` allows it; absent: none. */
  readonly endedBlockers?: readonly Blocker[];
  /** The point to restore to in order to undo the run; absent: it has changed nothing. */
  readonly restorePoint?: RestorePoint;
}

export interface FailureDetail extends FailureFacts {
  readonly code: RunnerCode;
  /** What happened, with what. */
  readonly message: Text;
  /** The next step. */
  readonly next: Text;
}

/** The runner's answer to a request that failed. Lambda delivers it as the `errorMessage` of a function error. */
export interface MigrateFailure {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: FailureDetail;
  /** Revisions that this call applied and committed before it failed. */
  readonly applied: readonly AppliedRevision[];
}

/** Whether a value is a valid answer. Unknown keys are allowed: a newer runner may add some. */
export function isAnswer(value: unknown): value is MigrateAnswer {
  if (!matches<MigrateAnswer>(ANSWER_SCHEMAS, 'MigrateAnswer', value)) return false;
  const { command, history, runs, statistics, drift } = value;
  const isOnlyOf = (own: Command, fact: unknown) => (fact !== undefined) === (command === own);
  return (
    isOnlyOf('history', history) && isOnlyOf('history', runs) && isOnlyOf('statistics', statistics) && isOnlyOf('drift', drift)
  );
}

/** Whether a value is valid statistics: a part of an answer, in a file. */
export function isStatistics(value: unknown): value is DatabaseStatistics {
  return matches(ANSWER_SCHEMAS, 'DatabaseStatistics', value);
}

/** Whether a value is a valid failure. */
export function isFailure(value: unknown): value is MigrateFailure {
  return matches(ANSWER_SCHEMAS, 'MigrateFailure', value);
}
