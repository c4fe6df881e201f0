import type { AnswerDocument, FailureDocument } from '../documents';

/** What a CI system shows besides the lines of a job. Everything goes to stderr, or past the streams. */
export interface CiReport {
  /** Puts what is written meanwhile into a part of the log that can be folded. */
  section<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** The command has ended. */
  end(document: AnswerDocument | FailureDocument): void;
}
