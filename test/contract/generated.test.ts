import { outOfDate } from '../../scripts/generate';

test('what is generated from the contract is up to date: `npm run generate` writes it', () => {
  expect(outOfDate()).toEqual([]);
}, 240_000);
