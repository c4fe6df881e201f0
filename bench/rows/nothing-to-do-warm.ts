import type { Row } from '../row';
import { median } from '../statistics';
import { nothingToDo } from './nothing-to-do';

const CALLS = 20;

export const nothingToDoWarm: Row = {
  name: 'nothing-to-do-warm',
  title: 'nothing to do, warm: a later call in the same process',
  unit: 'ms',
  runs: 9,
  goals: [{ atMostTimes: 1.5, of: 'bare query' }],
  async prepare(world) {
    const { warm } = await nothingToDo(world);
    return [
      { name: 'cdk-alembic', run: async () => median(await warm.ours(CALLS)) },
      { name: 'plain handler', run: async () => median(await warm.plain(CALLS)) },
      { name: 'bare query', run: async () => median(await warm.floor(CALLS)) },
    ];
  },
};
