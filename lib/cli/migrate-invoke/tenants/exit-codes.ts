import type { TenantsErrorCode } from '../../../client/tenants/errors';
import type { CommandCode } from '../../answer/command-error';
import { EXIT } from '../../answer/exit-codes';

const EXIT_CODES: Record<TenantsErrorCode | CommandCode, number> = {
  tenants_failed: EXIT.failed,
  run_aborted: EXIT.failed,
  unexpected_answer: EXIT.failed,

  invalid_usage: EXIT.usage,
  invalid_request: EXIT.usage,
  unknown_tenant: EXIT.usage,
  run_not_found: EXIT.usage,

  not_approved: EXIT.notStarted,
  not_waiting: EXIT.notStarted,
  declined: EXIT.notStarted,

  tenants_unavailable: EXIT.notReachable,
  no_credentials: EXIT.notReachable,
  access_denied: EXIT.notReachable,
  state_machine_not_found: EXIT.notReachable,
  function_not_found: EXIT.notReachable,
  throttled: EXIT.notReachable,
  network: EXIT.notReachable,

  interrupted: EXIT.interrupted,
};

/** The exit code of an error of a run over tenants. */
export function tenantsExitCode(code: TenantsErrorCode | CommandCode): number {
  return EXIT_CODES[code];
}
