import type { ErrorCode } from '../../contract';
import type { LocalCode } from '../../local/errors';
import type { CommandCode } from '../answer/command-error';
import { EXIT, exitCodeOf } from '../answer/exit-codes';

/** Ends of `safe-alembic` that are those of no other command. */
export type MigrateCode =
  /** the description of a new revision says nothing */
  | 'vague_description'
  /** a revision was named that the project does not have */
  | 'unknown_revision'
  /** Ctrl-C */
  | 'interrupted';

export type AnyCode = ErrorCode | CommandCode | LocalCode | MigrateCode;

type Shared = ErrorCode | CommandCode;

const EXIT_CODES: Record<Exclude<AnyCode, Shared>, number> = {
  observer_died: EXIT.failed,
  unexpected_report: EXIT.failed,
  baseline_failed: EXIT.failed,
  create_failed: EXIT.failed,

  vague_description: EXIT.usage,
  unknown_ref: EXIT.usage,
  git_failed: EXIT.usage,
  shallow_clone: EXIT.usage,

  project_not_found: EXIT.notStarted,
  nothing_to_create: EXIT.notStarted,
  no_target_metadata: EXIT.notStarted,
  scratch_not_empty: EXIT.notStarted,
  scratch_not_reached: EXIT.notStarted,
  python_too_old: EXIT.notStarted,
  alembic_missing: EXIT.notStarted,

  postgres_missing: EXIT.notReachable,
  postgres_not_started: EXIT.notReachable,
  uv_missing: EXIT.notReachable,
  python_not_started: EXIT.notReachable,
};

/** The exit code of an error of `safe-alembic`. */
export function exitCodeOfMigrate(code: AnyCode): number {
  return isShared(code) ? exitCodeOf(code) : EXIT_CODES[code];
}

function isShared(code: AnyCode): code is Shared {
  return !Object.hasOwn(EXIT_CODES, code);
}
