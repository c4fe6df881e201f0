import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { migrateError } from './errors';
import { sdkError } from './sdk-errors';
import type { Target } from './target';

/** Exceptions by which Invoke says that the function can't run yet, and that waiting helps. Nothing has run. */
const NOT_YET = [
  'ResourceConflictException',
  'ResourceNotReadyException',
  'CodeArtifactUserPendingException',
  'ENINotReadyException',
  'SnapStartNotReadyException',
];

const POLL_MS = 1_000;

/** A function that was idle for weeks, or whose image is new, is Active again within a minute or two. */
const BUDGET_MS = 300_000;

/** Whether a call failed only because the function is Pending, Inactive or being updated. */
export function isNotYet(error: unknown): boolean {
  return error instanceof Error && NOT_YET.includes(error.name);
}

/** Waits until the function can be invoked. Needs `lambda:GetFunctionConfiguration`, which an ordinary call does not. */
export async function waitForActive(lambda: LambdaClient, target: Target, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + BUDGET_MS;
  for (;;) {
    const { State, StateReason, LastUpdateStatus } = await configuration(lambda, target, signal);
    if (State === 'Failed') {
      const next = 'deploy the function again';
      throw migrateError('function_not_ready', `${target.functionName} is in the state Failed: ${StateReason}`, next);
    }
    if (State === 'Active' && LastUpdateStatus !== 'InProgress') return;
    if (performance.now() >= deadline) {
      const message = `${target.functionName} was still ${State ?? 'not Active'} after ${BUDGET_MS / 1000} s`;
      throw migrateError('function_not_ready', message, "nothing was started: see the function's state in the Lambda console");
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function configuration(
  lambda: LambdaClient,
  target: Target,
  signal?: AbortSignal,
): Promise<GetFunctionConfigurationCommandOutput> {
  try {
    const command = new GetFunctionConfigurationCommand({ FunctionName: target.functionName });
    return await lambda.send(command, { abortSignal: signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const error = sdkError(cause, target);
    if (error.code !== 'access_denied') throw error;
    throw migrateError(
      'function_not_ready',
      `${target.functionName} is not ready yet, and these credentials may not ask when it will be`,
      'nothing was started: try again in a minute, or grant lambda:GetFunctionConfiguration',
      { cause },
    );
  }
}
