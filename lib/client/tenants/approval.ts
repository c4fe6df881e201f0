import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { MigrateError } from '../../contract';
import { isTenantApprovalAnswer, type TenantApproval, type TenantApprovalAnswer } from '../../contract/tenants';
import { parseJson } from '../json';
import { type AwsCall, sdkFailure } from '../sdk-failure';
import { invokeOf, type Target } from '../target';

/** Sends a decision about the canaries of a run. It counts once, even if it is sent twice. */
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
    `run ${approval.runId} is not waiting for an approval: it does not exist, has not reached it, has ended, or was already answered`,
    'follow it with --run to see its progress',
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
    throw sdkFailure(error, approvalOf(target));
  });
  const text = Payload?.transformToString() ?? '';
  const answer = parseJson(text);
  if (!FunctionError && isTenantApprovalAnswer(answer)) return answer;
  const message = `${target.functionName} did not answer like an approval function: ${text.slice(0, 200) || 'nothing'}`;
  throw new MigrateError('unexpected_answer', message, `see the function's log in /aws/lambda/${target.functionName}`);
}

const AGAIN = 'try again: an approval counts once, even if it is sent twice';

function approvalOf(target: Target): AwsCall {
  const { missing, next, ...call } = invokeOf(target);
  return {
    ...call,
    missing: missing && {
      ...missing,
      next: 'check the stage and the run; only stages with an approval have this function (TenantCanary with `approval`)',
    },
    next: {
      ...next,
      accessDenied:
        'sign in again if the session has expired; otherwise grant the invoke of that function (`grantApprove` of the construct)',
      notConnected: AGAIN,
      lost: AGAIN,
    },
  };
}
