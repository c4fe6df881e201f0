import { existsSync } from 'node:fs';
import { measure } from '../../bench/measure';
import { isMeasured, type RowResult } from '../../bench/results';
import type { Row } from '../../bench/row';
import { upgradeMemory } from '../../bench/rows/upgrade-memory';
import { sample } from '../../bench/world/backends';
import { createDatabase } from '../../bench/world/database';
import { upgrade } from '../../bench/world/invoke';
import { ourPackage } from '../../bench/world/packages';
import { World } from '../../bench/world/world';
import { withFolder } from '../../examples/local-aws';

// It packages the sample and starts a PostgreSQL.
let folder: string;
let whole: RowResult;
let elsewhere: RowResult;
let exit: RowResult;

const row: Row = { ...upgradeMemory, runs: 1 };

function failing(run: (world: World) => Promise<number>): Row {
  return { ...row, prepare: async (world) => [{ name: 'ours', run: () => run(world) }] };
}

beforeAll(() =>
  withFolder(async (made) => {
    folder = made;
    const world = await World.open(folder);
    whole = await measure(row, world);
    elsewhere = await measure(
      failing(async () => {
        const database = await createDatabase(world, 'elsewhere');
        const { head } = await sample(world);
        await upgrade(world, await ourPackage(world, await sample(world)), database, head);
        await database.expectVersion('another');
        return 1;
      }),
      world,
    );
    exit = await measure(
      failing(async () => (await world.timed({ command: world.python, args: ['-c', 'print("no"); exit(3)'] })).ms),
      world,
    );
  }),
);

test('a row is measured in whole processes against a real database', () => {
  expect(whole).not.toHaveProperty('failure');
  expect(isMeasured(whole) && whole.variants[0]?.median).toBeGreaterThan(0);
});

test('a run that leaves the database elsewhere than it should is refused', () => {
  expect(elsewhere).toMatchObject({ failure: 'ours: the database is at 54f972feefa5 instead of another' });
});

test('a run that ends with an exit code is refused, with what it said', () => {
  expect(exit).toMatchObject({ failure: 'ours: python ended with exit code 3:\nno' });
});

test('nothing is left of the folder in which it was measured', () => {
  expect(existsSync(folder)).toBe(false);
});
