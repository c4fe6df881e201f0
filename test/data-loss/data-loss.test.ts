import type { Case } from './cases/case';
import { DESTROYING } from './cases/destroying';
import { HARMLESS } from './cases/harmless';
import { MORE_HARMLESS, NOT_FOUND } from './cases/more-harmless';
import { PYTHON } from './cases/python';
import { SQL } from './cases/sql';
import { SQLALCHEMY } from './cases/sqlalchemy';
import { LAST_DESTROYING, LAST_HARMLESS, LATER_DESTROYING, LATER_HARMLESS } from './cases/written-later';
import { judged } from './judged';

jest.setTimeout(300_000);

const destroying = [...DESTROYING, ...PYTHON, ...SQL, ...SQLALCHEMY, ...LATER_DESTROYING, ...LAST_DESTROYING];
const harmless = [...HARMLESS, ...MORE_HARMLESS, ...NOT_FOUND, ...LATER_HARMLESS, ...LAST_HARMLESS];
const found = judged([...destroying, ...harmless]);

const table = (cases: readonly Case[], from: number) =>
  cases.map(({ title, rules = [] }, index) => [title, [...rules].sort(), from + index] as const);

const rulesOf = (index: number) => (found[index] ?? []).map(({ rule }) => rule).sort();

test.each(table(destroying, 0))('%s: what it loses is found', (_, rules, index) => {
  expect(rulesOf(index)).toEqual(rules);
});

test.each(table(harmless, destroying.length))('%s: no loss', (_, rules, index) => {
  expect(rulesOf(index)).toEqual(rules);
});

test('each case has its own title', () => {
  const titles = [...destroying, ...harmless].map(({ title }) => title);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});
