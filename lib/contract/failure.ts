import type { AppliedRevision, DataLoss, ErrorCode } from './answer';
import type { LocalFailure } from './facts';
import type { TenantCode, TenantRunSummary, TenantsClientCode } from './tenants';

/** Codes of what keeps this machine from working on a project. */
export type MachineCode =
  /** no Alembic project where one was looked for, or several */
  | 'project_not_found'
  /** this machine's platform has no PostgreSQL among the packages that are installed */
  | 'postgres_missing'
  /** the scratch server does not start */
  | 'postgres_not_started'
  /** uv, which starts the backend's Python, is not installed */
  | 'uv_missing'
  /** the command that starts the backend's Python can't be run, or ends before the observer says anything */
  | 'python_not_started'
  /** the observer ended in the middle of its work */
  | 'observer_died'
  /** the observer sent something that this version does not understand */
  | 'unexpected_report'
  /** git is not installed, this is not a repository, or git refuses */
  | 'git_failed'
  /** git does not know the ref */
  | 'unknown_ref'
  /** the clone is too shallow to know where the branches part */
  | 'shallow_clone';

/** Codes of a command that ends by itself. */
export type CommandCode =
  /** a protected stage was not confirmed */
  | 'declined'
  /** Ctrl-C, SIGTERM or SIGHUP */
  | 'interrupted'
  /** the description of a new revision says nothing */
  | 'vague_description';

/** Every code that a failure can have. A code never changes its meaning. */
export type FailureCode = ErrorCode | TenantCode | TenantsClientCode | LocalFailure['code'] | MachineCode | CommandCode;

/** What is known about a failure besides its code, its message and the next step. */
export interface FailureDetails {
  /** The revision that failed. */
  readonly revision?: string;
  /** PostgreSQL's five-character code. */
  readonly sqlState?: string;
  /** The statement that failed, shortened. */
  readonly statement?: string;
  /** With `blocked`: what pending revisions destroy and do not acknowledge. */
  readonly dataLoss?: readonly DataLoss[];
  /** Revisions that the run applied and committed before it failed, over all its slices. */
  readonly applied?: readonly AppliedRevision[];
  /** Last lines of the function's log, or of the process that failed, oldest first. */
  readonly log?: readonly string[];
  /** How far a run over many tenants got, if it reported that. */
  readonly summary?: TenantRunSummary;
  /** What led to this failure, such as the SDK's error. */
  readonly cause?: unknown;
}

/** A failure as data. */
export interface Failure extends FailureDetails {
  readonly code: FailureCode;
  /** What went wrong, with what. */
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
}

/** The one error of this package that a user can act on. Branch on `code`: it never changes its meaning. */
export class MigrateError extends Error implements Failure {
  override readonly name = 'MigrateError';
  readonly revision?: string;
  readonly sqlState?: string;
  readonly statement?: string;
  readonly dataLoss: readonly DataLoss[];
  readonly applied: readonly AppliedRevision[];
  readonly log: readonly string[];
  readonly summary?: TenantRunSummary;

  /**
   * @param code what kind of failure it is
   * @param message what went wrong, with what
   * @param next what to do about it
   * @param details what else is known
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
    this.applied = details.applied ?? [];
    this.log = details.log ?? [];
    this.summary = details.summary;
  }

  /** The same failure, except for what is given. */
  with(changes: Partial<Failure>): MigrateError {
    const { code, message, next, ...details } = { ...this, message: this.message, cause: this.cause, ...changes };
    return new MigrateError(code, message, next, details);
  }
}
