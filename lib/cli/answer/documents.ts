import { MigrateError } from '../../client/errors';
import type { AppliedRevision, Count, DataLoss, ErrorCode, MigrateAnswer, Text } from '../../contract';
import { CONTRACT_VERSION } from '../../contract';
import type { CommandCode, CommandError } from './command-error';
import { EXIT, exitCodeOf } from './exit-codes';

/* What `--json` prints. `npm run generate` makes schema/migrate-invoke.json from it. */

/** The command's answer: the client's, with the exit code. */
export interface AnswerDocument extends Omit<MigrateAnswer, 'command'> {
  /** The request's command, or `check`. */
  readonly command: MigrateAnswer['command'] | 'check';
  /** With the command `check` only. */
  readonly atHead?: boolean;
  readonly exitCode: Count;
}

/** What kept the command from being done. */
export interface FailureDocument<Code extends string = ErrorCode | CommandCode> {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: {
    readonly code: Code;
    readonly message: Text;
    readonly next: Text;
    readonly revision?: string;
    readonly sqlState?: string;
    readonly statement?: string;
    readonly dataLoss?: readonly DataLoss[];
    readonly log?: readonly string[];
  };
  readonly applied: readonly AppliedRevision[];
  readonly exitCode: Count;
}

/** @param answer an answer of the client; one with `atHead` is that of a `check` */
export function answerDocument(answer: MigrateAnswer & { readonly atHead?: boolean }): AnswerDocument {
  if (answer.atHead === undefined) return { ...answer, exitCode: EXIT.done };
  return { ...answer, command: 'check', exitCode: answer.atHead ? EXIT.done : EXIT.notStarted };
}

/** @param applied what was applied before the command ended by itself */
export function failureDocument(error: MigrateError | CommandError, applied: readonly AppliedRevision[]): FailureDocument {
  const { code, message, next } = error;
  const told = { contract: CONTRACT_VERSION, status: 'failed', exitCode: exitCodeOf(code) } as const;
  if (!(error instanceof MigrateError)) return { ...told, error: { code, message, next }, applied };
  const { revision, sqlState, statement, dataLoss, log } = error;
  const lists = { ...(dataLoss.length > 0 && { dataLoss }), ...(log.length > 0 && { log }) };
  return { ...told, error: { code, message, next, revision, sqlState, statement, ...lists }, applied: error.applied };
}

export function isFailureDocument(document: AnswerDocument | FailureDocument): document is FailureDocument {
  return document.status === 'failed';
}
