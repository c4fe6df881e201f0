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

/** Keys of a document by the definition of the schema that describes them. */
function keysOf(value: unknown, definition: Definition, at: string, found = new Map<string, Set<string>>()) {
  const described = definition.$ref ? definitions[name(definition.$ref)] : definition;
  const place = definition.$ref ? name(definition.$ref) : at;
  if (Array.isArray(value)) for (const item of value) keysOf(item, described?.items ?? {}, place, found);
  else if (typeof value === 'object' && value !== null) {
    const keys = found.get(place) ?? new Set();
    found.set(place, keys);
    for (const [key, item] of Object.entries(value)) {
      keys.add(key);
      keysOf(item, described?.properties?.[key] ?? {}, `${place}.${key}`, found);
    }
  }
  return found;
}

interface Definition {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly items?: Definition;
}

const root = schema as unknown as Definition;
const definitions = schema.definitions as unknown as Readonly<Record<string, Definition>>;
const name = (reference: string): string => reference.replace('#/definitions/', '');

describe('the review as JSON', () => {
  test.each([
    ['a review with findings', EXAMPLE],
    ['a review with everything that may be absent', COMPLETE],
    ['a review that found nothing', CLEAN],
    ['a review of 500 revisions', large()],
  ])('%s is the review itself, and follows the schema in the package', (_, review) => {
    const document = JSON.parse(jsonReport(review));
    expect(document).toEqual(JSON.parse(JSON.stringify(review)));
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('the schema describes every key that a review has, and none that it has not', () => {
    const keys = keysOf(COMPLETE, root, 'review');
    const described = Object.entries<Definition>({ review: root, ...definitions });
    for (const [definition, { properties = {} }] of described) {
      expect([definition, [...(keys.get(definition) ?? [])].sort()]).toEqual([definition, Object.keys(properties).sort()]);
    }
    expect([...keys.keys()].sort()).toEqual(described.map(([definition]) => definition).sort());
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
  ])('the schema refuses %s', (_, spoil) => {
    expect(validate(spoil(JSON.parse(jsonReport(EXAMPLE))))).toBe(false);
  });

  test('the schema can be imported from the package', () => {
    expect(packageJson.exports['./schema/review.json']).toBe('./schema/review.json');
  });
});
