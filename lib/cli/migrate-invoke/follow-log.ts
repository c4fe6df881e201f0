import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { Terminal } from '../screen/terminal';
import { logLine } from './log-line';
import { logGroupOf } from './log-link';

/** An account may call FilterLogEvents only a few times per second, and other processes call it too. */
const POLL_MS = 2_000;

/** The last lines take about this long to appear. */
const LAST_LINES_MS = 1_500;

/** The log to follow, and where to show it. */
export interface FollowOptions {
  readonly lambda: LambdaClient;
  readonly endpoint?: string;
  readonly functionName: string;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/**
 * Shows new lines of the function's log. A failure is only a warning: the run does not depend on it.
 *
 * @returns a function that ends it, after the last lines
 */
export function followLog(options: FollowOptions): () => Promise<void> {
  const ended = new AbortController();
  const following = follow(options, ended.signal).catch((error: Error) => {
    if (!options.signal.aborted) options.terminal.warning(`the log can't be followed: ${error.name}: ${error.message}`);
  });
  return () => {
    ended.abort();
    return following;
  };
}

async function follow({ lambda, endpoint, functionName, terminal, signal }: FollowOptions, ended: AbortSignal): Promise<void> {
  const startTime = Date.now();
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  const { credentials, region } = lambda.config;
  const logs = new CloudWatchLogsClient({ credentials, region, endpoint });
  const seen = new Set<string>();
  const show = () => showNew(logs, logGroupOf(functionName), startTime, seen, terminal, signal);
  try {
    while (!ended.aborted) {
      await show();
      await sleep(POLL_MS, undefined, { signal: AbortSignal.any([ended, signal]) }).catch(() => signal.throwIfAborted());
    }
    await sleep(LAST_LINES_MS, undefined, { signal });
    await show();
  } finally {
    logs.destroy();
  }
}

async function showNew(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  startTime: number,
  seen: Set<string>,
  terminal: Terminal,
  abortSignal: AbortSignal,
): Promise<void> {
  const { paginateFilterLogEvents } = await import('@aws-sdk/client-cloudwatch-logs');
  try {
    for await (const { events = [] } of paginateFilterLogEvents({ client: logs }, { logGroupName, startTime }, { abortSignal })) {
      for (const { message = '', timestamp, logStreamName, ...event } of events) {
        const id = event.eventId ?? `${timestamp} ${logStreamName} ${message}`;
        const line = seen.has(id) ? undefined : logLine(message);
        seen.add(id);
        if (line !== undefined) terminal.line(terminal.paint('dim', `  | ${line}`));
      }
    }
  } catch (error) {
    // A function that has never run has no log group yet.
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
  }
}
