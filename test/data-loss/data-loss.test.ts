import type { Case } from './cases/case';
import { KEPT_CODE } from './cases/kept-code';
import { KEPT_OWN } from './cases/kept-own';
import { KEPT_ROWS } from './cases/kept-rows';
import { KEPT_SCHEMA } from './cases/kept-schema';
import { KEPT_WORDS } from './cases/kept-words';
import { MOVED, NOT_MOVED } from './cases/moved';
import { NOT_FOUND } from './cases/not-found';
import { OPERATIONS } from './cases/operations';
import { PYTHON } from './cases/python';
import { COLLECTED, QUERIED } from './cases/queried';
import { SQL } from './cases/sql';
import { SQLALCHEMY } from './cases/sqlalchemy';
import { judged } from './judged';

jest.setTimeout(300_000);

const destroying = [...OPERATIONS, ...PYTHON, ...SQL, ...SQLALCHEMY, ...QUERIED, ...COLLECTED, ...NOT_MOVED];
const harmless = [...KEPT_WORDS, ...KEPT_ROWS, ...KEPT_OWN, ...KEPT_SCHEMA, ...KEPT_CODE, ...MOVED, ...NOT_FOUND];
const found = judged([...destroying, ...harmless]);

const table = (cases: readonly Case[], from: number) =>
  cases.map(({ title, rules = [] }, index) => [title, [...rules].sort(), from + index] as const);

const rulesOf = (index: number) => (found[index] ?? []).map(({ rule }) => rule).sort();

test.each(table(destroying, 0))('%s: the loss is found', (_, rules, index) => {
  expect(rulesOf(index)).toEqual(rules);
});

test.each(table(harmless, destroying.length))('%s: no loss', (_, rules, index) => {
  expect(rulesOf(index)).toEqual(rules);
});

test('titles of cases are unique', () => {
  const titles = [...destroying, ...harmless].map(({ title }) => title);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});
