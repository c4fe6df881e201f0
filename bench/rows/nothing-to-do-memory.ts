import type { Row } from '../row';
import { nothingToDo } from './nothing-to-do';

export const nothingToDoMemory: Row = {
  name: 'nothing-to-do-memory',
  title: 'memory with nothing to do: peak of the process',
  unit: 'bytes',
  runs: 3,
  goals: [{ atMost: 128 * 1024 * 1024 }],
  async prepare(testBed) {
    const { cold } = await nothingToDo(testBed);
    return [
      { name: 'cdk-alembic', run: async () => (await cold.ours()).peakBytes },
      { name: 'plain handler', run: async () => (await cold.plain()).peakBytes },
    ];
  },
};
