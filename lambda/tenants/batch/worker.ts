import { InvokeCommand } from '@aws-sdk/client-lambda';
import { functionError, unexpectedAnswer } from '../../../lib/client/function-errors';
import { parseJson } from '../../../lib/client/json';
import { lambdaClient, regionOf } from '../../../lib/client/lambda-client';
import { sdkFailure } from '../../../lib/client/sdk-failure';
import { invokeOf } from '../../../lib/client/target';
import { sendWhenReady } from '../../../lib/client/waiting/send-when-ready';
import {
  isTenantAnswer,
  isTenantList,
  type TenantAnswer,
  type TenantList,
  type TenantRequest,
} from '../../../lib/contract/tenants';
import { log } from '../../on-deploy/log';

/** How long one call waits for a worker that is Pending, Inactive or throttled; the state machine calls again. */
const READY_SECONDS = 45;

/** Calls the worker once. Throws only a MigrateError. */
export async function callWorker(functionName: string, request: TenantRequest): Promise<TenantAnswer | TenantList> {
  const lambda = lambdaClient({});
  const target = { functionName, region: await regionOf(lambda) };
  const command = new InvokeCommand({
    FunctionName: functionName,
    LogType: 'Tail',
    Payload: Buffer.from(JSON.stringify(request)),
  });
  try {
    const onWait = (reason: string) => log('warning', 'waiting for the function', { function: functionName, reason });
    const output = await sendWhenReady(lambda, target, () => lambda.send(command), { readySeconds: READY_SECONDS, onWait });
    const payload = output.Payload?.transformToString() ?? '';
    if (output.FunctionError) throw functionError(payload, output.LogResult, target);
    const answer = parseJson(payload);
    if (!isAnswer(answer, request)) throw unexpectedAnswer(payload, target);
    return answer;
  } catch (error) {
    throw sdkFailure(error, invokeOf(target));
  } finally {
    lambda.destroy();
  }
}

function isAnswer(value: unknown, { command = 'upgrade' }: TenantRequest): value is TenantAnswer | TenantList {
  return command === 'tenants' ? isTenantList(value) : isTenantAnswer(value) && value.command === command;
}
