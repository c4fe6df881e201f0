import { DEFAULT_APP_NAME, functionName } from '../contract';
import type { AwsCall } from './sdk-failure';

/** The function that a client speaks to. */
export interface Target {
  readonly functionName: string;
  /** Unknown when the client was given the function's name alone. */
  readonly stage?: string;
  readonly region: string;
}

/** The command that shows where the database is, for the "next step" of errors that leave it open. */
export function lookCommand({ stage, functionName: name }: Pick<Target, 'stage' | 'functionName'>): string {
  const byStage = stage !== undefined && name === functionName(DEFAULT_APP_NAME, stage);
  return `npx migrate-invoke ${byStage ? `--stage ${stage}` : `--function-name ${name}`} --command current`;
}

/** An invoke of the function. It is sent once: what was never sent has started nothing. */
export function invokeOf(target: Target): AwsCall {
  const where = target.stage === undefined ? '' : ` for stage "${target.stage}"`;
  return {
    service: 'Lambda',
    what: `the call of ${target.functionName}`,
    missing: {
      code: 'function_not_found',
      message: `there is no function ${target.functionName}${where} in ${target.region} in this account`,
      next: 'check the stage, the app name, the region and the account; a stage that is new is deployed first',
    },
    next: {
      accessDenied:
        'sign in again if the session has expired; otherwise grant lambda:InvokeFunction (`grantInvoke` of the construct)',
      throttled: 'nothing was started: try again in a minute, or reserve concurrency for the function',
      notAccepted: 'check the function name and the endpoint',
      notConnected: 'nothing was started: check the network, the region and the endpoint',
      lost: `a run may still be going on; see where the database is with \`${lookCommand(target)}\`, then start again`,
    },
  };
}
