import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { MigrateError, type RunnerCode, type RunRecord } from '../../contract';
import { CONTAINER_EXITS } from '../../contract/exit-codes';
import { parseJson } from '../json';
import type { AwsCall } from '../sdk-failure';

/** The failure that a run in the container recorded. */
export function recordedFailure(code: RunnerCode, record: RunRecord, execution: DescribeExecutionCommandOutput): MigrateError {
  const next =
    code === 'cancelled'
      ? 'run it again when you are ready: it continues from there'
      : `fix the cause and run again: it continues from there; ${whereToLook(execution)}`;
  return new MigrateError(code, `in the container: ${record.error ?? `the run ended as ${code}`}`, next);
}

/** The failure of an execution whose run recorded none, as Step Functions reports it. */
export function containerFailed(execution: DescribeExecutionCommandOutput): MigrateError {
  const { status, executionArn, error, cause = '' } = execution;
  if (status === 'ABORTED') {
    const next = `check the database's revision (--command current) before you run it again; ${whereToLook(execution)}`;
    return new MigrateError('cancelled', `someone stopped the execution ${executionArn}`, next);
  }
  const reason = reasonOf(cause) || [error, cause.slice(0, 300)].filter(Boolean).join(': ') || `the execution is ${status}`;
  return new MigrateError(
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

/** @param what names the call, such as `states:StartExecution of <arn>` */
export function containerCall(what: string): AwsCall {
  return {
    service: 'Step Functions',
    what,
    next: {
      accessDenied: 'sign in again if the session has expired; otherwise grant it with `grantInvoke` of the construct',
      notAccepted: 'deploy the stage again: its function and its state machine do not match',
    },
    meanwhile: 'a container that has started keeps running, and the next run finds it',
  };
}
