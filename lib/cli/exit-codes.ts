import type { TenantsErrorCode } from '../client/tenants/errors';
import type { ErrorCode } from '../contract';
import type { LocalCode } from '../local/errors';

/** What a pipeline can tell from the exit code alone. */
export const EXIT = {
  /** done, or nothing to do */
  done: 0,
  /** something ran and failed, or its outcome is not known */
  failed: 1,
  /** the command line or the request is wrong */
  usage: 2,
  /** refused before anything ran, or `check` found something: the database is unchanged */
  notStarted: 3,
  /** the function or the database is not reachable, or refuses access */
  notReachable: 4,
  /** Ctrl-C, SIGTERM or SIGHUP: 128 + SIGINT, as shells count it */
  interrupted: 130,
} as const;

/** Ends of a command that come from neither the client nor the project. */
export type CommandCode =
  /** a protected stage was not confirmed */
  | 'declined'
  /** Ctrl-C, SIGTERM or SIGHUP */
  | 'interrupted'
  /** the description of a new revision says nothing */
  | 'vague_description';

/** Every code that a command can end with. */
export type AnyCode = ErrorCode | TenantsErrorCode | LocalCode | CommandCode;

const EXIT_CODES: Readonly<Record<AnyCode, number>> = {
  migration_failed: EXIT.failed,
  lock_not_available: EXIT.failed,
  deadline_reached: EXIT.failed,
  cancelled: EXIT.failed,
  version_not_moved: EXIT.failed,
  internal_error: EXIT.failed,
  function_crashed: EXIT.failed,
  container_failed: EXIT.failed,
  unexpected_answer: EXIT.failed,
  tenants_failed: EXIT.failed,
  run_aborted: EXIT.failed,
  observer_died: EXIT.failed,
  unexpected_report: EXIT.failed,
  baseline_failed: EXIT.failed,
  create_failed: EXIT.failed,

  invalid_usage: EXIT.usage,
  invalid_request: EXIT.usage,
  unknown_revision: EXIT.usage,
  unknown_tenant: EXIT.usage,
  run_not_found: EXIT.usage,
  vague_description: EXIT.usage,
  unknown_ref: EXIT.usage,
  git_failed: EXIT.usage,
  shallow_clone: EXIT.usage,

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
  not_approved: EXIT.notStarted,
  not_waiting: EXIT.notStarted,
  project_not_found: EXIT.notStarted,
  nothing_to_create: EXIT.notStarted,
  no_target_metadata: EXIT.notStarted,
  scratch_not_empty: EXIT.notStarted,
  scratch_not_reached: EXIT.notStarted,
  python_too_old: EXIT.notStarted,
  alembic_missing: EXIT.notStarted,

  no_credentials: EXIT.notReachable,
  access_denied: EXIT.notReachable,
  function_not_found: EXIT.notReachable,
  function_not_ready: EXIT.notReachable,
  state_machine_not_found: EXIT.notReachable,
  throttled: EXIT.notReachable,
  network: EXIT.notReachable,
  database_unreachable: EXIT.notReachable,
  database_refused: EXIT.notReachable,
  secret_unavailable: EXIT.notReachable,
  tenants_unavailable: EXIT.notReachable,
  postgres_missing: EXIT.notReachable,
  postgres_not_started: EXIT.notReachable,
  uv_missing: EXIT.notReachable,
  python_not_started: EXIT.notReachable,

  interrupted: EXIT.interrupted,
};

/** The exit code of an error. */
export function exitCodeOf(code: AnyCode): number {
  return EXIT_CODES[code];
}
