import type { Row } from '../row';
import { createDatabase } from '../world/database';
import { idOf, soundModels, soundSteps, writeProject } from '../world/histories';
import { expectClean, expectPassed, reviewers } from '../world/reviewers';

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
  async prepare(world) {
    const project = world.newPath('history');
    writeProject(project, soundSteps(REVISIONS), soundModels(REVISIONS));
    const { review, pytest, alembic } = await reviewers(world);
    const database = await createDatabase(world, 'review_nothing_to_do');
    await world.run(alembic(project, database));

    const upgrades = async (): Promise<number> => {
      let total = 0;
      for (let upgrade = 0; upgrade < UPGRADES; upgrade++) total += (await world.timed(alembic(project, database))).ms;
      await database.expectVersion(idOf(REVISIONS));
      return total;
    };
    return [
      {
        name: 'cdk-alembic',
        run: async () => {
          const { ms, stdout } = await world.timed(review(project, '--all'));
          expectClean(stdout, REVISIONS);
          return ms;
        },
      },
      {
        name: 'pytest-alembic',
        run: async () => {
          const { ms, stdout } = await world.timed(pytest(project));
          expectPassed(stdout);
          return ms;
        },
      },
      { name: `alembic upgrade head, ${UPGRADES} times`, run: upgrades },
    ];
  },
};
