import { MigrateError } from '../../contract';

/** The failure to show. Any other error is a defect of the command, and its stack trace is wanted: it is thrown again. */
export function knownFailure(error: unknown): MigrateError {
  if (error instanceof MigrateError) return error;
  throw error;
}
