import { InvokeCommand, type InvokeCommandOutput, type LambdaClient } from '@aws-sdk/client-lambda';
import { isAnswer, type MigrateAnswer, type MigrateRequest } from '../contract';
import { functionError, unexpectedAnswer } from './function-errors';
import { parseJson } from './json';
import { sdkFailure } from './sdk-failure';
import { invokeOf, type Target } from './target';
import { type ReadyOptions, sendWhenReady } from './waiting/send-when-ready';

/** Calls the function once. Retries only if Lambda says that it did not start the function. */
export async function invoke(
  lambda: LambdaClient,
  target: Target,
  request: MigrateRequest,
  options: ReadyOptions = {},
): Promise<MigrateAnswer> {
  const command = new InvokeCommand({
    FunctionName: target.functionName,
    InvocationType: 'RequestResponse',
    LogType: 'Tail',
    Payload: Buffer.from(JSON.stringify(request)),
  });
  const send = () => lambda.send(command, { abortSignal: options.signal });
  try {
    return read(await sendWhenReady(lambda, target, send, options), target);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw sdkFailure(error, invokeOf(target));
  }
}

function read(output: InvokeCommandOutput, target: Target): MigrateAnswer {
  const payload = output.Payload?.transformToString() ?? '';
  if (output.FunctionError) throw functionError(payload, output.LogResult, target);
  const answer = parseJson(payload);
  if (!isAnswer(answer)) throw unexpectedAnswer(payload, target);
  return answer;
}
