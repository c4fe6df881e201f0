import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { MigrateError, type RunnerCode, type RunRecord } from '../../contract';
import { CONTAINER_EXITS } from '../../contract/exit-codes';
import { parseJson } from '../json';
import type { AwsCall } from '../sdk-failure';

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

/** @param what is asked of Step Functions, such as `states:StartExecution of <arn>` */
export function containerCall(what: string): AwsCall {
  return {
    service: 'Step Functions',
    what,
    next: {
      accessDenied: 'sign in again if the session has expired; otherwise `grantInvoke` of the construct permits it',
      notAccepted: 'deploy the stage again: its function and its state machine do not belong together',
    },
    meanwhile: 'a container that was started goes on, and running again finds it',
  };
}
