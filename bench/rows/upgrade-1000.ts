import path from 'node:path';
import type { Row } from '../row';
import { generated1000, oneTransactionEach } from '../test-bed/backends';
import { createDatabase, type Database } from '../test-bed/database';
import { upgrade } from '../test-bed/invoke';
import { ourPackage } from '../test-bed/packages';
import type { Timed } from '../test-bed/test-bed';
import { virtualEnvironment } from '../test-bed/virtual-environment';

export const upgrade1000: Row = {
  name: 'upgrade-1000',
  title: 'upgrade from empty: 1,000 revisions, a transaction each',
  unit: 'ms',
  runs: 3,
  warmUp: false,
  goals: [{ timesFaster: 1, than: 'alembic upgrade head' }],
  async prepare(testBed) {
    const backend = await generated1000(testBed);
    const each = await oneTransactionEach(testBed, backend);
    const [ours, commands] = [await ourPackage(testBed, backend), await virtualEnvironment(testBed, backend)];
    const alembic = path.join(commands, 'alembic');

    const onEmpty = (migrate: (database: Database) => Promise<Timed>) => async (): Promise<number> => {
      const database = await createDatabase(testBed, testBed.newName('upgrade'));
      const { ms } = await migrate(database);
      await database.expectVersion(backend.head);
      const tables = await database.countTables();
      if (tables !== backend.tables) throw new Error(`the upgrade left ${tables} tables instead of ${backend.tables}`);
      await database.drop();
      return ms;
    };

    const script = testBed.newPath('upgrade.sql');
    const write = await createDatabase(testBed, 'upgrade_offline');
    const offline = ['-c', `exec "${alembic}" upgrade head --sql > "${script}"`];
    await testBed.run({ command: 'sh', args: offline, cwd: each.directory, env: write.env });
    const send = [path.join(__dirname, '..', 'python', 'statements.py'), script];

    return [
      { name: 'cdk-alembic', run: onEmpty((database) => upgrade(testBed, ours, database, backend.head)) },
      {
        name: 'alembic upgrade head',
        run: onEmpty(({ env }) => testBed.timed({ command: alembic, args: ['upgrade', 'head'], cwd: each.directory, env })),
      },
      {
        name: 'the same SQL',
        run: onEmpty(({ env }) => testBed.timed({ command: path.join(commands, 'python'), args: send, env })),
      },
    ];
  },
};
