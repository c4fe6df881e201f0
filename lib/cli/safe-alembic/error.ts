import { MigrateError } from '../../client/errors';
import type { AppliedRevision } from '../../contract';
import { CONTRACT_VERSION } from '../../contract';
import { LocalError } from '../../local/errors';
import { type FailureDocument, failureDocument } from '../answer/documents';
import { type AnyCode, exitCodeOfMigrate, type MigrateCode } from './exit-codes';

/** `safe-alembic` ended by itself. */
export class MigrateEnd extends Error {
  constructor(
    readonly code: MigrateCode,
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}

/** What `--json` prints when a verb could not be carried out: that of `migrate-invoke`, with the codes of this machine. */
export type MigrateFailureDocument = FailureDocument<AnyCode>;

/** An error with a next step; anything else is a defect of the command, and its stack trace is wanted. */
export function migrateFailure(error: unknown, applied: readonly AppliedRevision[]): MigrateFailureDocument {
  if (error instanceof MigrateError) return failureDocument(error, applied);
  if (!(error instanceof LocalError || error instanceof MigrateEnd)) throw error;
  const { code, message, next } = error;
  const details = error instanceof LocalError ? error.details : {};
  const exitCode = exitCodeOfMigrate(code);
  return { contract: CONTRACT_VERSION, status: 'failed', exitCode, error: { code, message, next, ...details }, applied };
}
