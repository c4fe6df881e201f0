import type { SFNClient, SFNServiceException } from '@aws-sdk/client-sfn';
import { type FailureCode, MigrateError } from '../../contract/failure';
import type { ConnectionOptions } from '../lambda-client';

/** The SDK of Step Functions, loaded when it is used: who migrates one database does not pay for it. */
export function sfnSdk(): typeof import('@aws-sdk/client-sfn') {
  return require('@aws-sdk/client-sfn');
}

const CONNECTION_TIMEOUT_MS = 5_000;

/** Calls of Step Functions are short: after this long without a response, none will arrive. */
const REQUEST_TIMEOUT_MS = 15_000;

/** A client of Step Functions. It may send each call again: they read, or start a run by its own name. */
export function sfnClient({ region, profile, endpoint }: ConnectionOptions): SFNClient {
  const { SFNClient: Client } = sfnSdk();
  const requestHandler = { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: REQUEST_TIMEOUT_MS };
  return new Client({ region, profile, endpoint, requestHandler });
}

/** The client's region; none is an error with a next step. */
export async function sfnRegion(client: SFNClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    const next = 'give --region (option `region` of TenantsClient), set AWS_REGION, or use a profile that has a region';
    throw new MigrateError('invalid_usage', 'the AWS region is not set', next, { cause });
  }
}

const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];
const ACCESS_DENIED =
  /^(AccessDenied|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|MissingAuthenticationToken|KmsAccessDenied)/;
const THROTTLED = /^(Throttling|ThrottledException|TooManyRequests|RequestLimitExceeded|ExecutionLimitExceeded|KmsThrottling)/;

/**
 * What the SDK threw, as an error of this library.
 *
 * @param what was asked, such as `states:StartExecution of <name>`
 */
export function sfnError(error: unknown, what: string): MigrateError {
  if (error instanceof MigrateError) return error;
  const { name, message, $metadata } = error as SFNServiceException;
  const status = $metadata?.httpStatusCode;
  const fail = (code: FailureCode, text: string, next: string) => new MigrateError(code, text, next, { cause: error });

  if (NO_CREDENTIALS.includes(name)) {
    const next = 'sign in (`aws sso login`), set AWS_PROFILE or --profile, or give the job a role';
    return fail('no_credentials', `there are no usable AWS credentials: ${message}`, next);
  }
  if (ACCESS_DENIED.test(name) || status === 401 || status === 403) {
    const next = 'sign in again if the session has expired; otherwise grant what it takes (`grantRun` of the construct)';
    return fail('access_denied', `AWS refused ${what}: ${name}: ${message}`, next);
  }
  if (THROTTLED.test(name) || status === 429) {
    return fail('throttled', `Step Functions had no room for ${what}: ${message}`, 'try again in a minute');
  }
  if (name === 'StateMachineDoesNotExist') {
    const next = 'check the ARN, the region and the account';
    return fail('state_machine_not_found', `there is no such state machine: ${message}`, next);
  }
  if (status !== undefined && status < 500) {
    const next = 'check the stage, the region and the endpoint';
    return fail('unexpected_answer', `Step Functions did not take ${what}: ${name}: ${message}`, next);
  }
  const { code } = error as NodeJS.ErrnoException;
  const next = 'check the network, the region and the endpoint, then try again';
  return fail('network', `Step Functions can't be reached for ${what}: ${message || code || String(error)}`, next);
}
