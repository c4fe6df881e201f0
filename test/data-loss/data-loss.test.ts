import { DESTROYING } from './destroying';
import { HARMLESS } from './harmless';
import { judged } from './judged';

jest.setTimeout(300_000);

const found = judged([...DESTROYING, ...HARMLESS]);
const rulesOf = (index: number) => (found[index] ?? []).map(({ rule }) => rule);

test.each(DESTROYING.map(({ title, rules = [] }, index) => [title, rules, index] as const))('%s is found', (_, rules, index) => {
  expect(rulesOf(index)).toEqual(rules);
});

test.each(HARMLESS.map(({ title, rules = [] }, index) => [title, rules, index] as const))('%s is no loss', (_, rules, index) => {
  expect(rulesOf(DESTROYING.length + index)).toEqual(rules);
});
