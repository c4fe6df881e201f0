import { migrateError } from '../../client/errors';
import { type ErrorCode, type MigrateAnswer, type MigrateRequest, RUNNER_CODES } from '../../contract';
import type { Report } from '../../contract/facts';
import { LocalError } from '../../local/errors';
import { mustHave } from '../../local/python/observe';
import type { Observer } from '../../local/python/observer';

/** Replaces the runner's next step if that one is about AWS. */
const NEXT_HERE: Partial<Record<ErrorCode, string>> = {
  database_unreachable: 'start the database, for example with "docker compose up", or correct the address that env.py reads',
  database_refused: 'correct the credentials that env.py reads; the setting "environment" can set its variables',
};

/** Sends a request to the runner in the backend's Python, as the client sends it to the function. */
export async function askRunner(observer: Observer, request: MigrateRequest): Promise<MigrateAnswer> {
  const reports: Report[] = [];
  try {
    await observer.ask({ ask: 'invoke', request }, (report) => reports.push(report));
  } catch (error) {
    if (!(error instanceof LocalError) || !isRunnerCode(error.code)) throw error;
    throw migrateError(error.code, error.message, NEXT_HERE[error.code] ?? error.next, error.details);
  }
  return mustHave(reports, 'answer').answer;
}

function isRunnerCode(code: string): code is ErrorCode {
  return (RUNNER_CODES as readonly string[]).includes(code);
}
