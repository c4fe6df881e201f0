import { measure } from '../../bench/measure';
import { isMeasured, type MeasuredRow } from '../../bench/results';
import type { Row, Variant } from '../../bench/row';
import type { TestBed } from '../../bench/test-bed/test-bed';

const NO_TEST_BED = {} as TestBed;

function row(...variants: [Variant, ...Variant[]]): Row {
  const goals = [{ timesFaster: 2, than: 'theirs' }];
  return { name: 'row', title: 'a row', unit: 'ms', runs: 2, goals, prepare: async () => variants };
}

test('variants take turns, and the first round is not measured', async () => {
  const order: string[] = [];
  const counting = (name: string): Variant => ({ name, run: async () => order.push(name) });
  const result = (await measure(row(counting('ours'), counting('theirs')), NO_TEST_BED)) as MeasuredRow;

  expect(order).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs']);
  expect(result.variants).toEqual([
    { name: 'ours', runs: [3, 5], median: 4, least: 3, most: 5 },
    { name: 'theirs', runs: [4, 6], median: 5, least: 4, most: 6 },
  ]);
});

test('a row whose preparation warms it up is measured from the first round', async () => {
  let runs = 0;
  const counting: Row = { ...row({ name: 'ours', run: async () => ++runs }), goals: [], warmUp: false };
  expect(await measure(counting, NO_TEST_BED)).toMatchObject({ variants: [{ runs: [1, 2] }] });
});

test('goals compare medians', async () => {
  const result = await measure(row({ name: 'ours', run: async () => 10 }, { name: 'theirs', run: async () => 25 }), NO_TEST_BED);
  expect(result).toMatchObject({ verdicts: [{ value: 2.5, met: true }] });
});

test.each([0, 2])(
  'after a failure in round %d there is no ratio, and the row says which variant failed and why',
  async (failing) => {
    let round = -1;
    const run = async (): Promise<number> => {
      round += 1;
      if (round === failing) throw new Error('the database is at a1 instead of b2');
      return 25;
    };
    const result = await measure(row({ name: 'ours', run: async () => 10 }, { name: 'theirs', run }), NO_TEST_BED);

    expect(isMeasured(result)).toBe(false);
    expect(result).toMatchObject({ name: 'row', failure: 'theirs: the database is at a1 instead of b2' });
    expect(result).not.toHaveProperty('verdicts');
    expect(result).not.toHaveProperty('variants');
  },
);

test('a row that cannot be prepared is not measured', async () => {
  const broken: Row = { ...row({ name: 'ours', run: async () => 1 }), prepare: () => Promise.reject(new Error('no uv')) };
  expect(await measure(broken, NO_TEST_BED)).toMatchObject({ failure: 'no uv' });
});
