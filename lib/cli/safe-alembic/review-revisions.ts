import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Ask, GraphFacts } from '../../contract/facts';
import { LocalError } from '../../local/errors';
import { observe } from '../../local/observe';
import type { Observation } from '../../local/with-observer';
import { type Review, review } from '../../review';
import type { Chosen } from './choose-revisions';
import { ReplayProgress } from './replay-progress';
import type { MigrateSession } from './session';

type Scratch = Pick<Extract<Ask, { ask: 'observe' }>, 'baseline' | 'overwrite'>;

/** How the scratch database begins. Throws a `LocalError`. */
export function scratchOf({ arguments: given, settings }: MigrateSession): Scratch {
  const file = given.baseline === undefined ? settings.baseline : path.resolve(given.baseline);
  if (file !== undefined && !existsSync(file)) {
    throw new LocalError(
      'baseline_failed',
      `there is no baseline ${file}`,
      'name the file with --baseline or the setting "baseline"',
    );
  }
  return { ...(file !== undefined && { baseline: readFileSync(file, 'utf8') }), overwrite: given.overwrite };
}

/** Replays revisions and judges what was seen. It is the last that is asked of the observer. */
export async function reviewRevisions(
  session: MigrateSession,
  { observer, release }: Observation,
  graph: GraphFacts,
  chosen: Chosen,
  started: number,
): Promise<Review> {
  const { screen, arguments: given, settings, version } = session;
  const { revisions, unreleased, edited } = chosen;
  const progress = given.progress ? new ReplayProgress(screen, graph) : undefined;
  try {
    const ask = { revisions, drift: true, ...scratchOf(session) };
    const observed = await observe(observer, ask, (report) => progress?.advance(report));
    release();
    const input = { graph, unreleased, edited, postgres: observed.environment?.postgres, started, ...observed };
    return await review(input, { version, rules: settings.rules, failOn: given.failOn ?? settings.failOn });
  } finally {
    progress?.stop();
  }
}
