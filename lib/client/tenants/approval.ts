import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { MigrateError } from '../../contract';
import { isTenantApprovalAnswer, type TenantApproval, type TenantApprovalAnswer } from '../../contract/tenants';
import { parseJson } from '../json';
import { type AwsCall, sdkFailure } from '../sdk-failure';
import { invokeOf, type Target } from '../target';

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
    throw sdkFailure(error, approvalOf(target));
  });
  const text = Payload?.transformToString() ?? '';
  const answer = parseJson(text);
  if (!FunctionError && isTenantApprovalAnswer(answer)) return answer;
  const message = `${target.functionName} answered with something that is no answer to an approval: ${text.slice(0, 200) || 'nothing'}`;
  throw new MigrateError('unexpected_answer', message, `see the function's log in /aws/lambda/${target.functionName}`);
}

const AGAIN = 'try again: an approval is taken once, however often it is sent';

function approvalOf(target: Target): AwsCall {
  const { missing, next, ...call } = invokeOf(target);
  return {
    ...call,
    missing: missing && {
      ...missing,
      next: 'check the stage and the run; canaries wait for an approval only where the construct says so (TenantCanary with `approval`)',
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
