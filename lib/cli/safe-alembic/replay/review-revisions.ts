import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Ask, GraphFacts, Overlay } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { observeSideBySide, shareOut } from '../../../local/python/side-by-side';
import type { Observation } from '../../../local/python/with-observer';
import { dependsOnRunner } from '../../../local/runner';
import { type Review, type ReviewInput, readAhead, review } from '../../../review';
import type { Session } from '../session';
import type { Chosen } from './chosen';
import { measureRevisions } from './measure';
import type { FailArguments, ReplayArguments } from './options';
import { ReplayProgress } from './progress';
import { readSizes } from './sizes';

type Scratch = Pick<Extract<Ask, { ask: 'observe' }>, 'baseline' | 'overwrite'>;

/** The initial state of the scratch database. Throws a `MigrateError`. */
export function scratchStart({ settings }: Session, { baseline, overwrite }: ReplayArguments): Scratch {
  const file = baseline === undefined ? settings.baseline : path.resolve(baseline);
  if (file !== undefined && !existsSync(file)) {
    throw new MigrateError(
      'baseline_failed',
      `the baseline ${file} does not exist`,
      'name the file with --baseline or the setting "baseline"',
    );
  }
  return { ...(file !== undefined && { baseline: readFileSync(file, 'utf8') }), overwrite };
}

/** Replays and reviews revisions. Releases the observer, which can't be used afterwards. `measure`: as in the option. */
export async function reviewRevisions(
  session: Session,
  given: ReplayArguments & FailArguments & { readonly measure?: boolean },
  observation: Observation,
  graph: GraphFacts,
  chosen: Chosen,
  started: number,
): Promise<Review> {
  const input = await replay(session, given, observation, graph, chosen, started);
  const sizes = given.measure ? readSizes(session.settings, given.statistics) : undefined;
  const measured = sizes && (await measureRevisions(session, observation.observer, input, sizes, scratchStart(session, given)));
  observation.release();
  await nextTurn(); // They end while the rules run.
  return judge(session, given, { ...input, measured, restored: observation.restored() });
}

/** Replays revisions; many at once on several servers, if there may be `another`. `overlay`: with other files than the project has. */
export async function replay(
  session: Session,
  given: ReplayArguments,
  { observer, another }: Pick<Observation, 'observer' | 'another'>,
  graph: GraphFacts,
  { revisions, unreleased, edited }: Chosen,
  started: number,
  overlay: Overlay = {},
): Promise<ReviewInput> {
  const { screen, common, project } = session;
  const progress = common.progress ? new ReplayProgress(screen, graph) : undefined;
  try {
    const runner = dependsOnRunner(project);
    const ask = { drift: true, unreleased, ...scratchStart(session, given), ...overlay };
    const observers = await shareOut(revisions, observer, another);
    const observed = await observeSideBySide(observers, ask, {
      onProgress: (report) => progress?.advance(report),
      // While the backend's Python replays the next one. `review` reports an error.
      onRevision: (facts) => void readAhead(facts).catch(() => {}),
    });
    const plainAlembic = !(await runner);
    return { graph, unreleased, edited, plainAlembic, postgres: observed.environment?.postgres, started, ...observed };
  } finally {
    progress?.stop();
  }
}

/** Reviews a replay with the project's settings. */
export function judge({ settings, version }: Session, given: FailArguments, input: ReviewInput): Promise<Review> {
  return review(input, {
    version,
    rules: settings.rules,
    failOn: given.failOn ?? settings.failOn,
    allowNotReplayed: given.allowNotReplayed || settings.allowNotReplayed,
    sizes: readSizes(settings, given.statistics),
    budgets: settings.budgets,
  });
}
