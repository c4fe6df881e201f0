import path from 'node:path';
import { type Backend, sampleWith300 } from '../world/backends';
import { createDatabase, type Database } from '../world/database';
import { invoke, upgrade } from '../world/invoke';
import { ourPackage, plainPackage } from '../world/packages';
import { virtualEnvironment } from '../world/virtual-environment';
import type { Timed, World } from '../world/world';

/** The ways to find out that there is nothing to do: the sample with 300 revisions, and a database that has them all. */
export interface NothingToDo {
  /** Each looks once, in a fresh process. */
  readonly cold: Readonly<Record<'ours' | 'alembic' | 'plain' | 'floor', () => Promise<Timed>>>;
}

export function nothingToDo(world: World): Promise<NothingToDo> {
  return world.once('nothing-to-do', async () => {
    const backend = await sampleWith300(world);
    const [ours, plain] = [await ourPackage(world, backend), await plainPackage(world, backend)];
    const commands = await virtualEnvironment(world, backend);
    const database = await createDatabase(world, 'nothing_to_do');
    await upgrade(world, ours, database, backend.head);
    await expectAllThere(database, backend);

    const { env } = database;
    const alembic = () =>
      world.timed({ command: path.join(commands, 'alembic'), args: ['upgrade', 'head'], cwd: backend.directory, env });
    const query = () =>
      world.timed({ command: path.join(commands, 'python'), args: [path.join(__dirname, '..', 'python', 'query.py')], env });
    const checked = async <T>(look: Promise<T>): Promise<T> => {
      const found = await look;
      await expectAllThere(database, backend);
      return found;
    };
    return {
      cold: {
        ours: () => checked(upgrade(world, ours, database, backend.head)),
        alembic: () => checked(alembic()),
        plain: () => checked(invoke(world, plain, database)),
        floor: async () => {
          const found = await checked(query());
          if (found.stdout !== backend.head) throw new Error(`the query found ${found.stdout} instead of ${backend.head}`);
          return found;
        },
      },
    };
  });
}

async function expectAllThere(database: Database, { head, tables }: Backend): Promise<void> {
  await database.expectVersion(head);
  const count = await database.countTables();
  if (count !== tables) throw new Error(`the database has ${count} tables instead of ${tables}`);
}
