import { migrateError } from '../client/errors';
import { type ErrorCode, type MigrateAnswer, type MigrateRequest, RUNNER_CODES } from '../contract';
import type { Report } from '../facts';
import { LocalError } from '../local/errors';
import { mustHave } from '../local/observe';
import type { Observer } from '../local/observer';

/** Hands a request to the runner in the backend's Python, as the client hands it to the function's. */
export async function askRunner(observer: Observer, request: MigrateRequest): Promise<MigrateAnswer> {
  const reports: Report[] = [];
  try {
    await observer.ask({ ask: 'invoke', request }, (report) => reports.push(report));
  } catch (error) {
    if (!(error instanceof LocalError) || !isRunnerCode(error.code)) throw error;
    throw migrateError(error.code, error.message, error.next, error.details);
  }
  return mustHave(reports, 'answer').answer;
}

function isRunnerCode(code: string): code is ErrorCode {
  return (RUNNER_CODES as readonly string[]).includes(code);
}
