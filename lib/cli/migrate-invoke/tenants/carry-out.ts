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
import { showDone, showFailures, showPlaces } from './show';
import { watchRun } from './watch';

/** Carries out a command line about many tenants: first asks where they are, then changes them. */
export async function carryOut(session: Session): Promise<TenantsAnswerDocument | TenantsDecisionDocument> {
  const { client, sfn, screen, signal, arguments: given } = session;
  const { task } = given;
  const { stage, appName, endpoint } = given.client;
  const region = await regionOf(sfn);
  // Both at once: the header must not cost the run any time.
  const planned = task.verb === 'start' ? start(session, { ...task, command: 'plan', allow: undefined }) : undefined;
  planned?.catch(() => {});
  const called = ['machine', tenantStateMachineName(appName, stage)] as const;
  await showHeader(screen.notes, { stage, called, region }, () => callerIdentity(sfn, endpoint));
  if (task.verb === 'start') return startTask(session, task, await (planned as Promise<string>));
  const { verb, runId } = task;
  session.runId = runId;
  if (verb === 'run') return watchTask(session, runId);
  await client[verb](runId, { signal });
  screen.data.line(DECIDED[verb](runId));
  if (verb === 'approve') screen.notes.next(`watch it: ${runCommand(session, 'run', runId)}`);
  return { contract: CONTRACT_VERSION, command: verb, stage, status: 'complete', runId, exitCode: EXIT.done };
}

const DECIDED = {
  approve: (runId: string) => `approved: run ${runId} migrates the rest`,
  reject: (runId: string) => `rejected: run ${runId} ends; its canaries stay migrated`,
  stop: (runId: string) => `stopped: run ${runId} starts no further batch; batches that are running go on to their end`,
};

async function startTask(session: Session, task: StartTask, planId: string): Promise<TenantsAnswerDocument> {
  const { screen, ci, signal, arguments: given } = session;
  const asks = task.command !== 'upgrade';
  const terminal = asks ? screen.data : screen.notes;
  const plan = await ci.section('plan', async () => {
    const found = await planOf(session, planId, asks);
    showPlaces(terminal, found);
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
    const summary = await watchRun(session, await start(session, task));
    return ended(session, summary, Math.round(performance.now() - startedAt));
  });
}

/** A plan that could not read some tenants does not keep the others from being migrated. */
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
  showPlaces(session.screen.data, summary);
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
  // Kept before it is sent: a run whose start was interrupted may have started.
  const runId = crypto.randomUUID();
  session.runId = runId;
  return client.start({ runId, command: command === 'check' ? 'plan' : command, tenants, retryFailed, allow, signal });
}
