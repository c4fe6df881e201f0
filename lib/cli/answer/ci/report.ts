import type { AnswerDocument, FailureDocument } from '../documents';

/** The output for a CI system besides the log's lines. All of it goes to stderr or to files. */
export interface CiReport {
  /** Puts all output of `run` into a collapsible section of the log. */
  section<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** The command has ended. */
  end(document: AnswerDocument | FailureDocument): void;
}
