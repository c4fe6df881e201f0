import { outOfDate } from '../../scripts/generate';

test('generated files match the contract (`npm run generate` writes them)', () => {
  expect(outOfDate()).toEqual([]);
}, 240_000);
