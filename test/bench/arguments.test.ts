import { parseArguments } from '../../bench/arguments';
import { ROWS } from '../../bench/rows';

const names = ['cold', 'warm', 'synth'];

test('every row is measured unless some are named, one option or several', () => {
  expect(parseArguments([], names)).toEqual({ only: [], json: undefined, write: false });
  expect(parseArguments(['--only', 'warm', 'synth', '--json', 'a.json'], names)).toMatchObject({
    only: ['warm', 'synth'],
    json: 'a.json',
  });
  expect(parseArguments(['--only', 'warm', '--only', 'cold'], names).only).toEqual(['warm', 'cold']);
});

test.each([
  [['--only', 'hot'], 'no row is named hot: use cold, warm, synth'],
  [['warm'], 'unexpected: warm'],
  [['--fast'], '--fast'],
  [['--write', '--only', 'warm'], '--write measures nothing: use it alone'],
])('%j is refused, with what would be right', (argv, message) => {
  expect(() => parseArguments(argv, names)).toThrow(message);
});

test('no two rows have one name', () => {
  const all = ROWS.map(({ name }) => name);
  expect(new Set(all).size).toBe(all.length);
});
