import type { DataLoss, FailureDetail } from '../answer';
import type { Count, Text } from '../basic';
import { ANSWER_SCHEMAS } from '../checks/answer-schemas';
import { matches } from '../checks/json-schema';
import type { CONTRACT_VERSION } from '../names';
import type { DriftedObject, DriftReport } from '../production/drift';
import { type Tenant, type TenantCommand, tenantListProblems } from './request';

/**
 * A tenant's state after a call.
 *
 * - `complete`: at head
 * - `pending`: a plan, or the command `drift`, found revisions that are not applied yet
 * - `partial`: the call's time was used up between two of its revisions; it is among `left`
 * - `ahead`: it found revisions that this code does not have
 * - `failed`: see `error`; applied revisions stay
 */
export const TENANT_STATUSES = ['complete', 'pending', 'partial', 'ahead', 'failed'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

interface Outcome {
  readonly tenant: Text;
  /** Ids of the revisions that the call committed. */
  readonly applied: readonly string[];
  /** Number of pending revisions. */
  readonly pending: Count;
  readonly durationMs: Count;
}

export interface TenantFailed extends Outcome {
  readonly status: 'failed';
  /** As with TenantDone. Absent: could not be determined. */
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly error: FailureDetail;
}

export interface TenantDone extends Outcome {
  /** Revisions in its version table before the call and after it; empty: base. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly status: Exclude<TenantStatus, 'failed'>;
  /** Only for `drift`. */
  readonly drift?: TenantDrift;
  readonly error?: undefined;
}

/** A tenant's schema, or its own database, compared with the catalog that its last run kept. */
export interface TenantDrift extends Pick<DriftReport, 'status' | 'reason' | 'keptAt'> {
  /** How many objects differ. */
  readonly count: Count;
  /** The first of them. Long definitions are left out. */
  readonly objects: readonly DriftedObject[];
}

export type TenantOutcome = TenantDone | TenantFailed;

/** The worker's answer, including tenants that failed. A call that can't start (project, settings, no database) is a MigrateFailure. */
export interface TenantAnswer {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: Exclude<TenantCommand, 'tenants'>;
  readonly stage: string;
  /** `partial`: ask again for `left`. */
  readonly status: 'complete' | 'partial';
  readonly heads: readonly string[];
  readonly outcomes: readonly TenantOutcome[];
  /** Tenants that the call did not finish, as they were given; without those after the tolerated failures. */
  readonly left: readonly Tenant[];
  /** Tenants that were not started, because more than `toleratedFailures` had failed. */
  readonly notStarted: readonly string[];
  /** How many of `outcomes` are `failed`. */
  readonly failed: Count;
  /** What the pending revisions destroy, each once. */
  readonly dataLoss: readonly DataLoss[];
  readonly warnings: readonly string[];
  readonly protected: boolean;
}

/** The answer to `tenants`. */
export interface TenantList {
  readonly contract: typeof CONTRACT_VERSION;
  readonly command: 'tenants';
  readonly stage: string;
  /** Ordered by name, at most {@link TENANTS_PAGE}. */
  readonly tenants: readonly Tenant[];
  /** Whether there are more: ask again with `after` set to the last name. */
  readonly more: boolean;
}

/** Whether a value is the worker's answer to `upgrade`, `plan` or `drift`. Unknown keys are allowed: a newer worker may add some. */
export function isTenantAnswer(value: unknown): value is TenantAnswer {
  return matches<TenantAnswer>(ANSWER_SCHEMAS, 'TenantAnswer', value) && tenantListProblems(value.left).length === 0;
}

/** Whether a value is the worker's answer to `tenants`. */
export function isTenantList(value: unknown): value is TenantList {
  return matches<TenantList>(ANSWER_SCHEMAS, 'TenantList', value) && tenantListProblems(value.tenants).length === 0;
}
