import type { AppliedRevision, Count, FailureCode, FailureFacts, MigrateAnswer, MigrateError, Text } from '../../contract';
import { CONTRACT_VERSION } from '../../contract';
import { EXIT, exitCodeOf } from '../../contract/exit-codes';

/* What `--json` prints. `npm run generate` makes schema/migrate-invoke.json from it. */

/** The command's answer: the client's, with the exit code. */
export interface AnswerDocument extends Omit<MigrateAnswer, 'command'> {
  /** The request's command, or `check`. */
  readonly command: MigrateAnswer['command'] | 'check';
  /** With the command `check` only. */
  readonly atHead?: boolean;
  readonly exitCode: Count;
}

/** Why a command failed. */
export interface FailureDocument {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: FailureFacts & {
    readonly code: FailureCode;
    readonly message: Text;
    readonly next: Text;
    readonly log?: readonly string[];
  };
  readonly applied: readonly AppliedRevision[];
  readonly exitCode: Count;
}

/** @param answer from the client; with `atHead`, it is the answer to a `check` */
export function answerDocument(answer: MigrateAnswer & { readonly atHead?: boolean }): AnswerDocument {
  const { drift } = answer;
  if (drift) return { ...answer, exitCode: drift.status === 'none' ? EXIT.done : EXIT.notStarted };
  if (answer.atHead === undefined) return { ...answer, exitCode: EXIT.done };
  return { ...answer, command: 'check', exitCode: answer.atHead ? EXIT.done : EXIT.notStarted };
}

/** @param before what had been applied, if the failure lacks it */
export function failureDocument(
  {
    code,
    message,
    next,
    revision,
    sqlState,
    statement,
    dataLoss,
    blockers,
    endedBlockers,
    restorePoint,
    log,
    applied,
  }: MigrateError,
  before: readonly AppliedRevision[] = [],
): FailureDocument {
  const lists = {
    ...(dataLoss.length > 0 && { dataLoss }),
    ...(blockers.length > 0 && { blockers }),
    ...(endedBlockers.length > 0 && { endedBlockers }),
    ...(restorePoint && { restorePoint }),
    ...(log.length > 0 && { log }),
  };
  return {
    contract: CONTRACT_VERSION,
    status: 'failed',
    error: { code, message, next, revision, sqlState, statement, ...lists },
    applied: applied.length > 0 ? applied : before,
    exitCode: exitCodeOf(code),
  };
}

export function isFailureDocument(document: AnswerDocument | FailureDocument): document is FailureDocument {
  return document.status === 'failed';
}
