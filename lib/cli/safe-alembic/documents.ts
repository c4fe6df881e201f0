import type { Count } from '../../contract';
import type { GraphFacts } from '../../contract/facts';
import type { RuleInfo } from '../../review';
import type { Review } from '../../review/finding';
import type { AnswerDocument, FailureDocument } from '../answer/documents';
import { printJson } from '../screen/screen';

/*
 * What the verbs print with `--json`: one document each, also on failure. `npm run generate` makes schema/safe-alembic.json from it.
 * `review` prints the review itself (schema/review.json). Within a version, nothing is removed and nothing changes its meaning.
 */

/** `apply` and `current` print the runner's answer. */
export type SafeAlembicDocument =
  | AnswerDocument
  | CreateDocument
  | VerifyDocument
  | HistoryDocument
  | ExplainDocument
  | FailureDocument;

export interface CreateDocument {
  /** The version of this document. */
  readonly create: 1;
  readonly created: {
    /** The newest revision that was written. */
    readonly revision: string;
    /** Its file, relative to the project's folder. */
    readonly file: string;
    /** All files that were written, in the order in which they are applied. */
    readonly files: readonly string[];
    /** Differences between models and migrations that were not written, as text. */
    readonly left: readonly string[];
    /** How many differences were not written because the default branch has them already. @default - none */
    readonly standing?: number;
    /** Why a `post_write_hook` failed. @default - none failed */
    readonly hookFailure?: string;
  };
  readonly review: Review;
  readonly exitCode: Count;
}

export interface VerifyDocument {
  /** The version of this document. */
  readonly verify: 1;
  readonly checks: readonly Check[];
  readonly exitCode: Count;
}

/** The result of one check. */
export interface Check {
  readonly check: 'at-head' | 'one-head' | 'models' | 'env' | 'round-trip';
  readonly passed: boolean;
  /** False if it could not be checked, which counts as failed. @default true */
  readonly checked?: false;
  /** The result, for a message. */
  readonly what: string;
  /** Why it failed; empty when it passed. */
  readonly reasons: readonly string[];
}

export interface HistoryDocument {
  /** The version of this document. */
  readonly history: 1;
  readonly graph: GraphFacts;
  /** What the version table holds. @default - the database's revision could not be determined */
  readonly database?: readonly string[];
  readonly exitCode: Count;
}

export interface ExplainDocument {
  /** The version of this document. */
  readonly explain: 1;
  /** All rules, or the one that was asked for; squawk's own rules are not among them. */
  readonly rules: readonly RuleInfo[];
  /** With a rule: its page, as Markdown. */
  readonly page?: string;
  readonly exitCode: Count;
}

export function printDocument(document: SafeAlembicDocument): void {
  printJson(document);
}
