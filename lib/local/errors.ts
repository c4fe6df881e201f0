import type { FailureDetail, RunnerCode } from '../contract';
import type { LocalFailure } from '../contract/facts';

/** Codes of failures on this machine. */
export type MachineCode =
  /** no Alembic project was found, or several */
  | 'project_not_found'
  /** the installed packages have no PostgreSQL for this platform */
  | 'postgres_missing'
  /** the scratch server does not start */
  | 'postgres_not_started'
  /** uv, which starts the backend's Python, is not installed */
  | 'uv_missing'
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

export type LocalCode = MachineCode | LocalFailure['code'] | RunnerCode;

/** More details of a {@link LocalError}, if known. */
export interface LocalErrorDetails extends Omit<FailureDetail, 'code' | 'message' | 'next'> {
  /** The last lines of a process's output, oldest first. */
  readonly log?: readonly string[];
}

/** A failure on this machine. Branch on `code`: it never changes its meaning. */
export class LocalError extends Error {
  override readonly name = 'LocalError';

  /**
   * @param code the stable code
   * @param message what happened, with what
   * @param next the next step
   * @param details more details, if known
   */
  constructor(
    readonly code: LocalCode,
    message: string,
    readonly next: string,
    readonly details: LocalErrorDetails = {},
  ) {
    super(message);
  }
}
