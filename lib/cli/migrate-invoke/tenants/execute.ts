import { regionOf } from '../../../client/lambda-client';
import { CONTRACT_VERSION, MigrateError } from '../../../contract';
import { EXIT } from '../../../contract/exit-codes';
import { type TenantRunSummary, tenantStateMachineName } from '../../../contract/tenants';
import { callerIdentity } from '../../answer/caller-identity';
import { confirm } from '../../answer/confirm';
import { showHeader } from '../../answer/show-header';
import type { StartTask } from './arguments';
import { answerDocument, type TenantsAnswerDocument, type TenantsDecisionDocument } from './documents';
import { runCommand, type Session } from './session';
import { showDone, showFailures, showPositions } from './show';
import { showTenantsDrift } from './show-drift';
import { watchRun } from './watch';

/** Executes a command line for many tenants: first plans, then migrates them. */
export async function execute(session: Session): Promise<TenantsAnswerDocument | TenantsDecisionDocument> {
  const { client, sfn, screen, signal, arguments: given } = session;
  const { task } = given;
  const { stage, appName, endpoint } = given.client;
  const region = await regionOf(sfn);
  // In parallel, so the header does not delay the run.
  const first: Partial<StartTask> =
    task.verb === 'start' && task.command === 'drift' ? {} : { command: 'plan', allow: undefined };
  const planned = task.verb === 'start' ? start(session, { ...task, ...first }) : undefined;
  planned?.catch(() => {});
  const called = ['machine', tenantStateMachineName(appName, stage)] as const;
  await showHeader(screen.notes, { stage, called, region }, () => callerIdentity(sfn, endpoint));
  if (task.verb === 'start') {
    const runId = await (planned as Promise<string>);
    return task.command === 'drift' ? compared(session, await watchRun(session, runId)) : startTask(session, task, runId);
  }
  const { verb, runId } = task;
  session.runId = runId;
  if (verb === 'run') return watchTask(session, runId);
  await client[verb](runId, { signal });
  screen.data.line(DECIDED[verb](runId));
  if (verb === 'approve') screen.notes.next(`follow it: ${runCommand(session, 'run', runId)}`);
  return { contract: CONTRACT_VERSION, command: verb, stage, status: 'complete', runId, exitCode: EXIT.done };
}

const DECIDED = {
  approve: (runId: string) => `approved: run ${runId} migrates the rest`,
  reject: (runId: string) => `rejected: run ${runId} ends; its canaries stay migrated`,
  stop: (runId: string) => `stopped: run ${runId} starts no more batches; running batches finish`,
};

async function startTask(session: Session, task: StartTask, planId: string): Promise<TenantsAnswerDocument> {
  const { screen, ci, signal, arguments: given } = session;
  const asks = task.command !== 'upgrade';
  const terminal = asks ? screen.data : screen.notes;
  const plan = await ci.section('plan', async () => {
    const found = await planOf(session, planId, asks);
    showPositions(terminal, found);
    showFailures(screen.notes, found);
    for (const warning of found.warnings) screen.notes.warning(warning);
    return found;
  });
  if (asks) return answerDocument(plan, task.command === 'check');
  if (plan.pending + plan.ahead + plan.failed === 0) {
    showDone(screen.data, plan);
    return answerDocument({ ...plan, command: 'upgrade' }, false);
  }
  if (plan.protected && !given.yes) await confirm(plan.stage, screen, signal);
  const startedAt = performance.now();
  session.changing = true;
  return ci.section('migrate', async () => {
    const runId = await start(session, task);
    // Names the run to watch if the log ends here. On a terminal, Ctrl-C does that.
    if (!screen.status) screen.notes.fact('run', runId);
    const summary = await watchRun(session, runId);
    return ended(session, summary, Math.round(performance.now() - startedAt));
  });
}

/** If a plan could not read some tenants, the others can still be migrated. */
async function planOf(session: Session, planId: string, asks: boolean): Promise<TenantRunSummary> {
  try {
    return await watchRun(session, planId, true);
  } catch (error) {
    if (!asks && error instanceof MigrateError && error.code === 'tenants_failed' && error.summary) return error.summary;
    throw error;
  }
}

async function watchTask(session: Session, runId: string): Promise<TenantsAnswerDocument> {
  session.changing = true;
  const summary = await watchRun(session, runId);
  if (summary.command === 'upgrade') return ended(session, summary);
  if (summary.command === 'drift') return compared(session, summary);
  showPositions(session.screen.data, summary);
  return answerDocument(summary, false);
}

/** The result of the command drift. */
function compared({ screen }: Session, summary: TenantRunSummary): TenantsAnswerDocument {
  showTenantsDrift(screen.data, summary);
  showFailures(screen.notes, summary);
  for (const warning of summary.warnings) screen.notes.warning(warning);
  return answerDocument(summary, false);
}

function ended({ screen }: Session, summary: TenantRunSummary, ms?: number): TenantsAnswerDocument {
  showDone(screen.data, summary, ms);
  showFailures(screen.notes, summary);
  for (const warning of summary.warnings) screen.notes.warning(warning);
  return answerDocument(summary, false);
}

async function start(session: Session, { command, tenants, retryFailed, allow }: StartTask): Promise<string> {
  const { client, signal } = session;
  // Stored before the request is sent: an interrupted start may have started the run.
  const runId = crypto.randomUUID();
  session.runId = runId;
  return client.start({ runId, command: command === 'check' ? 'plan' : command, tenants, retryFailed, allow, signal });
}
