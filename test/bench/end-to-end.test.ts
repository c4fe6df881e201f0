import { existsSync } from 'node:fs';
import { measure } from '../../bench/measure';
import { isMeasured, type RowResult } from '../../bench/results';
import type { Row } from '../../bench/row';
import { upgradeMemory } from '../../bench/rows/upgrade-memory';
import { sample } from '../../bench/test-bed/backends';
import { createDatabase } from '../../bench/test-bed/database';
import { upgrade } from '../../bench/test-bed/invoke';
import { ourPackage } from '../../bench/test-bed/packages';
import { TestBed } from '../../bench/test-bed/test-bed';
import { withFolder } from '../../examples/local-aws';

// It packages the sample and starts a PostgreSQL.
let folder: string;
let whole: RowResult;
let elsewhere: RowResult;
let exit: RowResult;

const row: Row = { ...upgradeMemory, runs: 1 };

function failing(run: (testBed: TestBed) => Promise<number>): Row {
  return { ...row, prepare: async (testBed) => [{ name: 'ours', run: () => run(testBed) }] };
}

beforeAll(() =>
  withFolder(async (made) => {
    folder = made;
    const testBed = await TestBed.open(folder);
    whole = await measure(row, testBed);
    elsewhere = await measure(
      failing(async () => {
        const database = await createDatabase(testBed, 'elsewhere');
        const { head } = await sample(testBed);
        await upgrade(testBed, await ourPackage(testBed, await sample(testBed)), database, head);
        await database.expectVersion('another');
        return 1;
      }),
      testBed,
    );
    exit = await measure(
      failing(async () => (await testBed.timed({ command: testBed.python, args: ['-c', 'print("no"); exit(3)'] })).ms),
      testBed,
    );
  }),
);

test('a row measures whole processes against a real database', () => {
  expect(whole).not.toHaveProperty('failure');
  expect(isMeasured(whole) && whole.variants[0]?.median).toBeGreaterThan(0);
});

test('a run that leaves the database at the wrong revision is rejected', () => {
  expect(elsewhere).toMatchObject({ failure: 'ours: the database is at 54f972feefa5 instead of another' });
});

test('a run that fails is rejected with its output', () => {
  expect(exit).toMatchObject({ failure: 'ours: python ended with exit code 3:\nno' });
});

test('the folder of the measurement is removed', () => {
  expect(existsSync(folder)).toBe(false);
});
