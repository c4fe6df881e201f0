import type { TenantsErrorCode } from '../client/tenants/errors';
import type { ErrorCode } from '../contract';
import { EXIT, EXIT_CODES as OF_THE_CLIENT } from '../contract/exit-codes';
import type { LocalCode } from '../local/errors';

export { EXIT };

/** Codes of the command itself, not of the client or the project. */
export type CommandCode =
  /** a protected stage was not confirmed */
  | 'declined'
  /** Ctrl-C, SIGTERM or SIGHUP */
  | 'interrupted'
  /** the description of a new revision is vague */
  | 'vague_description';

/** Every code that a command can end with. */
export type AnyCode = ErrorCode | TenantsErrorCode | LocalCode | CommandCode;

const EXIT_CODES: Readonly<Record<AnyCode, number>> = {
  ...OF_THE_CLIENT,

  tenants_failed: EXIT.failed,
  run_aborted: EXIT.failed,
  observer_died: EXIT.failed,
  unexpected_report: EXIT.failed,
  baseline_failed: EXIT.failed,
  create_failed: EXIT.failed,

  unknown_tenant: EXIT.usage,
  run_not_found: EXIT.usage,
  vague_description: EXIT.usage,
  unknown_ref: EXIT.usage,
  git_failed: EXIT.usage,
  shallow_clone: EXIT.usage,

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

  state_machine_not_found: EXIT.notReachable,
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
