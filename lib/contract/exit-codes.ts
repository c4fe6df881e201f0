import type { RunnerCode } from './answer';
import type { FailureCode } from './failure';

/** The meaning of each exit code. */
export const EXIT = {
  /** done, or nothing to do */
  done: 0,
  /** something ran and failed, or its outcome is unknown */
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

const EXIT_CODES: Readonly<Record<FailureCode, number>> = {
  migration_failed: EXIT.failed,
  lock_not_available: EXIT.failed,
  deadline_reached: EXIT.failed,
  cancelled: EXIT.failed,
  version_not_moved: EXIT.failed,
  timed_out: EXIT.failed,
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
  invalid_version_table: EXIT.notStarted,
  locked: EXIT.notStarted,
  blocked: EXIT.notStarted,
  invalid_index: EXIT.notStarted,
  drifted: EXIT.notStarted,
  breaks_replication: EXIT.notStarted,
  snapshot_failed: EXIT.notStarted,
  snapshot_not_ready: EXIT.notStarted,
  needs_container: EXIT.notStarted,
  declined: EXIT.notStarted,
  not_approved: EXIT.notStarted,
  not_waiting: EXIT.notStarted,
  no_tenants: EXIT.notStarted,
  project_not_found: EXIT.notStarted,
  nothing_to_create: EXIT.notStarted,
  looks_like_rename: EXIT.notStarted,
  one_transaction: EXIT.notStarted,
  no_target_metadata: EXIT.notStarted,
  scratch_not_empty: EXIT.notStarted,
  scratch_not_reached: EXIT.notStarted,
  python_too_old: EXIT.notStarted,
  alembic_missing: EXIT.notStarted,

  no_credentials: EXIT.notReachable,
  access_denied: EXIT.notReachable,
  function_not_found: EXIT.notReachable,
  function_not_ready: EXIT.notReachable,
  throttled: EXIT.notReachable,
  network: EXIT.notReachable,
  database_unreachable: EXIT.notReachable,
  database_refused: EXIT.notReachable,
  permission_denied: EXIT.notReachable,
  read_only: EXIT.notReachable,
  pooled_connection: EXIT.notReachable,
  secret_unavailable: EXIT.notReachable,
  state_machine_not_found: EXIT.notReachable,
  tenants_unavailable: EXIT.notReachable,
  postgres_missing: EXIT.notReachable,
  postgres_not_started: EXIT.notReachable,
  python_not_found: EXIT.notReachable,
  python_not_started: EXIT.notReachable,

  interrupted: EXIT.interrupted,
};

/** Every code that a failure can have. */
export const FAILURE_CODES = Object.keys(EXIT_CODES) as readonly FailureCode[];

/** The exit code of a failure. */
export function exitCodeOf(code: FailureCode): number {
  return EXIT_CODES[code];
}

/** SIGTERM, which ECS sends to a task that is stopped: 128 + 15. */
const CANCELLED = 143;

/** Exit code of the container for a code of the runner: the command's, unless it was stopped. */
export function containerExitCode(code: RunnerCode): number {
  return code === 'cancelled' ? CANCELLED : EXIT_CODES[code];
}

/** The meaning of a container's exit code. */
export const CONTAINER_EXITS: Readonly<Record<number, string>> = {
  [EXIT.usage]: 'the request was wrong',
  [EXIT.notStarted]: 'nothing was started: another run, the guard, the project or the settings',
  [EXIT.notReachable]: 'the database or its secret is not reachable',
  137: 'killed: out of memory, or it did not stop in time',
  [CANCELLED]: 'cancelled',
};
