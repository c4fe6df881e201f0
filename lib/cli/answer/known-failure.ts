import { MigrateError } from '../../contract';

/** The failure to show. Any other error is a bug of the command: it is rethrown with its stack trace. */
export function knownFailure(error: unknown): MigrateError {
  if (error instanceof MigrateError) return error;
  throw error;
}
