import { CONTRACT_VERSION, isFailure, MigrateError } from '../contract';
import { parseJson } from './json';
import { currentCommand, type Target } from './target';

const MAX_LOG_LINES = 20;

/**
 * Translates a function error: the runner's own failure, or a crash of the function.
 *
 * @param payload from Lambda: `{ errorMessage, errorType, ... }`
 * @param logResult the last 4 KB of the function's log, in base64
 * @param target the called function
 */
export function functionError(payload: string, logResult: string | undefined, target: Target): MigrateError {
  const { errorMessage, errorType } = (parseJson(payload) ?? {}) as Record<string, unknown>;
  const text = typeof errorMessage === 'string' ? errorMessage : payload;
  const log = usefulLines(logResult);
  const failure = parseJson(text);
  if (isFailure(failure)) {
    const { code, message, next, ...details } = failure.error;
    return new MigrateError(code, message, next, { ...details, applied: failure.applied, log });
  }
  if (typeof failure === 'object' && failure !== null && 'contract' in failure) return unexpectedAnswer(text, target, log);
  const reason = [errorType, text].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return new MigrateError(
    'function_crashed',
    `${target.functionName} ended without an answer: ${reason}`,
    nextAfter(reason, target),
    {
      log,
    },
  );
}

/** An answer that does not follow the contract. */
export function unexpectedAnswer(payload: string, target: Target, log: readonly string[] = []): MigrateError {
  const contract = (parseJson(payload) as { contract?: unknown } | null | undefined)?.contract;
  if (typeof contract === 'number' && contract !== CONTRACT_VERSION) {
    const message = `${target.functionName} uses version ${contract} of the contract, and this client version ${CONTRACT_VERSION}`;
    return new MigrateError('unexpected_answer', message, 'use the version of cdk-alembic that deployed the function', { log });
  }
  const message = `${target.functionName} did not answer like a migration function: ${payload.slice(0, 200) || 'nothing'}`;
  return new MigrateError('unexpected_answer', message, 'check the name of the function', { log });
}

function nextAfter(reason: string, target: Target): string {
  const checkRevision = `check the database's revision with \`${currentCommand(target)}\``;
  if (/Task timed out/.test(reason)) return `raise the function's timeout or split the slow revision; ${checkRevision}`;
  if (/OutOfMemory|signal: killed/.test(reason)) return `raise the function's memorySize; ${checkRevision}`;
  if (/ImportModule|HandlerNotFound/.test(reason)) return 'deploy again from a clean build: the package is incomplete';
  return `see the function's log in /aws/lambda/${target.functionName}; ${checkRevision}`;
}

function usefulLines(logResult: string | undefined): string[] {
  if (!logResult) return [];
  const lines = Buffer.from(logResult, 'base64').toString('utf8').split(/\r?\n/);
  return lines.filter((line) => line.trim() !== '' && !/^(START|END|INIT_START) /.test(line)).slice(-MAX_LOG_LINES);
}
