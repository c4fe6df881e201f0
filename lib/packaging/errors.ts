import { inTypeScript, written } from './code-in-messages';

/** Why a backend can't be packaged. */
export type PackagingCode =
  | 'invalid_file'
  | 'no_alembic_config'
  | 'uv_not_found'
  | 'uv_failed'
  | 'build_failed'
  | 'needs_compiling'
  | 'missing_module'
  | 'invalid_revisions'
  | 'no_driver'
  | 'unsupported_version'
  | 'no_alembic'
  | 'wrong_platform'
  | 'fails_on_lambda'
  | 'other_database'
  | 'too_large';

/** A mistake that the user can fix. It is shown without a stack trace. */
export class PackagingError extends Error {
  /** @param text the message with code as data, for `written` at the edge. `message` has TypeScript. */
  constructor(
    readonly code: PackagingCode,
    readonly text: string,
  ) {
    super(written(text, inTypeScript));
    this.name = 'PackagingError';
  }
}
