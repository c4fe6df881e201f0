import { dirname, join } from 'node:path';
import { isComplete, onEvent } from '../../lambda/on-deploy';

/*
 * CDK's own Provider framework, as it runs in the deployed stack, with its three ways out led to this process: the call of a
 * handler, the start of the state machine that polls, and the answer to CloudFormation.
 */

const runtime = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
const outbound = require(join(runtime, 'outbound'));
const framework = require(join(runtime, 'framework'));

Object.assign(process.env, {
  USER_ON_EVENT_FUNCTION_ARN: `arn:aws:lambda:eu-central-1:111122223333:function:${'h'.repeat(64)}`,
  USER_IS_COMPLETE_FUNCTION_ARN: `arn:aws:lambda:eu-central-1:111122223333:function:${'i'.repeat(64)}`,
  WAITER_STATE_MACHINE_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:waiter',
});

/** What CloudFormation gets. */
export interface CloudFormationResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Record<string, string>;
}

export const context = { getRemainingTimeInMillis: () => 900_000 } as never;

/** Delivers an event and polls as the state machine does. @returns the one answer, and its length on the wire */
export async function deliver(event: object): Promise<{ response: CloudFormationResponse; bytes: number; polls: number }> {
  let body: string | undefined;
  let waiting: string | undefined;
  let polls = 0;
  outbound.invokeFunction = async ({ FunctionName, Payload }: { FunctionName: string; Payload: string }) =>
    asLambda(() => (FunctionName.includes('hhh') ? onEvent(JSON.parse(Payload)) : isComplete(JSON.parse(Payload), context)));
  outbound.startExecution = async ({ input }: { input: string }) => {
    waiting = input;
  };
  outbound.httpRequest = async (_: unknown, sent: string) => {
    body = sent;
  };
  await framework.onEvent(JSON.parse(JSON.stringify(event)));
  while (body === undefined) {
    polls += 1;
    await framework.isComplete(JSON.parse(waiting as string)).catch((error: Error) => {
      if (error.constructor.name !== 'Retry') throw error;
      waiting = error.message;
    });
  }
  return { response: JSON.parse(body), bytes: Buffer.byteLength(body), polls };
}

/** How Lambda's runtime for Node hands on what a handler returns or throws. */
async function asLambda(handler: () => Promise<unknown>): Promise<{ Payload: string; FunctionError?: string }> {
  try {
    return { Payload: JSON.stringify(await handler()) };
  } catch (error) {
    const { name, message, stack } = error as Error;
    const payload = { errorType: name, errorMessage: message, trace: (stack ?? '').split('\n') };
    return { Payload: JSON.stringify(payload), FunctionError: 'Unhandled' };
  }
}
