import {
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { MigrateError } from '../../contract/failure';
import { retryOf, sdkFailure } from '../sdk-failure';
import { invokeOf, type Target } from '../target';
import { sleep } from './sleep';

/** How long to wait for a function that can't run yet. */
export interface ReadyOptions {
  /**
   * Seconds to wait for a function that is Pending, Inactive, being updated, throttled or out of concurrency. Nothing has
   * started then, so the call is sent again. A call that may have started is never sent again.
   *
   * @default 300 - a function that was idle for weeks, or has a new image, is Active within a minute or two
   */
  readonly readySeconds?: number;
  /** Called with the reason for waiting, and again if it changes. */
  readonly onWait?: (reason: string) => void;
  /** Stops waiting. The function finishes its current slice. */
  readonly signal?: AbortSignal;
}

export const READY_SECONDS = 300;

const POLL_MS = 1_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/** Sends a call until Lambda starts the function. Retries only after errors that mean that nothing was started. */
export async function sendWhenReady<T>(
  lambda: LambdaClient,
  target: Target,
  send: () => Promise<T>,
  { readySeconds = READY_SECONDS, onWait, signal }: ReadyOptions,
): Promise<T> {
  const deadline = performance.now() + readySeconds * 1000;
  const report = onChange(onWait);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await send();
    } catch (cause) {
      signal?.throwIfAborted();
      const error = sdkFailure(cause, invokeOf(target));
      const retry = retryOf(cause);
      if (retry !== 'when ready' && retry !== 'later') throw error;
      const left = deadline - performance.now();
      if (left <= 0) throw error.with({ message: `${error.message} (waited ${readySeconds} s)` });
      report(error.message);
      if (retry === 'when ready') await waitForActive(lambda, target, deadline, signal);
      // 50 to 100 % of the pause, because others wait for the same capacity.
      await sleep(Math.min(pause * (0.5 + Math.random() / 2), left), signal);
    }
  }
}

/** Calls back only with a reason that differs from the one before. */
function onChange(onWait?: (reason: string) => void): (reason: string) => void {
  let reported: string | undefined;
  return (reason) => {
    if (reason !== reported) onWait?.(reason);
    reported = reason;
  };
}

/** Requires `lambda:GetFunctionConfiguration`, which an ordinary call does not. */
async function waitForActive(lambda: LambdaClient, target: Target, deadline: number, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const { State, StateReason, LastUpdateStatus } = await configuration(lambda, target, signal);
    if (State === 'Failed') {
      const next = 'deploy the function again';
      throw new MigrateError('function_not_ready', `${target.functionName} is in the state Failed: ${StateReason}`, next);
    }
    // Only an invoke makes an Inactive function Active; it is sent next.
    if (State !== 'Pending' && LastUpdateStatus !== 'InProgress') return;
    if (performance.now() >= deadline) return;
    await sleep(POLL_MS, signal);
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
    const error = sdkFailure(cause, invokeOf(target));
    if (error.code !== 'access_denied') throw error;
    throw new MigrateError(
      'function_not_ready',
      `${target.functionName} is not ready yet, and these credentials may not read its state`,
      'try again in a minute, or grant lambda:GetFunctionConfiguration; nothing was started',
      { cause },
    );
  }
}
