import Ajv from 'ajv';
import type { Review } from '../../../lib/review/finding';
import { sarifReport } from '../../../lib/review/reports/sarif';
import { RULES } from '../../../lib/review/rules';
import { CLEAN, EXAMPLE, large } from './example';
// The official schema, as @microsoft/jest-sarif 1.0.0-beta.0 has it, without its descriptions.
import schema from './sarif-2.1.0.json';

const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);

// biome-ignore lint/suspicious/noExplicitAny: the schema has checked its shape
function run(review: Review, folder = 'back'): any {
  const document = JSON.parse(sarifReport(review, folder));
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
  expect(document.runs).toHaveLength(1);
  return document.runs[0];
}

const fingerprints = (review: Review): string[] =>
  run(review).results.map((result: { partialFingerprints: object }) => JSON.stringify(result.partialFingerprints));

describe('the review as SARIF', () => {
  test.each([
    ['findings', EXAMPLE],
    ['none', CLEAN],
    ['a thousand', large()],
  ])('matches the official schema with %s', (_, review) => {
    expect(run(review).results).toHaveLength(review.findings.length);
  });

  test('the schema rejects an unknown level', () => {
    expect(validate(JSON.parse(sarifReport(EXAMPLE, '').replace('"level": "note"', '"level": "bad"')))).toBe(false);
  });

  test('each finding names its rule, which explains the safe form and the acknowledgement', () => {
    const { tool, results } = run(EXAMPLE);
    const { rules } = tool.driver;
    for (const { ruleId, ruleIndex } of results) expect(rules[ruleIndex].id).toBe(ruleId);
    const { help, shortDescription } = rules.find(({ id }: { id: string }) => id === 'set-not-null-scan');
    const title = RULES.find(({ id }) => id === 'set-not-null-scan')?.title as string;
    expect(shortDescription.text.toLowerCase()).toBe(title.toLowerCase());
    for (const text of [help.text, help.markdown]) {
      expect(text).toContain('op.create_check_constraint(');
      expect(text).toContain('# cdk-alembic: allow set-not-null-scan: <reason>');
      expect(text).toContain('npx safe-alembic explain set-not-null-scan');
    }
  });

  test('paths are relative to the root of the repository', () => {
    const [{ locations }] = run({
      ...EXAMPLE,
      findings: EXAMPLE.findings.map((one) => ({ ...one, file: 'alembic/versions/ä b#1.py' })),
    }).results;
    expect(locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'back/alembic/versions/%C3%A4%20b%231.py', uriBaseId: '%SRCROOT%' },
      region: { startLine: 22 },
    });
    expect(run(EXAMPLE, '').results[0].locations[0].physicalLocation.artifactLocation.uri).toMatch(/^alembic\/versions\//);
  });

  test('acknowledged findings are suppressed with their reasons, and fail no check', () => {
    const suppressed = run(EXAMPLE).results.filter(({ suppressions }: { suppressions?: unknown }) => suppressions);
    expect(suppressed).toHaveLength(2);
    expect(suppressed[1]).toMatchObject({
      level: 'note',
      suppressions: [{ kind: 'inSource', status: 'accepted', justification: 'checked in prod on 2026-05-04' }],
    });
  });

  test('revisions that were not replayed are reported', () => {
    expect(run(EXAMPLE).invocations[0].toolExecutionNotifications).toEqual([
      expect.objectContaining({
        message: { text: expect.stringContaining('e3a4b5c6d7f8 was judged from source and SQL alone: its upgrade') },
      }),
    ]);
  });

  test('a finding keeps its identity if its line moves, its file is renamed or another finding disappears', () => {
    const before = fingerprints(EXAMPLE);
    const moved = EXAMPLE.findings.map((finding) => ({
      ...finding,
      line: finding.line + 7,
      file: finding.revision ? 'alembic/versions/new.py' : finding.file,
    }));
    expect(fingerprints({ ...EXAMPLE, findings: moved })).toEqual(before);
    expect(fingerprints({ ...EXAMPLE, findings: moved.slice(1) })).toEqual(before.slice(1));
  });

  test('two findings never share an identity, even with the same rule and statement', () => {
    const twice = { ...EXAMPLE, findings: EXAMPLE.findings.flatMap((finding) => [finding, finding]) };
    expect(new Set(fingerprints(twice)).size).toBe(2 * EXAMPLE.findings.length);
  });
});
