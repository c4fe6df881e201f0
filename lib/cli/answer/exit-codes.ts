import type { ErrorCode } from '../../contract';
import type { CommandCode } from './command-error';

/** What a pipeline can tell from the exit code alone. */
export const EXIT = {
  /** done, or nothing to do */
  done: 0,
  /** something ran and failed, or what it did is not known */
  failed: 1,
  /** the command line or the request is wrong */
  usage: 2,
  /** refused before anything ran, or `check` found something: the database is as it was */
  notStarted: 3,
  /** the function or the database can't be reached, or lets nobody in */
  notReachable: 4,
  /** Ctrl-C: 128 + SIGINT, as shells count it */
  interrupted: 130,
} as const;

const EXIT_CODES: Record<ErrorCode | CommandCode, number> = {
  migration_failed: EXIT.failed,
  lock_not_available: EXIT.failed,
  deadline_reached: EXIT.failed,
  cancelled: EXIT.failed,
  version_not_moved: EXIT.failed,
  internal_error: EXIT.failed,
  function_crashed: EXIT.failed,
  container_failed: EXIT.failed,
  unexpected_answer: EXIT.failed,

  invalid_usage: EXIT.usage,
  invalid_request: EXIT.usage,
  unknown_revision: EXIT.usage,

  not_allowed: EXIT.notStarted,
  invalid_settings: EXIT.notStarted,
  invalid_project: EXIT.notStarted,
  multiple_heads: EXIT.notStarted,
  database_ahead: EXIT.notStarted,
  locked: EXIT.notStarted,
  blocked: EXIT.notStarted,
  invalid_index: EXIT.notStarted,
  needs_container: EXIT.notStarted,
  declined: EXIT.notStarted,

  no_credentials: EXIT.notReachable,
  access_denied: EXIT.notReachable,
  function_not_found: EXIT.notReachable,
  function_not_ready: EXIT.notReachable,
  throttled: EXIT.notReachable,
  network: EXIT.notReachable,
  database_unreachable: EXIT.notReachable,
  database_refused: EXIT.notReachable,
  secret_unavailable: EXIT.notReachable,

  interrupted: EXIT.interrupted,
};

/** The exit code of an error. */
export function exitCodeOf(code: ErrorCode | CommandCode): number {
  return EXIT_CODES[code];
}
