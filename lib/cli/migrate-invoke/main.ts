import { writeFileSync } from 'node:fs';
import { MigrateClient } from '../../client/client';
import { lambdaClient } from '../../client/lambda-client';
import { currentCommand } from '../../client/target';
import { MigrateError, RUNNER_CODES } from '../../contract';
import { EXIT } from '../../contract/exit-codes';
import { ciReport } from '../answer/ci/detect';
import type { CiReport } from '../answer/ci/report';
import {
  type AnswerDocument,
  answerDocument,
  type FailureDocument,
  failureDocument,
  isFailureDocument,
} from '../answer/documents';
import { interruptSignal } from '../answer/interrupt';
import { knownFailure } from '../answer/known-failure';
import { driftSarif } from '../answer/production/drift-sarif';
import { requestedBy } from '../answer/requested-by';
import { showFailure } from '../answer/show-failure';
import { printJson, type Screen, screen } from '../screen/screen';
import { count } from '../screen/terminal';
import { type Arguments, parseArguments } from './arguments';
import { execute } from './execute';
import { HELP } from './help';
import { logGroupOf, logLink } from './log-link';
import type { Session } from './session';
import { stopCommand } from './show-container';

/**
 * The command `migrate-invoke`.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export async function migrateInvoke(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(argv);
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(HELP);
      return EXIT.done;
    case 'version':
      process.stdout.write(`${version}\n`);
      return EXIT.done;
    case 'problems': {
      const error = new MigrateError('invalid_usage', parsed.problems.join('; '), 'see migrate-invoke --help');
      const view = screen({ json: parsed.json, progress: false });
      return end(failureDocument(error), parsed.json, view, ciReport(view.notes));
    }
    case 'tenants':
      return (await import('./tenants/main.js')).migrateInvokeTenants(argv, version);
    case 'run':
      return run(parsed, version);
  }
}

async function run(given: Arguments, version: string): Promise<number> {
  const view = screen(given);
  const ci = ciReport(view.notes);
  const interrupt = interruptSignal();
  const lambda = lambdaClient(given.client);
  let session: Session | undefined;
  try {
    const client = new MigrateClient({ ...given.client, client: lambda, requestedBy: requestedBy() });
    const about = { arguments: given, client, lambda, screen: view, ci, signal: interrupt.signal };
    session = { ...about, applied: [], changing: false };
    const startedAt = Date.now();
    let document: AnswerDocument | FailureDocument;
    try {
      const answer = await execute(session);
      if (given.sarif !== undefined && answer.drift) {
        const { stage, drift } = answer;
        writeFileSync(given.sarif, driftSarif([{ where: `stage ${stage}`, place: stage, objects: drift.objects }], version));
      }
      document = answerDocument(answer);
    } catch (error) {
      document = failureDocument(interrupt.signal.aborted ? wasInterrupted(session) : knownFailure(error), session.applied);
    }
    return end(document, given.json, view, ci, await logsOf(session, startedAt));
  } finally {
    interrupt.ignore();
    lambda.destroy();
  }
}

const NEXT_AFTER_CHECK = {
  pending: 'apply what is pending: run the same command without --command check, or deploy',
  ahead: "deploy the release that has the database's revision, or a newer one",
};

/** Shows the result on the terminal, in the CI, and as JSON. */
function end(document: AnswerDocument | FailureDocument, json: boolean, { notes }: Screen, ci: CiReport, logs?: string): number {
  if (isFailureDocument(document)) showFailure(notes, document);
  else if (document.atHead === false) notes.next(NEXT_AFTER_CHECK[document.status === 'ahead' ? 'ahead' : 'pending']);
  if (logs !== undefined && isInLog(document)) notes.fact('logs', logs);
  ci.end(document);
  if (json) printJson(document);
  return document.exitCode;
}

/** Whether the function's log contains details. */
function isInLog(document: AnswerDocument | FailureDocument): boolean {
  if (!isFailureDocument(document)) return document.applied.length > 0 || document.command === 'stamp';
  const { code } = document.error;
  const codes: readonly string[] = [...RUNNER_CODES, 'function_crashed', 'unexpected_answer'];
  return codes.includes(code);
}

/** The function's log group; with AWS's own endpoint, a link to it in the console. */
async function logsOf({ client, lambda, arguments: given }: Session, since: number): Promise<string | undefined> {
  const region = await lambda.config.region().catch(() => undefined);
  if (region === undefined) return undefined;
  const elsewhere = given.client.endpoint ?? process.env.AWS_ENDPOINT_URL;
  return elsewhere ? logGroupOf(client.functionName) : logLink(client.functionName, region, since);
}

function wasInterrupted({ client, changing, applied, execution, arguments: { client: options } }: Session): MigrateError {
  const target = { stage: options.stage, functionName: client.functionName };
  if (execution !== undefined) {
    const message = `the container keeps running (${count(applied.length)} applied so far)`;
    return new MigrateError(
      'interrupted',
      message,
      `check the database's revision with \`${currentCommand(target)}\`; to stop the container: ${stopCommand(execution)}`,
    );
  }
  const remaining = 'the function finishes its slice, and nothing more is started';
  const message = changing ? `${remaining} (${count(applied.length)} applied so far)` : 'nothing was changed';
  return new MigrateError('interrupted', message, `check the database's revision with \`${currentCommand(target)}\``);
}
