import type { Row } from '../row';
import { createDatabase } from '../test-bed/database';
import { idOf, soundModels, soundSteps, writeProject } from '../test-bed/histories';
import { byPytestAlembic, expectClean, reviewers } from '../test-bed/reviewers';

const REVISIONS = 100;
const UPGRADES = 20;

export const review100: Row = {
  name: 'review-100',
  title: `review of ${REVISIONS} revisions`,
  unit: 'ms',
  runs: 3,
  warmUp: false,
  goals: [
    { timesFaster: 1, than: 'pytest-alembic' },
    { atMostTimes: 1, of: `alembic upgrade head, ${UPGRADES} times` },
  ],
  async prepare(testBed) {
    const project = testBed.newPath('history');
    writeProject(project, soundSteps(REVISIONS), soundModels(REVISIONS));
    const tools = await reviewers(testBed);
    const { review, alembic } = tools;
    const database = await createDatabase(testBed, 'review_nothing_to_do');
    await testBed.run(alembic(project, database));

    const upgrades = async (): Promise<number> => {
      let total = 0;
      for (let upgrade = 0; upgrade < UPGRADES; upgrade++) total += (await testBed.timed(alembic(project, database))).ms;
      await database.expectVersion(idOf(REVISIONS));
      return total;
    };
    return [
      {
        name: 'cdk-alembic',
        run: async () => {
          const { ms, stdout } = await testBed.timed(review(project, '--all'));
          expectClean(stdout, REVISIONS);
          return ms;
        },
      },
      byPytestAlembic(testBed, tools, project),
      { name: `alembic upgrade head, ${UPGRADES} times`, run: upgrades },
    ];
  },
};
