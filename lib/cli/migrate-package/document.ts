import type { Count, Text } from '../../contract';

/** What the command prints. `npm run generate` makes schema/migrate-package.json from it. */
export interface MigratePackageDocument {
  /** Path of the zip. */
  readonly package: Text;
  /** SHA-256 of the zip in Base64, as Lambda shows it. */
  readonly sha256: Text;
  readonly bytes: Count;
  /** The lock and the Alembic configuration that were found. Absent: not known. */
  readonly found?: Text;
  readonly warnings: readonly string[];
  readonly function: FunctionNeeds;
}

/** A function's configuration for the package, with the names of Lambda's API. */
export interface FunctionNeeds {
  readonly handler: Text;
  readonly runtime: Text;
  readonly architectures: readonly string[];
  /** In MB. */
  readonly memorySize: Count;
  /** In seconds. */
  readonly timeout: Count;
  readonly maximumRetryAttempts: Count;
  /** Variables, with example settings. */
  readonly environment: { readonly [name: string]: string };
  readonly permissions: readonly Statement[];
}

/** One statement of an IAM policy. */
export interface Statement {
  readonly for: Text;
  readonly actions: readonly string[];
  readonly resource: Text;
}
