import { TenantsError, type TenantsErrorCode } from '../../../client/tenants/errors';
import { CONTRACT_VERSION, type Count, type Text } from '../../../contract';
import type { TenantRunSummary } from '../../../contract/tenants';
import type { CommandCode, CommandError } from '../../answer/command-error';
import { EXIT } from '../../answer/exit-codes';
import { tenantsExitCode } from './exit-codes';

/* What `--json` prints for many tenants. `npm run generate` makes schema/migrate-invoke.json from it. */

/** A run that has ended well. */
export interface TenantsAnswerDocument extends Omit<TenantRunSummary, 'command' | 'error'> {
  readonly command: TenantRunSummary['command'] | 'check';
  /** With the command `check` only: whether nothing is pending, and no tenant is ahead. */
  readonly atHead?: boolean;
  readonly exitCode: Count;
}

/** What was done with a run that goes on, or ends by it. */
export interface TenantsDecisionDocument {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: 'approve' | 'reject' | 'stop';
  readonly stage: Text;
  readonly status: 'complete';
  readonly runId: Text;
  readonly exitCode: Count;
}

/** What kept a run from being done; with as much of its summary as there is. */
export interface TenantsFailureDocument extends Partial<Omit<TenantRunSummary, 'contract' | 'status' | 'runId' | 'error'>> {
  readonly contract: typeof CONTRACT_VERSION;
  readonly status: 'failed';
  readonly error: { readonly code: TenantsErrorCode | CommandCode; readonly message: Text; readonly next: Text };
  /** null: none was started. */
  readonly runId: Text | null;
  readonly exitCode: Count;
}

export type TenantsDocument = TenantsAnswerDocument | TenantsDecisionDocument | TenantsFailureDocument;

export function tenantsAnswer({ error: _, ...summary }: TenantRunSummary, check: boolean): TenantsAnswerDocument {
  if (!check) return { ...summary, exitCode: EXIT.done };
  const atHead = summary.pending === 0 && summary.ahead === 0;
  return { ...summary, command: 'check', atHead, exitCode: atHead ? EXIT.done : EXIT.notStarted };
}

export function tenantsFailure(error: TenantsError | CommandError, runId?: string): TenantsFailureDocument {
  const { code, message, next } = error;
  const summary = error instanceof TenantsError ? error.summary : undefined;
  const told = { contract: CONTRACT_VERSION, status: 'failed', error: { code, message, next } } as const;
  return { ...summary, ...told, runId: summary?.runId ?? runId ?? null, exitCode: tenantsExitCode(code) };
}
