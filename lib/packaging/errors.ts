/** Why a backend can't be packaged. */
export type PackagingCode =
  | 'invalid_file'
  | 'no_alembic_config'
  | 'uv_not_found'
  | 'uv_failed'
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

/** A mistake that the user can fix. The constructs show its message without a stack trace. */
export class PackagingError extends Error {
  constructor(
    readonly code: PackagingCode,
    message: string,
  ) {
    super(message);
    this.name = 'PackagingError';
  }
}
