import type { TenantCode, TenantRunSummary } from '../../contract/tenants';

/** Codes of what keeps a run over tenants from being started, watched or approved. A code never changes its meaning. */
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

export type TenantsErrorCode = TenantCode | TenantsClientCode;

/** What is known about an error besides its code, its message and the next step. */
export interface TenantsErrorDetails {
  /** The run's own end, where it got as far as telling it. */
  readonly summary?: TenantRunSummary;
  /** What led to this error. */
  readonly cause?: unknown;
}

/** Anything that keeps a run over tenants from being done. Branch on `code`. */
export class TenantsError extends Error {
  override readonly name = 'TenantsError';
  /** How far the run came; absent when it told nothing, or was not begun. */
  readonly summary?: TenantRunSummary;

  /**
   * @param code what kind of error it is
   * @param message what went wrong, with what
   * @param next what to do about it
   * @param details what else is known
   */
  constructor(
    readonly code: TenantsErrorCode,
    message: string,
    readonly next: string,
    { summary, cause }: TenantsErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.summary = summary;
  }
}
