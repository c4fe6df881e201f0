import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type FailureCode, MigrateError } from '../../contract';
import { isTenantApprovalAnswer, type TenantApproval, type TenantApprovalAnswer } from '../../contract/tenants';
import { parseJson } from '../json';
import { sdkError } from '../sdk-errors';
import type { Target } from '../target';

/** Sends what somebody has decided about the canaries of a run. Sent twice, it is taken once. */
export async function sendApproval(
  lambda: LambdaClient,
  target: Target,
  approval: TenantApproval,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await invoke(lambda, target, approval, signal);
  if (answer.status === 'taken') return;
  throw new MigrateError(
    'not_waiting',
    `run ${approval.runId} waits for no approval: there is no such run, it is not that far, it is over, or somebody else was first`,
    'see how far it is: watch it with --run',
  );
}

async function invoke(
  lambda: LambdaClient,
  target: Target,
  approval: TenantApproval,
  abortSignal?: AbortSignal,
): Promise<TenantApprovalAnswer> {
  const command = new InvokeCommand({ FunctionName: target.functionName, Payload: Buffer.from(JSON.stringify(approval)) });
  const { Payload, FunctionError } = await lambda.send(command, { abortSignal }).catch((error) => {
    abortSignal?.throwIfAborted();
    throw invokeError(error, target);
  });
  const text = Payload?.transformToString() ?? '';
  const answer = parseJson(text);
  if (!FunctionError && isTenantApprovalAnswer(answer)) return answer;
  const message = `${target.functionName} answered with something that is no answer to an approval: ${text.slice(0, 200) || 'nothing'}`;
  throw new MigrateError('unexpected_answer', message, `see the function's log in /aws/lambda/${target.functionName}`);
}

function invokeError(error: unknown, target: Target): MigrateError {
  const failure = sdkError(error, target);
  const next = NEXT[failure.code];
  return next === undefined ? failure : failure.with({ next });
}

const NEXT: Partial<Record<FailureCode, string>> = {
  function_not_found:
    'check the stage and the run; canaries wait for an approval only where the construct says so (TenantCanary with `approval`)',
  access_denied:
    'sign in again if the session has expired; otherwise grant the invoke of that function (`grantApprove` of the construct)',
  network: 'try again: an approval is taken once, however often it is sent',
};
