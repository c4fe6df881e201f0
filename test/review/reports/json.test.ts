import Ajv from 'ajv';
import type { Review } from '../../../lib/review/finding';
import { jsonReport } from '../../../lib/review/reports/json';
import packageJson from '../../../package.json';
import schema from '../../../schema/review.json';
import { CLEAN, EXAMPLE, large } from './example';

const validate = new Ajv({ allErrors: true }).compile(schema);

/** With everything that may be absent. */
const COMPLETE: Review = {
  ...EXAMPLE,
  notChecked: { code: 'not_replayed', message: '1 revision was not replayed', next: 'fix what stops it' },
  notCompared: 'env.py sets no target_metadata',
  graph: { ...EXAMPLE.graph, problem: "Can't locate revision identified by '4711'" },
  revisions: EXAMPLE.revisions.map((revision) => ({
    ...revision,
    upgrade: {
      ...revision.upgrade,
      failure: { message: 'relation "a" already exists', sqlState: '42P07', statement: 'CREATE TABLE a', line: 12 },
    },
  })),
};

describe('the review as JSON', () => {
  test.each([
    ['a review with findings', EXAMPLE],
    ['a review with everything that may be absent', COMPLETE],
    ['a review that found nothing', CLEAN],
    ['a review of 500 revisions', large()],
  ])('%s is the review itself, and matches the schema in the package', (_, review) => {
    const document = JSON.parse(jsonReport(review));
    expect(document).toEqual(JSON.parse(JSON.stringify(review)));
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  test.each<[string, (review: Record<string, unknown>) => unknown]>([
    ['a review without findings', ({ findings: _, ...review }) => review],
    ['a version that is not known', (review) => ({ ...review, review: 2 })],
    ['a severity that does not exist', (review) => ({ ...review, findings: [{ ...EXAMPLE.findings[0], severity: 'info' }] })],
    [
      'an outcome that does not exist',
      (review) => ({ ...review, revisions: [{ ...EXAMPLE.revisions[0], upgrade: { outcome: 'oops' } }] }),
    ],
    ['a line that no file has', (review) => ({ ...review, findings: [{ ...EXAMPLE.findings[0], line: 0 }] })],
  ])('the schema rejects %s', (_, spoil) => {
    expect(validate(spoil(JSON.parse(jsonReport(EXAMPLE))))).toBe(false);
  });

  test('the schema can be imported from the package', () => {
    expect(packageJson.exports['./schema/review.json']).toBe('./schema/review.json');
  });
});
