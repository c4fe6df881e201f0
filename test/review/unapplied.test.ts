import type { RevisionFacts, StatementFailure } from '../../lib/contract/facts';
import { whyNotRun } from '../../lib/review/not-checked';
import type { AnalyzedRevision } from '../../lib/review/revision/analyzed-revision';
import type { Change } from '../../lib/review/revision/change';
import { mayStemFromUnapplied, upgradeFails } from '../../lib/review/rules/replay';

const failure = (sqlState: string): StatementFailure => ({ sqlState, message: 'the statement failed', statement: '', line: 3 });

test.each([
  ['42P01', 'a missing table'],
  ['42804', 'a column of another type'],
  ['23503', 'a missing row'],
  ['23502', 'a row that no revision filled'],
  ['42830', 'a missing unique constraint'],
  ['2BP01', 'an object that was not dropped'],
])('%s, %s, may stem from an earlier revision that could not be applied', (sqlState) => {
  const unapplied = { unapplied: ['a1'] } as unknown as RevisionFacts;
  expect(mayStemFromUnapplied(unapplied, failure(sqlState))).toBe(true);
  expect(mayStemFromUnapplied({} as RevisionFacts, failure(sqlState))).toBe(false);
});

test.each([
  ['CREATE TABLE tokens (used BOOLEAN DEFAULT 0)', false],
  ['ALTER TABLE tokens ADD COLUMN used BOOLEAN DEFAULT 0', false],
  ['ALTER TABLE tokens ALTER COLUMN used SET DEFAULT 0', true],
])('whether a default of the wrong type may stem from one depends on who chose the type: %s', (statement, may) => {
  const message = 'column "used" is of type boolean but default expression is of type integer';
  const unapplied = { unapplied: ['a1'] } as unknown as RevisionFacts;
  expect(mayStemFromUnapplied(unapplied, { ...failure('42804'), message, statement })).toBe(may);
});

test('an operator that two types lack may stem from one', () => {
  const operator = { ...failure('42883'), message: 'operator does not exist: boolean = integer' };
  expect(mayStemFromUnapplied({ unapplied: ['a1'] } as unknown as RevisionFacts, operator)).toBe(true);
  expect(mayStemFromUnapplied({} as RevisionFacts, operator)).toBe(false);
});

test('the reason that a revision was not replayed names the earlier ones that could not be applied', () => {
  const facts = { upgrade: { failure: failure('42P01') }, unapplied: ['a1', 'b1'] } as unknown as RevisionFacts;
  expect(whyNotRun(facts)).toBe('the statement failed; before it, a1, b1 could not be applied');
  expect(whyNotRun({ ...facts, unapplied: [] })).toBe('the statement failed');
});

test('a division by zero does not', () => {
  expect(mayStemFromUnapplied({ unapplied: ['a1'] } as unknown as RevisionFacts, failure('22012'))).toBe(false);
});

test.each([
  ['Waiting: no statement for 60 s, and still in requests.api.get', true],
  ['URLError: <urlopen error [Errno -2] Name or service not known>', false],
  ['ConnectionError: HTTPSConnectionPool(host=...)', false],
  ['NoCredentialsError: Unable to locate credentials', false],
])('a service that does not answer the replay is a warning: %s', (message, waited) => {
  const upgrade = { facts: { outcome: 'failed', failure: { message, waited, line: 3 }, statements: [] }, source: null };
  const [found] = upgradeFails.check?.({ facts: {}, upgrade } as unknown as AnalyzedRevision, {} as Change) ?? [];
  expect(found).toMatchObject({ line: 3, atMost: 'warning', message: expect.stringContaining('outside of the database') });
});
