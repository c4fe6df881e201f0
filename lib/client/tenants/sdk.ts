import type { SFNClient } from '@aws-sdk/client-sfn';
import { type ConnectionOptions, profileOf } from '../lambda-client';
import type { AwsCall } from '../sdk-failure';
import { type SfnSdk, stepFunctions } from '../step-functions';

/** The SDK of Step Functions, loaded on first use: migrating one database does not need it. */
export function sfnSdk(): SfnSdk {
  return require('@aws-sdk/client-sfn');
}

export function sfnClient(options: ConnectionOptions): SFNClient {
  const { region, endpoint } = options;
  return stepFunctions(sfnSdk(), { region, profile: profileOf(options), endpoint });
}

/** @param what the call of Step Functions, such as `states:StartExecution of <name>` */
export function machineCall(what: string): AwsCall {
  return {
    service: 'Step Functions',
    what,
    missing: {
      code: 'state_machine_not_found',
      message: `the state machine of ${what} does not exist`,
      next: 'check the ARN, the region and the account',
    },
    next: {
      accessDenied: 'sign in again if the session has expired; otherwise grant the permission (`grantRun` of the construct)',
    },
  };
}
