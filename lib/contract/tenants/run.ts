import type { Count, DataLoss, ErrorCode, FailureDetail, Text } from '../answer';
import { ANSWER_SCHEMAS } from '../checks/answer-schemas';
import { fits } from '../checks/json-schema';
import { choiceOf, listOf, problemsOf, type Shape, yesOrNo } from '../checks/rules';
import type { CONTRACT_VERSION } from '../names';
import { ALLOW, type Allowance, REQUESTED_BY, RUN_ID } from '../request';
import { TENANT_NAME } from './request';

/** What stops a run over tenants. A code never changes its meaning. */
export const TENANT_CODES = [
  /** more tenants failed than are tolerated; the others are migrated, or were not begun */
  'tenants_failed',
  /** a tenant was named that the list does not have */
  'unknown_tenant',
  /** the tenants can't be listed, or the list holds one that can't be used */
  'tenants_unavailable',
  /** nobody approved the canaries in time, or somebody said no */
  'not_approved',
  /** the run was stopped from outside, ran out of time, or its state machine failed */
  'run_aborted',
] as const;
export type TenantCode = (typeof TENANT_CODES)[number];

/** Codes of what keeps a run over tenants from being started, watched or approved. */
export const TENANTS_CLIENT_CODES = [
  'invalid_usage',
  /** the run's own words for an input that can't be used: it was started by hand, or by another version */
  'invalid_request',
  'no_credentials',
  'access_denied',
  /** the stage has no state machine in this account and region */
  'state_machine_not_found',
  /** the stage's canaries need no approval, or the stage is not there: nothing takes one */
  'function_not_found',
  /** the function that takes an approval can't run yet */
  'function_not_ready',
  /** the state machine has had no run of this id, or it is forgotten: Step Functions keeps them for 90 days */
  'run_not_found',
  /** the run waits for no approval: not yet, not any more, or somebody else was first */
  'not_waiting',
  'throttled',
  'network',
  /** an answer that does not follow the contract */
  'unexpected_answer',
] as const;
export type TenantsClientCode = (typeof TENANTS_CLIENT_CODES)[number];

/** Input of an execution of the state machine. `{}` upgrades all tenants. Unknown keys are refused. */
export interface TenantRunInput {
  /** @default 'upgrade' */
  readonly command?: 'upgrade' | 'plan';
  /** Names. @default - all */
  readonly tenants?: readonly string[];
  /** Those that failed in the last upgrade, and those that it did not begin. Not together with `tenants`. @default false */
  readonly retryFailed?: boolean;
  readonly allow?: readonly Allowance[];
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** The two waves of a run. A plan has one, `rest`. */
export const WAVES = ['canary', 'rest'] as const;
export type Wave = (typeof WAVES)[number];

/** Payload of an invoke of the function that answers a run which waits for the approval of its canaries. */
export interface TenantApproval {
  readonly runId: string;
  /** false: the rest is not begun, and the run fails with `not_approved`. */
  readonly approved: boolean;
  /** @default 'invoke' */
  readonly requestedBy?: string;
}

/** Its answer. */
export interface TenantApprovalAnswer {
  readonly contract: typeof CONTRACT_VERSION;
  readonly runId: Text;
  /** `not_waiting`: the run is not there, not there yet, over it already, or somebody else was first. */
  readonly status: 'taken' | 'not_waiting';
}

/**
 * Why a tenant failed. Besides the runner's codes: `function_crashed` and its like when the worker ended without an answer,
 * `run_aborted` when the tenant's batch did not come to an end.
 */
export interface TenantError extends Omit<FailureDetail, 'code'> {
  readonly code: ErrorCode | TenantCode;
}

/** A tenant that failed, as the summary tells it. */
export interface TenantFailure {
  readonly tenant: Text;
  readonly error: TenantError;
}

/** Failures that a summary holds at most: with Step Functions' limit of 32,768 characters for a cause in mind. All are in `detailsUri`. */
export const MAX_SUMMARY_FAILURES = 50;

/** Output of an execution that succeeded, and, as JSON, the cause of one that failed with a TenantCode. */
export interface TenantRunSummary {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: 'upgrade' | 'plan';
  readonly stage: Text;
  /** Name of the execution, a UUID. */
  readonly runId: Text;
  /** `complete`: all at head, or the failures are tolerated; `pending`: a plan found something; `failed`: see `error`. */
  readonly status: 'complete' | 'pending' | 'failed';
  readonly total: Count;
  /** Tenants at head that were there before, and those that the run brought there. */
  readonly unchanged: Count;
  readonly migrated: Count;
  readonly pending: Count;
  readonly ahead: Count;
  readonly failed: Count;
  /** Not begun, because too many had failed or the canaries were not approved. */
  readonly notBegun: Count;
  readonly heads: readonly string[];
  /** How many tenants are where after the run, most first; an empty list of revisions is base. */
  readonly places: readonly { readonly revisions: readonly string[]; readonly tenants: Count }[];
  readonly failures: readonly TenantFailure[];
  readonly dataLoss: readonly DataLoss[];
  readonly warnings: readonly string[];
  readonly protected: boolean;
  /** `s3://<bucket>/runs/<runId>/`: each batch's answers, and all failures. */
  readonly detailsUri: Text;
  /** With `failed`. `invalid_request`: the input of the execution can't be used. */
  readonly error?: { readonly code: TenantCode | 'invalid_request'; readonly message: Text; readonly next: Text };
}

/** The rules of a {@link TenantRunInput}. */
export const TENANT_RUN_INPUT: Shape<TenantRunInput> = {
  name: 'the input',
  by: 'command',
  keys: {
    command: choiceOf(['upgrade', 'plan'], { default: 'upgrade', wrong: 'unknown command {value}: use upgrade or plan' }),
    tenants: listOf(TENANT_NAME, '{key} must be a list of names, at least one', { min: 1 }),
    retryFailed: yesOrNo(),
    allow: ALLOW,
    requestedBy: REQUESTED_BY,
  },
  notBoth: { keys: ['tenants', 'retryFailed'], wrong: 'retryFailed goes without tenants: it has its own list' },
};

/** The rules of a {@link TenantApproval}. */
export const TENANT_APPROVAL: Shape<TenantApproval> = {
  name: 'the request',
  keys: { runId: { ...RUN_ID, neededBy: 'all' }, approved: yesOrNo({ neededBy: 'all' }), requestedBy: REQUESTED_BY },
};

/** All that is wrong with the input of an execution; empty when it can be started. */
export function tenantRunInputProblems(input: unknown): string[] {
  return problemsOf(TENANT_RUN_INPUT, input);
}

/** All that is wrong with an answer to a run that waits for its approval; empty when it can be taken. */
export function tenantApprovalProblems(approval: unknown): string[] {
  return problemsOf(TENANT_APPROVAL, approval);
}

/** Whether a value is the answer to a TenantApproval. */
export function isTenantApprovalAnswer(value: unknown): value is TenantApprovalAnswer {
  return fits(ANSWER_SCHEMAS, 'TenantApprovalAnswer', value);
}

/** Whether a value is what a run says of its end. */
export function isTenantRunSummary(value: unknown): value is TenantRunSummary {
  if (!fits<TenantRunSummary>(ANSWER_SCHEMAS, 'TenantRunSummary', value)) return false;
  return (value.status === 'failed') === (value.error !== undefined);
}
