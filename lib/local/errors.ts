import type { FailureDetail, RunnerCode } from '../contract';
import type { LocalFailure } from '../contract/facts';

/** What keeps this machine from working on the project. */
export type MachineCode =
  /** no Alembic project where one was looked for, or several */
  | 'project_not_found'
  /** this machine's platform has no PostgreSQL among the packages that are installed */
  | 'postgres_missing'
  /** the scratch server does not come up */
  | 'postgres_not_started'
  /** uv is not there to start the backend's Python */
  | 'uv_missing'
  /** the command that starts the backend's Python can't be run, or ends before a word of the observer */
  | 'python_not_started'
  /** the observer ended in the middle of its work */
  | 'observer_died'
  /** the observer said what this version does not understand */
  | 'unexpected_report'
  /** git is not there, this is not a repository, or git refuses */
  | 'git_failed'
  /** git does not know the ref */
  | 'unknown_ref'
  /** the clone is too shallow to know where the branches part */
  | 'shallow_clone';

export type LocalCode = MachineCode | LocalFailure['code'] | RunnerCode;

/** What else is known about a {@link LocalError}. */
export interface LocalErrorDetails extends Omit<FailureDetail, 'code' | 'message' | 'next'> {
  /** The last that a process has said, oldest first. */
  readonly log?: readonly string[];
}

/** Work on this machine that could not be done. Branch on `code`: it never changes its meaning. */
export class LocalError extends Error {
  override readonly name = 'LocalError';

  /**
   * @param code what kind of error it is
   * @param message what went wrong, with what
   * @param next what to do about it
   * @param details what else is known
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
