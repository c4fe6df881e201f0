import type { TenantsProgress } from '../../../client/tenants/progress';
import type { TenantRunSummary } from '../../../contract/tenants';
import { ask } from '../../answer/confirm';
import { Progress } from './progress';
import { runCommand, type Session } from './session';

/**
 * Shows the progress of a run until it ends. On a terminal, asks whether to continue after its canaries.
 *
 * @param plan whether the run only reads the tenants, if known
 */
export async function watchRun(session: Session, runId: string, plan = false): Promise<TenantRunSummary> {
  const { client, screen, signal, arguments: given } = session;
  const view = given.progress ? new Progress(screen, plan) : undefined;
  let question: AbortController | undefined;
  const onProgress = (progress: TenantsProgress) => {
    view?.show(progress);
    if (progress.phase !== 'approval') question?.abort();
    else if (!question) {
      question = new AbortController();
      void decide(session, runId, AbortSignal.any([signal, question.signal]), view);
    }
  };
  try {
    return await client.watch(runId, { onProgress, signal });
  } finally {
    question?.abort();
    view?.stop();
  }
}

/** Never throws: someone else may still answer the run. */
async function decide(session: Session, runId: string, signal: AbortSignal, view?: Progress): Promise<void> {
  const { client, screen } = session;
  const { notes, canAsk } = screen;
  const otherwise = () => {
    notes.line(`the canaries are migrated; the rest waits until run ${runId} is approved`);
    notes.fact('yes', runCommand(session, 'approve', runId));
    notes.fact('no', runCommand(session, 'reject', runId));
  };
  if (!canAsk) return otherwise();
  view?.hide(true);
  try {
    const approved = await askUntilClear(screen, signal);
    if (approved === undefined) return otherwise();
    await (approved ? client.approve(runId, { signal }) : client.reject(runId, { signal }));
  } catch (error) {
    if (signal.aborted) notes.line();
    else {
      notes.warning((error as Error).message);
      otherwise();
    }
  } finally {
    view?.hide(false);
  }
}

/** Undefined: no answer. */
async function askUntilClear({ notes }: Session['screen'], signal: AbortSignal): Promise<boolean | undefined> {
  notes.line('the canaries are migrated');
  for (;;) {
    const typed = (await ask('type yes to migrate the rest, or no to end the run: ', signal)).trim();
    if (typed === 'yes') return true;
    if (typed === 'no') return false;
    if (typed === '') return undefined;
  }
}
