import type { AnyCode } from '../exit-codes';

/** The command ended by itself: not the client's error, nor the project's. */
export class CommandError extends Error {
  /**
   * @param code what kind of end it is
   * @param message what happened, with what
   * @param next what to do about it
   */
  constructor(
    readonly code: Extract<AnyCode, 'declined' | 'interrupted' | 'vague_description' | 'unknown_revision'>,
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}
