import type { TenantCode, TenantRunSummary } from '../../contract/tenants';

/** Codes for a run over tenants that can't be started, watched or approved. A code never changes its meaning. */
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
  /** the state machine has no run of this id; Step Functions keeps runs for 90 days */
  'run_not_found',
  /** the run is not waiting for an approval: not yet, not anymore, or it was answered already */
  'not_waiting',
  'throttled',
  'network',
  /** an answer that does not follow the contract */
  'unexpected_answer',
] as const;
export type TenantsClientCode = (typeof TENANTS_CLIENT_CODES)[number];

export type TenantsErrorCode = TenantCode | TenantsClientCode;

/** More details of an error, if known. */
export interface TenantsErrorDetails {
  /** The run's summary, if it got that far. */
  readonly summary?: TenantRunSummary;
  /** What led to this error. */
  readonly cause?: unknown;
}

/** Any failure of a run over tenants. Branch on `code`. */
export class TenantsError extends Error {
  override readonly name = 'TenantsError';
  /** How far the run got; absent if it recorded nothing or did not start. */
  readonly summary?: TenantRunSummary;

  /**
   * @param code the stable code
   * @param message what went wrong, with what
   * @param next the next step
   * @param details more details, if known
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
