import { DEFAULT_APP_NAME, functionName } from '../contract';
import type { AwsCall } from './sdk-failure';

/** The function that a client calls. */
export interface Target {
  readonly functionName: string;
  /** Absent if the client knows only the function's name. */
  readonly stage?: string;
  readonly region: string;
}

/** The command that shows the database's revision: the next step after an error that leaves it unknown. */
export function currentCommand(target: Pick<Target, 'stage' | 'functionName'>): string {
  const which = isDefault(target) ? `--stage ${target.stage}` : `--function-name ${target.functionName}`;
  return `npx migrate-invoke ${which} --command current`;
}

/** What to check if the stage's function or state machine does not exist. */
export function whatToCheck(isDefaultName: boolean): string {
  const name = isDefaultName ? `the app name (--app-name; without one it is "${DEFAULT_APP_NAME}")` : 'the app name';
  return `check the stage, ${name}, the region and the account`;
}

/** Whether the function's name is the one of an app without a name. */
function isDefault({ stage, functionName: name }: Pick<Target, 'stage' | 'functionName'>): boolean {
  return stage !== undefined && name === functionName(DEFAULT_APP_NAME, stage);
}

/** A call of the function, which is sent only once: if it was never sent, nothing was started. */
export function invokeOf(target: Target): AwsCall {
  const where = target.stage === undefined ? '' : ` for stage "${target.stage}"`;
  return {
    service: 'Lambda',
    what: `the call of ${target.functionName}`,
    missing: {
      code: 'function_not_found',
      message: `there is no function ${target.functionName}${where} in ${target.region} in this account`,
      next: `${whatToCheck(isDefault(target))}; deploy a new stage first`,
    },
    next: {
      accessDenied:
        'sign in again if the session has expired; otherwise grant lambda:InvokeFunction (`grantInvoke` of the construct)',
      throttled: 'try again in a minute, or reserve concurrency for the function; nothing was started',
      notAccepted: 'check the function name and the endpoint',
      notConnected: 'check the network, the region and the endpoint; nothing was started',
      lost: `check the database's revision with \`${currentCommand(target)}\`, then start again; the run may still be active`,
    },
  };
}
