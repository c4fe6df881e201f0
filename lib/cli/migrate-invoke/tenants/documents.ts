import { CONTRACT_VERSION, type Count, type FailureCode, type MigrateError, type Text } from '../../../contract';
import { EXIT, exitCodeOf } from '../../../contract/exit-codes';
import type { TenantRunSummary } from '../../../contract/tenants';

/* What `--json` prints for many tenants. `npm run generate` makes schema/migrate-invoke.json from it. */

/** A run that has succeeded. */
export interface TenantsAnswerDocument extends Omit<TenantRunSummary, 'command' | 'error'> {
  readonly command: TenantRunSummary['command'] | 'check';
  /** With the command `check` only: whether nothing is pending, and no tenant is ahead. */
  readonly atHead?: boolean;
  readonly exitCode: Count;
}

/** An existing run was approved, rejected or stopped. */
export interface TenantsDecisionDocument {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: 'approve' | 'reject' | 'stop';
  readonly stage: Text;
  readonly status: 'complete';
  readonly runId: Text;
  readonly exitCode: Count;
}

/** Why a run failed, with its summary if known. */
export interface TenantsFailureDocument extends Partial<Omit<TenantRunSummary, 'contract' | 'status' | 'runId' | 'error'>> {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: { readonly code: FailureCode; readonly message: Text; readonly next: Text };
  /** null: none was started. */
  readonly runId: Text | null;
  readonly exitCode: Count;
}

export type TenantsDocument = TenantsAnswerDocument | TenantsDecisionDocument | TenantsFailureDocument;

export function answerDocument({ error: _, ...summary }: TenantRunSummary, check: boolean): TenantsAnswerDocument {
  const { drift } = summary;
  if (!check) return { ...summary, exitCode: drift && drift.drifted + drift.unknown > 0 ? EXIT.notStarted : EXIT.done };
  const atHead = summary.pending === 0 && summary.ahead === 0;
  return { ...summary, command: 'check', atHead, exitCode: atHead ? EXIT.done : EXIT.notStarted };
}

export function failureDocument({ code, message, next, summary }: MigrateError, runId?: string): TenantsFailureDocument {
  const failed = { contract: CONTRACT_VERSION, status: 'failed', error: { code, message, next } } as const;
  return { ...summary, ...failed, runId: summary?.runId ?? runId ?? null, exitCode: exitCodeOf(code) };
}
