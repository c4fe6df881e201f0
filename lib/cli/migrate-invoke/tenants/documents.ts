import { TenantsError } from '../../../client/tenants/errors';
import { CONTRACT_VERSION } from '../../../contract';
import type { TenantRunSummary } from '../../../contract/tenants';
import type { CommandError } from '../../answer/command-error';
import { type AnyCode, EXIT, exitCodeOf } from '../../exit-codes';

/* What `--json` prints for many tenants. Described for others by schema/migrate-invoke.json, which the tests hold against this. */

/** A run that has succeeded. */
export interface AnswerDocument extends Omit<TenantRunSummary, 'command' | 'error'> {
  readonly command: TenantRunSummary['command'] | 'check';
  /** With the command `check` only: whether nothing is pending, and no tenant is ahead. */
  readonly atHead?: boolean;
  readonly exitCode: number;
}

/** An existing run was approved, rejected or stopped. */
export interface DecisionDocument {
  readonly contract: number;
  readonly command: 'approve' | 'reject' | 'stop';
  readonly stage: string;
  readonly status: 'complete';
  readonly runId: string;
  readonly exitCode: number;
}

/** Why a run failed, with as much of its summary as there is. */
export interface FailureDocument extends Partial<Omit<TenantRunSummary, 'contract' | 'status' | 'runId' | 'error'>> {
  readonly contract: number;
  readonly status: 'failed';
  readonly error: { readonly code: AnyCode; readonly message: string; readonly next: string };
  /** null: none was started. */
  readonly runId: string | null;
  readonly exitCode: number;
}

export type Document = AnswerDocument | DecisionDocument | FailureDocument;

export function answerDocument({ error: _, ...summary }: TenantRunSummary, check: boolean): AnswerDocument {
  if (!check) return { ...summary, exitCode: EXIT.done };
  const atHead = summary.pending === 0 && summary.ahead === 0;
  return { ...summary, command: 'check', atHead, exitCode: atHead ? EXIT.done : EXIT.notStarted };
}

export function failureDocument(error: TenantsError | CommandError, runId?: string): FailureDocument {
  const { code, message, next } = error;
  const summary = error instanceof TenantsError ? error.summary : undefined;
  const failed = { contract: CONTRACT_VERSION, status: 'failed', error: { code, message, next } } as const;
  return { ...summary, ...failed, runId: summary?.runId ?? runId ?? null, exitCode: exitCodeOf(code) };
}
