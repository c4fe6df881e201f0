import type { RunResult } from '../../lib/local/processes/run';
import type { Review } from '../../lib/review';
import type { Row } from '../row';
import { createDatabase } from '../world/database';
import { FAULTS, type Fault, writeFaulty } from '../world/faults';
import { expectClean, expectPassed, reviewers } from '../world/reviewers';
import type { Command, World } from '../world/world';

export const reviewFaults: Row = {
  name: 'review-faults',
  title: `review of ${FAULTS.length} histories with one fault each: faults that are overlooked`,
  unit: 'faults',
  runs: 1,
  warmUp: false,
  goals: [{ atMost: 0 }, { atMost: -1, over: 'pytest-alembic' }],
  async prepare(world) {
    const tools = await reviewers(world);
    const { name } = await createDatabase(world, 'review_scratch');
    const replay = ['--database-url', world.postgres.url(name), '--overwrite'];
    const history = (fault?: Fault): History => {
      const project = world.newPath('history');
      const revisions = writeFaulty(project, fault);
      return { review: tools.review(project, ...revisions, ...replay), pytest: tools.pytest(project) };
    };
    const sound = history();
    expectClean((await world.run(sound.review)).stdout, 1);
    expectPassed((await world.run(sound.pytest)).stdout);

    const faulty = FAULTS.map((fault) => ({ fault, history: history(fault) }));
    const overlooked = (finds: Finds) => async (): Promise<number> => {
      let count = 0;
      for (const { fault, history } of faulty) if (!(await finds(world, history, fault))) count += 1;
      return count;
    };
    return [
      { name: 'cdk-alembic', run: overlooked(reviewFinds) },
      { name: 'pytest-alembic', run: overlooked(pytestFinds) },
    ];
  },
};

interface History {
  readonly review: Command;
  readonly pytest: Command;
}

type Finds = (world: World, history: History, fault: Fault) => Promise<boolean>;

/** Found: a finding says what is wrong, not only that something is. */
const reviewFinds: Finds = async (world, { review }, { rule }) =>
  (JSON.parse((await foundOrNot(world, review)).stdout) as Review).findings.some((finding) => finding.rule === rule);

/** Found: any test fails. */
const pytestFinds: Finds = async (world, { pytest }) => (await foundOrNot(world, pytest)).code === 1;

/** Both end with 1 when they have found something, and with more when they could not look. */
async function foundOrNot(world: World, command: Command): Promise<RunResult> {
  const result = await world.attempt(command);
  if (result.code > 1) throw new Error(`exit code ${result.code}:\n${result.output}`);
  return result;
}
