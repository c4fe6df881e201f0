import type { DescribeExecutionCommandOutput, SFNServiceException } from '@aws-sdk/client-sfn';
import { type ErrorCode, MigrateError, type RunnerCode, type RunRecord } from '../contract';
import { CONTAINER_EXITS } from '../contract/exit-codes';
import { parseJson } from './json';

/** What a run in the container has recorded of its own failure. */
export function recordedFailure(code: RunnerCode, record: RunRecord, execution: DescribeExecutionCommandOutput): MigrateError {
  const next =
    code === 'cancelled'
      ? 'run again when it may: it goes on from there'
      : `fix what it names and run again: it goes on from there; ${whereToLook(execution)}`;
  return new MigrateError(code, `in the container: ${record.error ?? `the run ended as ${code}`}`, next);
}

/** What Step Functions knows of an execution whose run has recorded nothing. */
export function containerFailed(execution: DescribeExecutionCommandOutput): MigrateError {
  const { status, executionArn, error, cause = '' } = execution;
  if (status === 'ABORTED') {
    const next = `see where the database is before you run again; ${whereToLook(execution)}`;
    return new MigrateError('cancelled', `the execution ${executionArn} was stopped from outside`, next);
  }
  const reason = reasonOf(cause) || [error, cause.slice(0, 300)].filter(Boolean).join(': ') || `the execution is ${status}`;
  return new MigrateError(
    'container_failed',
    `the container has ended without a record of its run: ${reason}`,
    `${whereToLook(execution)}; running again goes on from where the database is`,
  );
}

/** What ECS says of a task that has ended: exit code and reasons. */
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
  return `its log is /aws/lambda/${machine.replace(/-container$/, '')}/container`;
}

const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];
const ACCESS_DENIED =
  /^(AccessDenied|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|MissingAuthenticationToken|KmsAccessDenied)/;
const THROTTLED = /^(Throttling|ThrottledException|TooManyRequests|RequestLimitExceeded|ExecutionLimitExceeded|KmsThrottling)/;

/**
 * What the SDK threw, as an error of this library.
 *
 * @param what was asked, such as `states:StartExecution of <arn>`
 */
export function sfnFailure(error: unknown, what: string): MigrateError {
  const { name, message, $metadata } = error as SFNServiceException;
  const status = $metadata?.httpStatusCode;
  const fail = (code: ErrorCode, text: string, next: string) => new MigrateError(code, text, next, { cause: error });
  const goesOn = 'a container that was started goes on';

  if (NO_CREDENTIALS.includes(name)) {
    const next = `sign in (\`aws sso login\`), set AWS_PROFILE or --profile, or give the job a role; ${goesOn}`;
    return fail('no_credentials', `there are no usable AWS credentials: ${message}`, next);
  }
  if (ACCESS_DENIED.test(name) || status === 401 || status === 403) {
    const next = `sign in again if the session has expired; otherwise \`grantInvoke\` of the construct permits it; ${goesOn}`;
    return fail('access_denied', `AWS refused ${what}: ${name}: ${message}`, next);
  }
  if (THROTTLED.test(name) || status === 429) {
    return fail('throttled', `Step Functions had no room for ${what}: ${message}`, `try again in a minute; ${goesOn}`);
  }
  if (status !== undefined && status < 500) {
    const next = 'deploy the stage again: its function and its state machine do not belong together';
    return fail('unexpected_answer', `Step Functions did not take ${what}: ${name}: ${message}`, next);
  }
  const { code } = error as NodeJS.ErrnoException;
  const next = `check the network; ${goesOn}, and running again finds it`;
  return fail('network', `Step Functions can't be reached for ${what}: ${message || code || String(error)}`, next);
}
