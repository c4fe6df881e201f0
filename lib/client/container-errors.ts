import type { DescribeExecutionCommandOutput, SFNServiceException } from '@aws-sdk/client-sfn';
import type { ErrorCode, RunnerCode, RunRecord } from '../contract';
import { CONTAINER_EXITS } from '../contract/exit-codes';
import { type MigrateError, migrateError } from './errors';
import { parseJson } from './json';

/** The failure that a run in the container recorded. */
export function recordedFailure(code: RunnerCode, record: RunRecord, execution: DescribeExecutionCommandOutput): MigrateError {
  const next =
    code === 'cancelled'
      ? 'run it again when it may run: it continues from there'
      : `fix the cause and run again: it continues from there; ${whereToLook(execution)}`;
  return migrateError(code, `in the container: ${record.error ?? `the run ended as ${code}`}`, next);
}

/** The failure of an execution whose run recorded nothing, as Step Functions reports it. */
export function containerFailed(execution: DescribeExecutionCommandOutput): MigrateError {
  const { status, executionArn, error, cause = '' } = execution;
  if (status === 'ABORTED') {
    const next = `check the database's revision (--command current) before you run it again; ${whereToLook(execution)}`;
    return migrateError('cancelled', `somebody stopped the execution ${executionArn}`, next);
  }
  const reason = reasonOf(cause) || [error, cause.slice(0, 300)].filter(Boolean).join(': ') || `the execution is ${status}`;
  return migrateError(
    'container_failed',
    `the container ended without recording a result: ${reason}`,
    `${whereToLook(execution)}; then run again: it continues from the database's revision`,
  );
}

/** Exit code and reasons of an ended task, from ECS. */
function reasonOf(cause: string): string {
  const task = parseJson(cause) as TaskDescription | undefined;
  const [container] = task?.Containers ?? [];
  const code = container?.ExitCode;
  const meaning = code === undefined ? undefined : exitOf(code);
  return [meaning, container?.Reason, task?.StoppedReason].filter(Boolean).join('; ');
}

function exitOf(code: number): string {
  const meaning = CONTAINER_EXITS[code];
  return meaning ? `exit code ${code} (${meaning})` : `exit code ${code}`;
}

interface TaskDescription {
  readonly StoppedReason?: string;
  readonly Containers?: readonly { readonly ExitCode?: number; readonly Reason?: string }[];
}

function whereToLook({ executionArn = '' }: DescribeExecutionCommandOutput): string {
  const machine = executionArn.split(':')[6] ?? '';
  return `see its log, /aws/lambda/${machine.replace(/-container$/, '')}/container`;
}

const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];
const ACCESS_DENIED =
  /^(AccessDenied|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|MissingAuthenticationToken|KmsAccessDenied)/;
const THROTTLED = /^(Throttling|ThrottledException|TooManyRequests|RequestLimitExceeded|ExecutionLimitExceeded|KmsThrottling)/;

/**
 * Translates an error of the SDK.
 *
 * @param what the failed call, such as `states:StartExecution of <arn>`
 */
export function sfnFailure(error: unknown, what: string): MigrateError {
  const { name, message, $metadata } = error as SFNServiceException;
  const status = $metadata?.httpStatusCode;
  const fail = (code: ErrorCode, text: string, next: string) => migrateError(code, text, next, { cause: error });
  const goesOn = 'a container that has started keeps running';

  if (NO_CREDENTIALS.includes(name)) {
    const next = `sign in (\`aws sso login\`), set AWS_PROFILE or --profile, or give the job a role; ${goesOn}`;
    return fail('no_credentials', `no usable AWS credentials: ${message}`, next);
  }
  if (ACCESS_DENIED.test(name) || status === 401 || status === 403) {
    const next = `sign in again if the session has expired; otherwise grant it with \`grantInvoke\` of the construct; ${goesOn}`;
    return fail('access_denied', `AWS refused ${what}: ${name}: ${message}`, next);
  }
  if (THROTTLED.test(name) || status === 429) {
    return fail('throttled', `Step Functions throttled ${what}: ${message}`, `try again in a minute; ${goesOn}`);
  }
  if (status !== undefined && status < 500) {
    const next = 'deploy the stage again: its function and its state machine do not match';
    return fail('unexpected_answer', `Step Functions rejected ${what}: ${name}: ${message}`, next);
  }
  const { code } = error as NodeJS.ErrnoException;
  const next = `check the network, then run it again; ${goesOn}, and the next run finds it`;
  return fail('network', `Step Functions is not reachable for ${what}: ${message || code || String(error)}`, next);
}
