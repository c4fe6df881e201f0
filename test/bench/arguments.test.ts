import { parseArguments } from '../../bench/arguments';
import { ROWS } from '../../bench/rows';

const names = ['cold', 'warm', 'synth'];

test('all rows are measured unless --only names some, in one option or several', () => {
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
])('%j is rejected, and the error says what would be right', (argv, message) => {
  expect(() => parseArguments(argv, names)).toThrow(message);
});

test('row names are unique', () => {
  const all = ROWS.map(({ name }) => name);
  expect(new Set(all).size).toBe(all.length);
});
