import type { AppliedRevision, Blocker, DataLoss, ErrorCode, FailureFacts, RestorePoint } from './answer';
import type { LocalCode } from './facts';
import type { TenantCode, TenantRunSummary, TenantsClientCode } from './tenants';

/** Codes of failures on this machine. */
export type MachineCode =
  /** no Alembic project was found, or several */
  | 'project_not_found'
  /** the installed packages have no PostgreSQL for this platform */
  | 'postgres_missing'
  /** the scratch server does not start */
  | 'postgres_not_started'
  /** no Python with Alembic was found for the backend */
  | 'python_not_found'
  /** the command that starts the backend's Python failed, or ended without output of the observer */
  | 'python_not_started'
  /** the observer ended during its work */
  | 'observer_died'
  /** the observer sent an invalid report */
  | 'unexpected_report'
  /** git is not installed, this is not a repository, or git failed */
  | 'git_failed'
  /** git does not have the ref */
  | 'unknown_ref'
  /** the clone is too shallow to find where the branches diverged */
  | 'shallow_clone';

/** Codes of the command itself. */
export type CommandCode =
  /** a protected stage was not confirmed */
  | 'declined'
  /** Ctrl-C, SIGTERM or SIGHUP */
  | 'interrupted'
  /** a new revision needs several transactions, and env.py begins one around all of them */
  | 'one_transaction'
  /** the description of a new revision is vague */
  | 'vague_description';

/** Every code that a failure can have. A code never changes its meaning. */
export type FailureCode = ErrorCode | TenantCode | TenantsClientCode | LocalCode | MachineCode | CommandCode;

/** More details of a failure, if known. */
export interface FailureDetails extends FailureFacts {
  /** Revisions that the run applied and committed before it failed, over all its slices. */
  readonly applied?: readonly AppliedRevision[];
  /** Last lines of the function's log, or of the process that failed, oldest first. */
  readonly log?: readonly string[];
  /** The summary of a run over many tenants, if it got that far. */
  readonly summary?: TenantRunSummary;
  /** What led to this failure, such as the SDK's error. */
  readonly cause?: unknown;
}

/** A failure as data. */
export interface Failure extends FailureDetails {
  readonly code: FailureCode;
  /** What happened, with what. */
  readonly message: string;
  /** The next step. */
  readonly next: string;
}

/** The one error of this package that a user can act on. Branch on `code`: it never changes its meaning. */
export class MigrateError extends Error implements Failure {
  override readonly name = 'MigrateError';
  readonly revision?: string;
  readonly sqlState?: string;
  readonly statement?: string;
  readonly dataLoss: readonly DataLoss[];
  readonly blockers: readonly Blocker[];
  readonly endedBlockers: readonly Blocker[];
  readonly restorePoint?: RestorePoint;
  readonly applied: readonly AppliedRevision[];
  readonly log: readonly string[];
  readonly summary?: TenantRunSummary;

  /**
   * @param code the stable code
   * @param message what happened, with what
   * @param next the next step
   * @param details more details, if known
   */
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly next: string,
    details: FailureDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.revision = details.revision;
    this.sqlState = details.sqlState;
    this.statement = details.statement;
    this.dataLoss = details.dataLoss ?? [];
    this.blockers = details.blockers ?? [];
    this.endedBlockers = details.endedBlockers ?? [];
    this.restorePoint = details.restorePoint;
    this.applied = details.applied ?? [];
    this.log = details.log ?? [];
    this.summary = details.summary;
  }

  /** The same failure with changes. */
  with(changes: Partial<Failure>): MigrateError {
    const { code, message, next, ...details } = { ...this, message: this.message, cause: this.cause, ...changes };
    return new MigrateError(code, message, next, details);
  }
}
