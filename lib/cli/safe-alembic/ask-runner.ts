import { type FailureCode, type MigrateAnswer, MigrateError, type MigrateRequest, RUNNER_CODES } from '../../contract';
import type { Report } from '../../contract/facts';
import { mustHave } from '../../local/python/observe';
import type { Observer } from '../../local/python/observer';

/** Replaces the runner's next steps that are about AWS. */
const NEXT_HERE: Partial<Record<FailureCode, string>> = {
  database_unreachable: 'start the database, for example with "docker compose up", or correct the address that env.py reads',
  database_refused: 'correct the credentials that env.py reads; the setting "environment" can set its variables',
};

const NO_DATABASE = '3D000';

function nextHere({ code, sqlState, next }: MigrateError): string {
  if (sqlState === NO_DATABASE) return 'create the database, or correct its name in the address that env.py reads';
  return NEXT_HERE[code as FailureCode] ?? next;
}

/** Sends a request to the runner in the backend's Python, as the client sends it to the function. */
export async function askRunner(observer: Observer, request: MigrateRequest): Promise<MigrateAnswer> {
  const reports: Report[] = [];
  try {
    await observer.ask({ ask: 'invoke', request }, (report) => reports.push(report));
  } catch (error) {
    throw isRunnerFailure(error) ? error.with({ next: nextHere(error) }) : error;
  }
  return mustHave(reports, 'answer').answer;
}

/** The runner's answer or failure; rethrows a failure of this machine. */
export async function answerOrFailure(ask: Promise<MigrateAnswer>): Promise<MigrateAnswer | MigrateError> {
  return ask.catch((error: unknown) => {
    if (isRunnerFailure(error)) return error;
    throw error;
  });
}

function isRunnerFailure(error: unknown): error is MigrateError {
  return error instanceof MigrateError && (RUNNER_CODES as readonly string[]).includes(error.code);
}
