import type { DataLoss, ErrorCode, FailureFacts } from '../answer';
import type { Count, Text } from '../basic';
import { ANSWER_SCHEMAS } from '../checks/answer-schemas';
import { matches } from '../checks/json-schema';
import { choiceOf, listOf, problemsOf, type Rule, type Shape, text, yesOrNo } from '../checks/rules';
import type { CONTRACT_VERSION } from '../names';
import { REQUESTED_BY, RUN_ID } from '../request';
import type { TenantDrift } from './answer';
import { TENANT_ALLOW, TENANT_NAME, type TenantAllowance } from './request';

/** Codes of a run over tenants. A code never changes its meaning. */
export const TENANT_CODES = [
  /** more tenants failed than are tolerated; the others are migrated, or were not started */
  'tenants_failed',
  /** the list does not have a named tenant */
  'unknown_tenant',
  /** the list of tenants is empty */
  'no_tenants',
  /** the tenants could not be listed, or the list is invalid */
  'tenants_unavailable',
  /** nobody approved the canaries in time, or someone rejected them */
  'not_approved',
  /** someone stopped the run, it ran out of time, or its state machine failed */
  'run_aborted',
] as const;
export type TenantCode = (typeof TENANT_CODES)[number];

/** Codes for a run over tenants that can't be started, watched or approved. */
export const TENANTS_CLIENT_CODES = [
  'invalid_usage',
  /** the run rejected its input: it was started by hand, or by another version */
  'invalid_request',
  'no_credentials',
  'access_denied',
  /** the stage has no state machine in this account and region */
  'state_machine_not_found',
  /** the stage's canaries need no approval, or the stage does not exist */
  'function_not_found',
  /** the function that takes an approval can't run yet */
  'function_not_ready',
  /** the state machine has no run of this id; Step Functions keeps runs for 90 days */
  'run_not_found',
  /** the run is not waiting for an approval: not yet, not anymore, or it was already answered */
  'not_waiting',
  'throttled',
  'network',
  /** an answer that does not follow the contract */
  'unexpected_answer',
] as const;
export type TenantsClientCode = (typeof TENANTS_CLIENT_CODES)[number];

/** The commands of a run. */
export const TENANT_RUN_COMMANDS = ['upgrade', 'plan', 'drift'] as const;
export type TenantRunCommand = (typeof TENANT_RUN_COMMANDS)[number];

