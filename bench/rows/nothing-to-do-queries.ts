import type { Row } from '../row';
import { countStatements } from '../world/statements';
import { nothingToDo } from './nothing-to-do';

/** Few enough to be quick, enough to tell what every call sends from what the first alone does. */
const CALLS = 3;

export const nothingToDoQueries: Row = {
  name: 'nothing-to-do-queries',
  title: 'statements that a warm call with nothing to do sends',
  unit: 'queries',
  runs: 1,
  goals: [{ atMost: 1 }],
  async prepare(world) {
    const { warm, database } = await nothingToDo(world);
    const perCall = async (look: (calls: number) => Promise<unknown>): Promise<number> => {
      const once = await countStatements(world, database, () => look(1));
      const more = await countStatements(world, database, () => look(1 + CALLS));
      return (more - once) / CALLS;
    };
    return [
      { name: 'cdk-alembic', run: () => perCall(warm.ours) },
      { name: 'plain handler', run: () => perCall(warm.plain) },
      { name: 'bare query', run: () => perCall(warm.floor) },
    ];
  },
};
