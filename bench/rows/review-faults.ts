import type { RunResult } from '../../lib/local/processes/run';
import type { Review } from '../../lib/review';
import type { Row } from '../row';
import { createDatabase } from '../test-bed/database';
import { FAULTS, type Fault, writeFaulty } from '../test-bed/faults';
import { expectClean, expectPassed, reviewers } from '../test-bed/reviewers';
import type { Command, TestBed } from '../test-bed/test-bed';

export const reviewFaults: Row = {
  name: 'review-faults',
  title: `review of ${FAULTS.length} histories with one fault each: missed faults`,
  unit: 'faults',
  runs: 1,
  warmUp: false,
  goals: [{ atMost: 0 }, { atMost: -1, over: 'pytest-alembic' }],
  async prepare(testBed) {
    const tools = await reviewers(testBed);
    const { name } = await createDatabase(testBed, 'review_scratch');
    const replay = ['--database-url', testBed.postgres.url(name), '--overwrite'];
    const history = (fault?: Fault): History => {
      const project = testBed.newPath('history');
      const revisions = writeFaulty(project, fault);
      return { review: tools.review(project, ...revisions, ...replay), pytest: tools.pytest(project) };
    };
    const sound = history();
    expectClean((await testBed.run(sound.review)).stdout, 1);
    expectPassed((await testBed.run(sound.pytest)).stdout);

    const faulty = FAULTS.map((fault) => ({ fault, history: history(fault) }));
    const missed = (finds: Finds) => async (): Promise<number> => {
      let count = 0;
      for (const { fault, history } of faulty) if (!(await finds(testBed, history, fault))) count += 1;
      return count;
    };
    return [
      { name: 'cdk-alembic', run: missed(reviewFinds) },
      { name: 'pytest-alembic', run: missed(pytestFinds) },
    ];
  },
};

interface History {
  readonly review: Command;
  readonly pytest: Command;
}

type Finds = (testBed: TestBed, history: History, fault: Fault) => Promise<boolean>;

/** Found: a finding says what is wrong, not only that something is. */
const reviewFinds: Finds = async (testBed, { review }, { rule }) =>
  (JSON.parse((await foundOrNot(testBed, review)).stdout) as Review).findings.some((finding) => finding.rule === rule);

/** Found: any test fails. */
const pytestFinds: Finds = async (testBed, { pytest }) => (await foundOrNot(testBed, pytest)).code === 1;

/** Both end with 1 when they have found something, and with more when they could not look. */
async function foundOrNot(testBed: TestBed, command: Command): Promise<RunResult> {
  const result = await testBed.attempt(command);
  if (result.code > 1) throw new Error(`exit code ${result.code}:\n${result.output}`);
  return result;
}
