import type { Row } from '../row';
import { nothingToDo } from './nothing-to-do';

export const nothingToDoCold: Row = {
  name: 'nothing-to-do-cold',
  title: 'nothing to do, cold: a fresh process, 300 revisions',
  unit: 'ms',
  runs: 9,
  goals: [
    { timesFaster: 1, than: 'alembic upgrade head' },
    { timesFaster: 1.5, than: 'plain handler' },
  ],
  async prepare(testBed) {
    const { cold } = await nothingToDo(testBed);
    return [
      { name: 'cdk-alembic', run: async () => (await cold.ours()).ms },
      { name: 'alembic upgrade head', run: async () => (await cold.alembic()).ms },
      { name: 'plain handler', run: async () => (await cold.plain()).ms },
      { name: 'bare query', run: async () => (await cold.floor()).ms },
    ];
  },
};
