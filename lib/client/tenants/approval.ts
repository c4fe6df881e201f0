import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { isTenantApprovalAnswer, type TenantApproval, type TenantApprovalAnswer } from '../../contract/tenants';
import { parseJson } from '../json';
import { sdkError } from '../sdk-errors';
import type { Target } from '../target';
import { TENANTS_CLIENT_CODES, TenantsError, type TenantsErrorCode } from './errors';

/** Sends a decision about the canaries of a run. It counts once, even if it is sent twice. */
export async function sendApproval(
  lambda: LambdaClient,
  target: Target,
  approval: TenantApproval,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await invoke(lambda, target, approval, signal);
  if (answer.status === 'taken') return;
  throw new TenantsError(
    'not_waiting',
    `run ${approval.runId} is not waiting for an approval: it does not exist, is not that far, has ended, or was answered already`,
    'follow it with --run to see where it is',
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
  const message = `${target.functionName} did not answer like an approval function: ${text.slice(0, 200) || 'nothing'}`;
  throw new TenantsError('unexpected_answer', message, `see the function's log in /aws/lambda/${target.functionName}`);
}

function invokeError(error: unknown, target: Target): TenantsError {
  const { code, message, next } = sdkError(error, target);
  if (code === 'function_not_found') {
    const why = 'only stages with an approval have this function (TenantCanary with `approval`)';
    return new TenantsError(code, message, `check the stage and the run; ${why}`, { cause: error });
  }
  if (code === 'access_denied')
    return new TenantsError(code, message, `${GRANT} (\`grantApprove\` of the construct)`, { cause: error });
  const known = TENANTS_CLIENT_CODES.find((one) => one === code) ?? 'unexpected_answer';
  return new TenantsError(known satisfies TenantsErrorCode, message, known === 'network' ? AGAIN : next, { cause: error });
}

const GRANT = 'sign in again if the session has expired; otherwise grant lambda:InvokeFunction';
const AGAIN = 'try again: an approval counts once, even if it is sent twice';
