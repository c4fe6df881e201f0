import path from 'node:path';
import { type Backend, sampleWith300 } from '../world/backends';
import { createDatabase, type Database } from '../world/database';
import { invoke, upgrade } from '../world/invoke';
import { ourPackage, plainPackage } from '../world/packages';
import { virtualEnvironment } from '../world/virtual-environment';
import type { Timed, World } from '../world/world';

/** The ways to find out that there is nothing to do: the sample with 300 revisions, and a database that has them all. */
export interface NothingToDo {
  /** All of them look once, in a fresh process. */
  readonly cold: Readonly<Record<'ours' | 'alembic' | 'plain' | 'floor', () => Promise<Timed>>>;
  /** They look many times in one process, and give the milliseconds of each time after the first. */
  readonly warm: Readonly<Record<'ours' | 'plain' | 'floor', (calls: number) => Promise<number[]>>>;
  readonly database: Database;
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
    const query = (...args: string[]) =>
      world.timed({
        command: path.join(commands, 'python'),
        args: [path.join(__dirname, '..', 'python', 'query.py'), ...args],
        env,
      });
    const checked = async <T>(look: Promise<T>): Promise<T> => {
      const found = await look;
      await expectAllThere(database, backend);
      return found;
    };
    const times = async (found: Promise<{ answer: unknown }>) => (await checked(found)).answer as number[];
    return {
      database,
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
      warm: {
        ours: (calls) => times(invoke(world, ours, database, calls)),
        plain: (calls) => times(invoke(world, plain, database, calls)),
        floor: (calls) => times(query(String(calls)).then(({ stdout }) => ({ answer: JSON.parse(stdout) }))),
      },
    };
  });
}

async function expectAllThere(database: Database, { head, tables }: Backend): Promise<void> {
  await database.expectVersion(head);
  const count = await database.countTables();
  if (count !== tables) throw new Error(`the database has ${count} tables instead of ${tables}`);
}
