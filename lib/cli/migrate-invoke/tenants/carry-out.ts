import { TenantsError } from '../../../client/tenants/errors';
import { sfnRegion } from '../../../client/tenants/sdk';
import { CONTRACT_VERSION, DEFAULT_APP_NAME } from '../../../contract';
import { type TenantRunSummary, tenantStateMachineName } from '../../../contract/tenants';
import { callerIdentity } from '../../answer/caller-identity';
import { confirm } from '../../answer/confirm';
import { EXIT } from '../../answer/exit-codes';
import { showHeader } from '../../answer/show-header';
import { type TenantsAnswerDocument, type TenantsDecisionDocument, tenantsAnswer } from './documents';
import { runCommand, type TenantsSession } from './session';
import { showTenantFailures, showTenantPlaces, showTenantsDone } from './show';
import { watchRun } from './watch';

/** Carries out a command line about many tenants: asks first where they are, and changes them only after that. */
export async function carryOutTenants(session: TenantsSession): Promise<TenantsAnswerDocument | TenantsDecisionDocument> {
  const { client, sfn, screen, signal, arguments: given } = session;
  const { task } = given;
  const { stage, appName = DEFAULT_APP_NAME, endpoint } = given.client;
  const region = await sfnRegion(sfn);
  // Both at once: who that is must not cost the run any time.
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

type StartTask = Extract<TenantsSession['arguments']['task'], { verb: 'start' }>;

const DECIDED = {
  approve: (runId: string) => `approved: run ${runId} begins the rest`,
  reject: (runId: string) => `not approved: run ${runId} ends, its canaries stay migrated`,
  stop: (runId: string) => `stopped: run ${runId} begins no further batch; a batch that a worker has begun goes on to its end`,
};

async function startTask(session: TenantsSession, task: StartTask, planId: string): Promise<TenantsAnswerDocument> {
  const { screen, ci, signal, arguments: given } = session;
  const asks = task.command !== 'upgrade';
  const terminal = asks ? screen.data : screen.notes;
  const plan = await ci.section('plan', async () => {
    const found = await planOf(session, planId, asks);
    showTenantPlaces(terminal, found);
    showTenantFailures(screen.notes, found);
    for (const warning of found.warnings) screen.notes.warning(warning);
    return found;
  });
  if (asks) return tenantsAnswer(plan, task.command === 'check');
  if (plan.pending + plan.ahead + plan.failed === 0) {
    showTenantsDone(screen.data, plan);
    return tenantsAnswer({ ...plan, command: 'upgrade' }, false);
  }
  if (plan.protected && !given.yes) await confirm(plan.stage, screen, signal);
  const startedAt = performance.now();
  session.changing = true;
  return ci.section('migrate', async () => {
    const summary = await watchRun(session, await start(session, task));
    return ended(session, summary, Math.round(performance.now() - startedAt));
  });
}

/** A plan that could not look at every tenant says nothing against migrating the others. */
async function planOf(session: TenantsSession, planId: string, asks: boolean): Promise<TenantRunSummary> {
  try {
    return await watchRun(session, planId, true);
  } catch (error) {
    if (!asks && error instanceof TenantsError && error.code === 'tenants_failed' && error.summary) return error.summary;
    throw error;
  }
}

async function watchTask(session: TenantsSession, runId: string): Promise<TenantsAnswerDocument> {
  session.changing = true;
  const summary = await watchRun(session, runId);
  if (summary.command === 'upgrade') return ended(session, summary);
  showTenantPlaces(session.screen.data, summary);
  return tenantsAnswer(summary, false);
}

function ended({ screen }: TenantsSession, summary: TenantRunSummary, ms?: number): TenantsAnswerDocument {
  showTenantsDone(screen.data, summary, ms);
  showTenantFailures(screen.notes, summary);
  for (const warning of summary.warnings) screen.notes.warning(warning);
  return tenantsAnswer(summary, false);
}

async function start(session: TenantsSession, { command, tenants, retryFailed, allow }: StartTask): Promise<string> {
  const { client, signal } = session;
  // Kept before it is sent: a run whose start was interrupted may have begun.
  const runId = crypto.randomUUID();
  session.runId = runId;
  return client.start({ runId, command: command === 'check' ? 'plan' : command, tenants, retryFailed, allow, signal });
}