/** Input of an execution of the state machine. `{}` upgrades all tenants. Unknown keys are errors. */
export interface TenantRunInput {
  /** @default 'upgrade' */
  readonly command?: TenantRunCommand;
  /** Names. @default - all */
  readonly tenants?: readonly string[];
  /** Those that failed in the last upgrade, and those that it did not start. Not together with `tenants`. @default false */
  readonly retryFailed?: boolean;
  readonly allow?: readonly TenantAllowance[];
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** The two waves of a run. Only an upgrade has `canary`. */
export const WAVES = ['canary', 'rest'] as const;
export type Wave = (typeof WAVES)[number];

/** Name of an execution: the id of a run that was started with one, else a name by Step Functions or EventBridge. */
export const EXECUTION_NAME: Rule = text({
  pattern: '[A-Za-z0-9_-]{1,80}',
  wrong: '{key} must be the name of an execution',
});

/** Payload for the function that answers a run waiting for the approval of its canaries. */
export interface TenantApproval {
  readonly runId: string;
  /** false: the rest is not started, and the run fails with `not_approved`. */
  readonly approved: boolean;
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** Its answer. */
export interface TenantApprovalAnswer {
  readonly contract: typeof CONTRACT_VERSION;
  readonly runId: Text;
  /** `not_waiting`: the run does not exist, has not reached the approval, or was already answered. */
  readonly status: 'taken' | 'not_waiting';
}

/**
 * Why a tenant failed. In addition to the runner's codes: `function_crashed` and similar if the worker ended without an answer,
 * `run_aborted` if the tenant's batch did not finish.
 */
export interface TenantError extends FailureFacts {
  readonly code: ErrorCode | TenantCode;
  readonly message: Text;
  readonly next: Text;
}

/** A failed tenant in the summary. */
export interface TenantFailure {
  readonly tenant: Text;
  readonly error: TenantError;
}

/** Most failures in a summary, because Step Functions limits a cause to 32,768 characters. `detailsUri` has all of them. */
export const MAX_SUMMARY_FAILURES = 50;

/** A tenant that drifted, or could not be compared. */
export interface DriftedTenant extends TenantDrift {
  readonly tenant: Text;
}

/** Most drifted tenants in a summary. `drift.json` below `detailsUri` has all of them. */
export const MAX_SUMMARY_DRIFTED = 50;

/** The tenants' schemas compared with the catalogs that their last runs kept. */
export interface TenantsDrift {
  /** How many have no drift. */
  readonly none: Count;
  readonly drifted: Count;
  /** How many could not be compared. */
  readonly unknown: Count;
  /** Those that drifted, then those that could not be compared; at most {@link MAX_SUMMARY_DRIFTED}. */
  readonly tenants: readonly DriftedTenant[];
}

/** Output of a successful execution and, as JSON, the cause of one that failed with a TenantCode. */
export interface TenantRunSummary {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: TenantRunCommand;
  readonly stage: Text;
  /** Name of the execution: a UUID, except for a `drift` that EventBridge started. */
  readonly runId: Text;
  /** `complete`: all at head, or the failures are tolerated; `pending`: pending revisions were found; `failed`: see `error`. */
  readonly status: 'complete' | 'pending' | 'failed';
  readonly total: Count;
  /** Tenants that were already at head, and those that the run migrated. */
  readonly unchanged: Count;
  readonly migrated: Count;
  readonly pending: Count;
  readonly ahead: Count;
  readonly failed: Count;
  /** Not started, because too many failed or the canaries were not approved. */
  readonly notStarted: Count;
  readonly heads: readonly string[];
  /** How many tenants are at which revisions after the run, most first; an empty list of revisions is base. */
  readonly positions: readonly { readonly revisions: readonly string[]; readonly tenants: Count }[];
  readonly failures: readonly TenantFailure[];
  readonly dataLoss: readonly DataLoss[];
  readonly warnings: readonly string[];
  /** Only for `drift`. */
  readonly drift?: TenantsDrift;
  readonly protected: boolean;
  /** `s3://<bucket>/runs/<runId>/`: each batch's answers, all failures, and all that drifted. */
  readonly detailsUri: Text;
  /** Only with `failed`. `invalid_request`: the input of the execution is invalid. */
  readonly error?: { readonly code: TenantCode | 'invalid_request'; readonly message: Text; readonly next: Text };
}

/** The rules of a {@link TenantRunInput}. */
export const TENANT_RUN_INPUT: Shape<TenantRunInput> = {
  name: 'the input',
  by: 'command',
  keys: {
    command: choiceOf(TENANT_RUN_COMMANDS, {
      default: 'upgrade',
      wrong: `unknown command {value}: use ${TENANT_RUN_COMMANDS.join(', ')}`,
    }),
    tenants: listOf(TENANT_NAME, '{key} must be a list of names, at least one', { min: 1 }),
    retryFailed: yesOrNo(),
    allow: TENANT_ALLOW,
    requestedBy: REQUESTED_BY,
  },
  notBoth: { keys: ['tenants', 'retryFailed'], wrong: 'retryFailed excludes tenants: it has its own list' },
};

/** The rules of a {@link TenantApproval}. */
export const TENANT_APPROVAL: Shape<TenantApproval> = {
  name: 'the request',
  keys: { runId: { ...RUN_ID, neededBy: 'all' }, approved: yesOrNo({ neededBy: 'all' }), requestedBy: REQUESTED_BY },
};

/** All problems of an execution's input; empty: it is valid. */
export function tenantRunInputProblems(input: unknown): string[] {
  return problemsOf(TENANT_RUN_INPUT, input);
}

/** All problems of an answer to a run that waits for its approval; empty: it is valid. */
export function tenantApprovalProblems(approval: unknown): string[] {
  return problemsOf(TENANT_APPROVAL, approval);
}

/** Whether a value is the answer to a TenantApproval. */
export function isTenantApprovalAnswer(value: unknown): value is TenantApprovalAnswer {
  return matches(ANSWER_SCHEMAS, 'TenantApprovalAnswer', value);
}

/** Whether a value is a run's summary. */
export function isTenantRunSummary(value: unknown): value is TenantRunSummary {
  if (!matches<TenantRunSummary>(ANSWER_SCHEMAS, 'TenantRunSummary', value)) return false;
  return (value.status === 'failed') === (value.error !== undefined);
}
