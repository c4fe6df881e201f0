import { writeFileSync } from 'node:fs';
import { TenantsClient } from '../../../client/tenants/client';
import { sfnClient } from '../../../client/tenants/sdk';
import { MigrateError } from '../../../contract/failure';
import { ciReport } from '../../answer/ci/detect';
import { interruptSignal } from '../../answer/interrupt';
import { knownFailure } from '../../answer/known-failure';
import { driftSarif } from '../../answer/production/drift-sarif';
import { requestedBy } from '../../answer/requested-by';
import { printJson, type Screen, screen } from '../../screen/screen';
import { plain } from '../../screen/terminal';
import { type Arguments, parseArguments } from './arguments';
import { failureDocument, type TenantsDocument } from './documents';
import { execute } from './execute';
import { onGitHub } from './on-github';
import { runCommand, type Session } from './session';
import { showDone, showFailures } from './show';
import { showTenantsDrift } from './show-drift';

/**
 * The command `migrate-invoke` for many tenants.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export async function migrateInvokeTenants(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(argv);
  if (parsed.kind === 'tenants') return run(parsed, version);
  const error = new MigrateError('invalid_usage', parsed.problems.join('; '), 'see migrate-invoke --help');
  return end(failureDocument(error), parsed.json, screen({ json: parsed.json, progress: false }), error);
}

async function run(given: Arguments, version: string): Promise<number> {
  const view = screen(given);
  const interrupt = interruptSignal();
  const sfn = sfnClient(given.client);
  const client = new TenantsClient({ ...given.client, client: sfn, requestedBy: requestedBy() });
  const ci = ciReport(view.notes);
  const session: Session = {
    arguments: given,
    client,
    sfn,
    screen: view,
    ci,
    signal: interrupt.signal,
    changing: false,
  };
  try {
    const document = await execute(session);
    writeSarif(given, document, version);
    return end(document, given.json, view);
  } catch (cause) {
    const error = interrupt.signal.aborted ? wasInterrupted(session) : knownFailure(cause);
    const document = failureDocument(error, session.runId);
    writeSarif(given, document, version);
    return end(document, given.json, view, error);
  } finally {
    interrupt.ignore();
    client.destroy();
  }
}

/** Shows the result on the terminal, in the CI, and as JSON. */
function end(document: TenantsDocument, json: boolean, { notes }: Screen, error?: MigrateError): number {
  if (error) showError(notes, error);
  else if ('atHead' in document && document.atHead === false) notes.next(NEXT_AFTER_CHECK);
  if ('detailsUri' in document && document.detailsUri) notes.fact('details', document.detailsUri);
  onGitHub(notes, document);
  if (json) printJson(document);
  return document.exitCode;
}

/** Each tenant of the summary that drifted. */
function writeSarif({ sarif, client: { stage } }: Arguments, document: TenantsDocument, version: string): void {
  if (sarif === undefined || !('drift' in document) || !document.drift) return;
  const places = document.drift.tenants.map(({ tenant, objects }) => ({
    where: `tenant ${tenant} of stage ${stage}`,
    place: `${stage} ${tenant}`,
    objects,
  }));
  writeFileSync(sarif, driftSarif(places, version));
}

const NEXT_AFTER_CHECK = 'bring them to head: run the same command without --command check, or deploy';

function showError(notes: Screen['notes'], { code, message, next, summary }: MigrateError): void {
  if (summary?.total) {
    if (summary.command === 'upgrade') showDone(notes, summary);
    showTenantsDrift(notes, summary);
    showFailures(notes, summary);
    for (const warning of summary.warnings) notes.warning(warning);
  }
  notes.line(`${notes.paint('red', '✗')} ${notes.paint('bold', code)}: ${plain(message)}`);
  notes.next(next);
}

function wasInterrupted(session: Session): MigrateError {
  const { runId, changing } = session;
  if (!changing || runId === undefined) return new MigrateError('interrupted', 'nothing was changed', 'run it again');
  const [watch, stop] = [runCommand(session, 'run', runId), runCommand(session, 'stop', runId)];
  return new MigrateError('interrupted', `run ${runId} continues`, `follow it again: ${watch}; or stop it: ${stop}`);
}
