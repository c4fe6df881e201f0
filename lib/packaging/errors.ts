import { inTypeScript, written } from './code-in-messages';

/** Why a backend can't be packaged. docs/packaging-errors.md has a section for each. A code never changes its meaning. */
export const PACKAGING_CODES = [
  // Before anything is installed.
  'backend_not_found',
  'invalid_layout',
  'invalid_file',
  'no_alembic_config',
  'invalid_script_location',
  'invalid_revisions',
  'no_dependencies',
  'unknown_group',
  'outdated_lock',
  'unsupported_python',
  'uv_not_found',
  // While the dependencies are installed.
  'uv_failed',
  'build_failed',
  'needs_compiling',
  'no_alembic',
  'no_driver',
  'unsupported_version',
  'wrong_platform',
  // When the package is loaded.
  'missing_module',
  'fails_on_lambda',
  'other_database',
  'too_large',
] as const;

export type PackagingCode = (typeof PACKAGING_CODES)[number];

/** The page about an error. */
export function pageOf(code: PackagingCode): string {
  return `https://cdk-alembic.github.io/cdk-alembic/packaging-errors.html#${code}`;
}

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

/** The error for a folder of a backend that does not exist. */
export function noDirectory(directory: string): PackagingError {
  return new PackagingError('backend_not_found', `${directory} is not a directory: pass the backend's folder`);
}
