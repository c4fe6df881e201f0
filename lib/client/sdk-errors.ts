import type { LambdaServiceException } from '@aws-sdk/client-lambda';
import { type ErrorCode, MigrateError } from '../contract';
import { lookCommand, type Target } from './target';

const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];

const ACCESS_DENIED = [
  'AccessDeniedException',
  'AccessDenied',
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'MissingAuthenticationTokenException',
];

const THROTTLED = ['TooManyRequestsException', 'ThrottlingException', 'EC2ThrottledException'];

/** Lambda could not start the function: its network, key, file system, code or runtime. Nothing has run. */
const CANNOT_START =
  /^(EC2|ENI|EFS|KMS|S3Files|SnapStart|CodeArtifact|Subnet|InvalidSubnet|InvalidSecurity|InvalidRuntime|InvalidZip|Resource(Conflict|NotReady))/;

/** What the SDK threw, as an error of this library. */
export function sdkError(error: unknown, target: Target): MigrateError {
  const { name, message, $metadata } = error as LambdaServiceException;
  const status = $metadata?.httpStatusCode;
  const fail = (code: ErrorCode, text: string, next: string) => new MigrateError(code, text, next, { cause: error });

  if (NO_CREDENTIALS.includes(name)) {
    const next = 'sign in (`aws sso login`), set AWS_PROFILE or --profile, or give the job a role';
    return fail('no_credentials', `there are no usable AWS credentials: ${message}`, next);
  }
  if (name === 'ResourceNotFoundException') {
    const where = target.stage === undefined ? '' : ` for stage "${target.stage}"`;
    return fail(
      'function_not_found',
      `there is no function ${target.functionName}${where} in ${target.region} in this account`,
      'check the stage, the app name, the region and the account; a stage that is new is deployed first',
    );
  }
  if (ACCESS_DENIED.includes(name) || status === 401 || status === 403) {
    const next =
      'sign in again if the session has expired; otherwise grant lambda:InvokeFunction (`grantInvoke` of the construct)';
    return fail('access_denied', `AWS refused the call of ${target.functionName}: ${name}: ${message}`, next);
  }
  if (THROTTLED.includes(name) || status === 429) {
    const next = 'nothing was started: try again in a minute, or reserve concurrency for the function';
    return fail('throttled', `Lambda had no room for ${target.functionName}: ${message}`, next);
  }
  if (CANNOT_START.test(name)) {
    const next = "nothing was started: see the function's state in the Lambda console, then try again";
    return fail('function_not_ready', `Lambda could not start ${target.functionName}: ${name}: ${message}`, next);
  }
  if (status !== undefined && status < 500) {
    const next = 'check the function name and the endpoint';
    return fail('unexpected_answer', `Lambda did not take the call of ${target.functionName}: ${name}: ${message}`, next);
  }
  return networkError(error, target);
}

/** The request did not leave: in these words, or with these codes, Node says that there was no connection. */
const NEVER_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|connect E|did not establish a connection|certificate/;

function networkError(error: unknown, target: Target): MigrateError {
  const { message, code } = error as NodeJS.ErrnoException;
  const reason = message || code || String(error);
  if (NEVER_SENT.test(reason)) {
    const next = 'nothing was started: check the network, the region and the endpoint';
    return new MigrateError('network', `Lambda's API in ${target.region} can't be reached: ${reason}`, next, { cause: error });
  }
  return new MigrateError(
    'network',
    `the call of ${target.functionName} was lost before its answer came: ${reason}`,
    `a run may still be going on; see where the database is with \`${lookCommand(target)}\`, then start again`,
    { cause: error },
  );
}
