import path from 'node:path';
import type { Row } from '../row';
import { generated1000, oneTransactionEach } from '../world/backends';
import { createDatabase, type Database } from '../world/database';
import { upgrade } from '../world/invoke';
import { ourPackage } from '../world/packages';
import { virtualEnvironment } from '../world/virtual-environment';
import type { Timed } from '../world/world';

export const upgrade1000: Row = {
  name: 'upgrade-1000',
  title: 'upgrade from empty: 1,000 revisions, a transaction each',
  unit: 'ms',
  runs: 3,
  warmUp: false,
  goals: [{ timesFaster: 1, than: 'alembic upgrade head' }],
  async prepare(world) {
    const backend = await generated1000(world);
    const each = await oneTransactionEach(world, backend);
    const [ours, commands] = [await ourPackage(world, backend), await virtualEnvironment(world, backend)];
    const alembic = path.join(commands, 'alembic');

    const onEmpty = (migrate: (database: Database) => Promise<Timed>) => async (): Promise<number> => {
      const database = await createDatabase(world, world.newName('upgrade'));
      const { ms } = await migrate(database);
      await database.expectVersion(backend.head);
      const tables = await database.countTables();
      if (tables !== backend.tables) throw new Error(`the upgrade left ${tables} tables instead of ${backend.tables}`);
      await database.drop();
      return ms;
    };

    const script = world.newPath('upgrade.sql');
    const write = await createDatabase(world, 'upgrade_offline');
    const offline = ['-c', `exec "${alembic}" upgrade head --sql > "${script}"`];
    await world.run({ command: 'sh', args: offline, cwd: each.directory, env: write.env });
    const send = [path.join(__dirname, '..', 'python', 'statements.py'), script];

    return [
      { name: 'cdk-alembic', run: onEmpty((database) => upgrade(world, ours, database, backend.head)) },
      {
        name: 'alembic upgrade head',
        run: onEmpty(({ env }) => world.timed({ command: alembic, args: ['upgrade', 'head'], cwd: each.directory, env })),
      },
      {
        name: 'the same SQL',
        run: onEmpty(({ env }) => world.timed({ command: path.join(commands, 'python'), args: send, env })),
      },
    ];
  },
};
