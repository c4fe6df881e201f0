import path from 'node:path';
import { type Backend, sampleWith300 } from '../test-bed/backends';
import { createDatabase, type Database } from '../test-bed/database';
import { invoke, upgrade } from '../test-bed/invoke';
import { ourPackage, plainPackage } from '../test-bed/packages';
import type { TestBed, Timed } from '../test-bed/test-bed';
import { virtualEnvironment } from '../test-bed/virtual-environment';

/** Ways to determine that nothing is pending: the sample with 300 revisions, and a database at head. */
export interface NothingToDo {
  /** Each looks once, in a fresh process. */
  readonly cold: Readonly<Record<'ours' | 'alembic' | 'plain' | 'floor', () => Promise<Timed>>>;
}

export function nothingToDo(testBed: TestBed): Promise<NothingToDo> {
  return testBed.once('nothing-to-do', async () => {
    const backend = await sampleWith300(testBed);
    const [ours, plain] = [await ourPackage(testBed, backend), await plainPackage(testBed, backend)];
    const commands = await virtualEnvironment(testBed, backend);
    const database = await createDatabase(testBed, 'nothing_to_do');
    await upgrade(testBed, ours, database, backend.head);
    await expectAllThere(database, backend);

    const { env } = database;
    const alembic = () =>
      testBed.timed({ command: path.join(commands, 'alembic'), args: ['upgrade', 'head'], cwd: backend.directory, env });
    const query = () =>
      testBed.timed({ command: path.join(commands, 'python'), args: [path.join(__dirname, '..', 'python', 'query.py')], env });
    const checked = async <T>(look: Promise<T>): Promise<T> => {
      const found = await look;
      await expectAllThere(database, backend);
      return found;
    };
    return {
      cold: {
        ours: () => checked(upgrade(testBed, ours, database, backend.head)),
        alembic: () => checked(alembic()),
        plain: () => checked(invoke(testBed, plain, database)),
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
