import type { AppliedRevision, DataLoss, ErrorCode } from '../contract';

/** More details of an error, if known. */
export interface MigrateErrorDetails {
  /** The revision that failed. */
  readonly revision?: string;
  /** PostgreSQL's five-character SQLSTATE. */
  readonly sqlState?: string;
  /** The statement that failed, shortened. */
  readonly statement?: string;
  /** With `blocked`: what pending revisions destroy and do not acknowledge. */
  readonly dataLoss?: readonly DataLoss[];
  /** Revisions that the run applied and committed before it failed, over all its slices. */
  readonly applied?: readonly AppliedRevision[];
  /** Last lines of the function's log, oldest first. */
  readonly log?: readonly string[];
  /** What led to this error. */
  readonly cause?: unknown;
}

/** Any failure of a migration. Branch on `code`: it never changes its meaning. */
export class MigrateError extends Error {
  override readonly name: string = 'MigrateError';
  readonly revision?: string;
  readonly sqlState?: string;
  readonly statement?: string;
  readonly dataLoss: readonly DataLoss[];
  readonly applied: readonly AppliedRevision[];
  readonly log: readonly string[];

  /**
   * @param code the stable code
   * @param message what went wrong, with what
   * @param next the next step
   * @param details more details, if known
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly next: string,
    details: MigrateErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.revision = details.revision;
    this.sqlState = details.sqlState;
    this.statement = details.statement;
    this.dataLoss = details.dataLoss ?? [];
    this.applied = details.applied ?? [];
    this.log = details.log ?? [];
  }
}

/** A revision failed and was rolled back; the revisions in `applied` stay. */
export class MigrationFailedError extends MigrateError {
  override readonly name = 'MigrationFailedError';
}

/** Another run holds the mutex. */
export class MigrationLockedError extends MigrateError {
  override readonly name = 'MigrationLockedError';
}

/** Pending revisions destroy data without an acknowledgement; `dataLoss` lists each place. Nothing was applied. */
export class MigrationBlockedError extends MigrateError {
  override readonly name = 'MigrationBlockedError';
}

/** The database has revisions that the deployed code does not have. */
export class DatabaseAheadError extends MigrateError {
  override readonly name = 'DatabaseAheadError';
}

/** The stage has no function in this account and region. */
export class FunctionNotFoundError extends MigrateError {
  override readonly name = 'FunctionNotFoundError';
}

/** AWS refused the call: no permission, or expired credentials. */
export class AccessDeniedError extends MigrateError {
  override readonly name = 'AccessDeniedError';
}

const CLASSES: Partial<Record<ErrorCode, typeof MigrateError>> = {
  migration_failed: MigrationFailedError,
  locked: MigrationLockedError,
  blocked: MigrationBlockedError,
  database_ahead: DatabaseAheadError,
  function_not_found: FunctionNotFoundError,
  access_denied: AccessDeniedError,
};

/** Creates an error of its code's class. */
export function migrateError(code: ErrorCode, message: string, next: string, details?: MigrateErrorDetails): MigrateError {
  return new (CLASSES[code] ?? MigrateError)(code, message, next, details);
}
