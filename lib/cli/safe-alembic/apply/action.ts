import { migrate } from '../../../client/migrate';
import { type MigrateAnswer, MigrateError } from '../../../contract';
import { EXIT } from '../../../contract/exit-codes';
import { answerDocument } from '../../answer/documents';
import { Progress } from '../../answer/progress';
import { requestedBy } from '../../answer/requested-by';
import { showApplied, showOutcome, showPosition } from '../../answer/show-answer';
import { revisionNames } from '../../screen/terminal';
import { askRunner } from '../ask-runner';
import { type Session, withOwnDatabase } from '../session';
import type { ApplyArguments } from './arguments';

/** Runs the client's loop with the runner in the backend's Python instead of the function. */
export async function apply(session: Session, { revision }: ApplyArguments): Promise<number> {
  const { screen, applied, common } = session;
  const [answer, ms] = await withOwnDatabase(session, async ({ observer }): Promise<[MigrateAnswer, number]> => {
    const plan = await askRunner(observer, { command: 'plan', revision });
    if (plan.status === 'complete') return [{ ...plan, command: 'upgrade' }, 0];
    showPosition(screen.notes, plan);
    if (plan.status === 'ahead') throw ahead(plan);
    const progress = common.progress ? new Progress(screen, plan.pending, false) : undefined;
    const started = performance.now();
    session.changing = true;
    try {
      const request = { command: 'upgrade', revision, sliceSeconds: 0, requestedBy: requestedBy() } as const;
      const onProgress = (slice: MigrateAnswer): void => {
        applied.push(...slice.applied);
        for (const one of slice.applied) showApplied(screen.data, slice.command, one);
        progress?.advance(slice);
      };
      const done = await migrate((slice) => askRunner(observer, slice), request, { onProgress });
      return [done, Math.round(performance.now() - started)];
    } finally {
      progress?.stop();
    }
  });
  showOutcome(screen, answer, ms);
  if (common.json) process.stdout.write(`${JSON.stringify(answerDocument(answer), undefined, 2)}\n`);
  return EXIT.done;
}

function ahead({ unknown, heads }: MigrateAnswer) {
  return new MigrateError(
    'database_ahead',
    `the database is at ${revisionNames(unknown)}, which this project does not have (its heads: ${revisionNames(heads)})`,
    'check out the branch that has this revision; nothing was changed',
    { revision: unknown[0] },
  );
}
