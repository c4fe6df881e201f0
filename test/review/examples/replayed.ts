import { observe, readGraph } from '../../../lib/local/python/observe';
import { type WithObserverOptions, withObserver } from '../../../lib/local/python/with-observer';
import { type Review, type ReviewInput, review } from '../../../lib/review';
import { needed } from '../../production/environment';
import { inFolder } from '../folder';
import type { Example } from './example';
import { type Case, writeProject } from './project';
import { ALL_RULES } from './reviewed';

/** Examples of one project. More would take longer: after each statement all tables of the project are looked at. */
const TOGETHER = 25;

/** Examples that were replayed and reviewed as one project. */
export interface Group {
  readonly cases: readonly Case[];
  readonly input: ReviewInput;
  readonly result: Review;
}

/** Replays and reviews examples in groups. @param prepare is called with the folder of each project before its replay */
export async function replayed(
  examples: readonly Example[],
  database: WithObserverOptions['database'],
  prepare: (project: string) => void = () => undefined,
): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (let from = 0; from < examples.length; from += TOGETHER) {
    groups.push(await inFolder((project) => group(project, examples.slice(from, from + TOGETHER), database, prepare)));
  }
  return groups;
}

async function group(
  project: string,
  examples: readonly Example[],
  database: WithObserverOptions['database'],
  prepare: (project: string) => void,
): Promise<Group> {
  const cases = writeProject(project, examples);
  prepare(project);
  const started = Date.now();
  return withObserver({ project, python: [needed('RUNNER_PYTHON')], database }, async ({ observer }) => {
    const graph = await readGraph(observer);
    const asked = cases.flatMap((one) => one.revisions);
    const observed = await observe(observer, { revisions: asked, drift: false, overwrite: database !== 'scratch' });
    const input = { graph, ...observed, unreleased: asked, edited: [], postgres: observed.environment?.postgres, started };
    return { cases, input, result: await review(input, ALL_RULES) };
  });
}
