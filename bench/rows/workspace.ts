import path from 'node:path';
import type { Row } from '../row';
import { createDatabase } from '../test-bed/database';
import { upgrade } from '../test-bed/invoke';
import { ourPackage } from '../test-bed/packages';
import { virtualEnvironment } from '../test-bed/virtual-environment';
import { workspace } from '../test-bed/workspace';

const GOALS: Row['goals'] = [{ timesFaster: 1, than: 'alembic upgrade head' }];

export const workspaceUpgrade = row(
  'workspace-upgrade',
  'upgrade from empty, cold: 300 revisions, a workspace with 50 dependencies',
  5,
  true,
);
export const workspaceNothingToDo = row('workspace-nothing-to-do', 'nothing to do, cold: the same workspace', 9, false);

function row(name: string, title: string, runs: number, fromEmpty: boolean): Row {
  return {
    name,
    title,
    unit: 'ms',
    runs,
    goals: GOALS,
    async prepare(testBed) {
      const backend = await workspace(testBed);
      const [ours, commands] = [await ourPackage(testBed, backend), await virtualEnvironment(testBed, backend, 'workspace-venv')];
      const atHead = await createDatabase(testBed, testBed.newName('workspace'));
      await upgrade(testBed, ours, atHead, backend.head);

      const timed = (migrate: (database: typeof atHead) => Promise<{ readonly ms: number }>) => async (): Promise<number> => {
        const database = fromEmpty ? await createDatabase(testBed, testBed.newName('workspace')) : atHead;
        const { ms } = await migrate(database);
        await database.expectVersion(backend.head);
        if (fromEmpty) await database.drop();
        return ms;
      };
      const alembic = { command: path.join(commands, 'alembic'), args: ['upgrade', 'head'], cwd: backend.directory };
      return [
        { name: 'cdk-alembic', run: timed((database) => upgrade(testBed, ours, database, backend.head)) },
        { name: 'alembic upgrade head', run: timed(({ env }) => testBed.timed({ ...alembic, env })) },
      ];
    },
  };
}
