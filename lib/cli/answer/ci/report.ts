import type { AnswerDocument, FailureDocument } from '../documents';

/** What a CI system shows besides the lines of a job. Everything goes to stderr or to files. */
export interface CiReport {
  /** Puts everything that `run` writes into a collapsible section of the log. */
  section<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** The command has ended. */
  end(document: AnswerDocument | FailureDocument): void;
}
