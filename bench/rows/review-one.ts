import type { Row } from '../row';
import { createDatabase } from '../test-bed/database';
import { idOf, soundModels, soundSteps, writeProject } from '../test-bed/histories';
import { byPytestAlembic, expectClean, reviewers } from '../test-bed/reviewers';

const REVISIONS = 300;

export const reviewOne: Row = {
  name: 'review-one',
  title: `review of the newest of ${REVISIONS} revisions, again`,
  unit: 'ms',
  runs: 3,
  goals: [{ atMost: 2000 }, { timesFaster: 3, than: 'pytest-alembic' }],
  async prepare(testBed) {
    const project = testBed.newPath('history');
    writeProject(project, soundSteps(REVISIONS), soundModels(REVISIONS));
    const tools = await reviewers(testBed);
    const { review, alembic } = tools;
    let databases = 0;
    return [
      {
        name: 'cdk-alembic',
        run: async () => {
          const { ms, stdout } = await testBed.timed(review(project, idOf(REVISIONS)));
          expectClean(stdout, 1);
          return ms;
        },
      },
      {
        name: 'alembic upgrade head, from empty',
        run: async () => {
          const database = await createDatabase(testBed, `review_one_${databases++}`);
          const { ms } = await testBed.timed(alembic(project, database));
          await database.expectVersion(idOf(REVISIONS));
          return ms;
        },
      },
      byPytestAlembic(testBed, tools, project),
    ];
  },
};
