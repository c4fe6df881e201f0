import { migrate } from '../../../client/migrate';
import { type MigrateAnswer, MigrateError } from '../../../contract';
import { EXIT } from '../../../contract/exit-codes';
import type { CatalogEntries } from '../../../contract/facts';
import type { Observer } from '../../../local/python/observer';
import { answerDocument } from '../../answer/documents';
import { Progress } from '../../answer/progress';
import { requestedBy } from '../../answer/requested-by';
import { showApplied, showOutcome, showPosition } from '../../answer/show-answer';
import { revisionNames } from '../../screen/terminal';
import { askRunner } from '../ask-runner';
import { printDocument } from '../documents';
import { findMatchingRevision, readCatalog } from '../replay/matching-revision';
import { type Session, withOwnDatabase, withScratchDatabase } from '../session';
import type { ApplyArguments } from './arguments';

const DUPLICATE_TABLE = '42P07';

interface Applied {
  readonly answer: MigrateAnswer;
  readonly ms: number;
}

/** A database that already has the tables, but no recorded revision. */
interface Unstamped {
  readonly error: MigrateError;
  readonly catalog: CatalogEntries;
}

/** Runs the client's loop with the runner in the backend's Python instead of the function. */
export async function apply(session: Session, { revision }: ApplyArguments): Promise<number> {
  const outcome = await withOwnDatabase(session, async ({ observer }): Promise<Applied | Unstamped> => {
    const plan = await askRunner(observer, { command: 'plan', revision });
    if (plan.status === 'complete') return { answer: { ...plan, command: 'upgrade' }, ms: 0 };
    showPosition(session.screen.notes, plan);
    if (plan.status === 'ahead') throw ahead(plan);
    try {
      return await applyPending(session, observer, revision, plan);
    } catch (error) {
      const isUnstamped = isDuplicateTable(error) && !plan.from.length && !session.applied.length;
      // The migration's own failure counts, even if the catalog can't be read.
      const catalog = isUnstamped ? await readCatalog(observer).catch(unlessFailure) : undefined;
      if (isUnstamped && catalog) return { error, catalog };
      throw error;
    }
  });
  if ('catalog' in outcome) throw await placed(session, outcome);
  const { answer, ms } = outcome;
  showOutcome(session.screen, answer, ms);
  if (session.common.json) printDocument(answerDocument(answer));
  return EXIT.done;
}

async function applyPending(
  session: Session,
  observer: Observer,
  revision: string | undefined,
  { pending }: MigrateAnswer,
): Promise<Applied> {
  const { screen, applied, common } = session;
  const progress = common.progress ? new Progress(screen, pending, false) : undefined;
  const started = performance.now();
  session.changing = true;
  try {
    const request = { command: 'upgrade', revision, sliceSeconds: 0, requestedBy: requestedBy() } as const;
    const onProgress = (slice: MigrateAnswer): void => {
      applied.push(...slice.applied);
      for (const revision of slice.applied) showApplied(screen.data, slice.command, revision);
      progress?.advance(slice);
    };
    const answer = await migrate((slice) => askRunner(observer, slice), request, { onProgress });
    return { answer, ms: Math.round(performance.now() - started) };
  } finally {
    progress?.stop();
  }
}

function isDuplicateTable(error: unknown): error is MigrateError {
  return error instanceof MigrateError && error.sqlState === DUPLICATE_TABLE;
}

function unlessFailure(error: unknown): undefined {
  if (!(error instanceof MigrateError)) throw error;
}

async function placed(session: Session, { error, catalog }: Unstamped): Promise<MigrateError> {
  try {
    const { found, next } = await withScratchDatabase(session, undefined, ({ observer }) =>
      findMatchingRevision(observer, catalog, false),
    );
    return error.with({ message: `${error.message}; ${found}`, next });
  } catch (trouble) {
    // Without a scratch database, the runner's own next step is the best one.
    if (trouble instanceof MigrateError) return error;
    throw trouble;
  }
}

function ahead({ unknown, heads }: MigrateAnswer) {
  return new MigrateError(
    'database_ahead',
    `the database is at ${revisionNames(unknown)}, which this project does not have (its heads: ${revisionNames(heads)})`,
    'check out the branch that has this revision; nothing was changed',
    { revision: unknown[0] },
  );
}
