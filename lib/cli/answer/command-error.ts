import type { AnyCode } from '../exit-codes';

/** An error of the command itself, not of the client or the project. */
export class CommandError extends Error {
  /**
   * @param code the stable code
   * @param message what happened, with what
   * @param next the next step
   */
  constructor(
    readonly code: Extract<AnyCode, 'declined' | 'interrupted' | 'vague_description' | 'unknown_revision'>,
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}
