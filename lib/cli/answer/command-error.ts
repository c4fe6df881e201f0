/** Ends of the command that are none of the client. */
export type CommandCode =
  /** a protected stage was not confirmed */
  | 'declined'
  /** Ctrl-C */
  | 'interrupted';

/** The command ended by itself, before or while the client was at work. */
export class CommandError extends Error {
  constructor(
    readonly code: CommandCode,
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}
