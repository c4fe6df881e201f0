import { execFileSync } from 'node:child_process';
import type { TableStatistics } from '../../lib/contract';
import { type Review, RULES, review } from '../../lib/review';
import { SMALL_TABLE } from '../../lib/review/sizes/size';
import { Database } from '../production/database';
import { needed } from '../production/environment';
import { STATISTICS } from '../support/aws/answers';
import { EXAMPLES } from './examples';
import { type Group, replayed } from './examples/replayed';
import { findingsOf } from './examples/reviewed';

const [LARGE] = STATISTICS.tables as readonly [TableStatistics];
/** Rules whose harm lasts as long as the table is large. */
const SIZED = [
  'index-not-concurrent',
  'foreign-key-not-valid',
  'check-not-valid',
  'validate-in-same-transaction',
  'constraint-builds-index',
  'set-not-null-scan',
  'table-rewrite',
];

let groups: readonly Group[] = [];

beforeAll(async () => {
  const database = await Database.create();
  try {
    groups = await replayed(EXAMPLES, { url: database.plainUrl });
  } finally {
    await database.drop();
  }
  // On a busy machine all examples together take longer than a test may.
}, 30 * 60_000);

/** All examples, each with what is found in it. */
const all = () => groups.flatMap(({ cases, result }) => cases.map((one) => ({ ...one, found: findingsOf(result, one) })));

// The ids are known only when the project is written: each example is looked up by its name.
const names = EXAMPLES.flatMap(({ rule, about, bad }) => {
  const name = [rule, ...(about ? [about] : [])].join(', ');
  return [...(bad ? [`${name} (bad)`] : []), `${name} (good)`];
});

test.each(names)('%s', (name) => {
  const one = all().find((candidate) => candidate.name === name);
  if (!one) throw new Error(`no example ${name}`);
  const rules = [...new Set(one.found.map(({ rule }) => rule))].sort();
  expect({ rules, findings: one.found }).toEqual({ rules: one.expected, findings: expect.anything() });
});

test('findings have the severity of their rule, or a lower one in milder cases', () => {
  const wrong = all()
    .filter(({ rule, expected }) => expected.includes(rule))
    .flatMap((one) => {
      const severity = one.severity ?? RULES.find(({ id }) => id === one.rule)?.severity ?? 'warning';
      const given = one.found.filter(({ rule }) => rule === one.rule);
      return given.some((finding) => finding.severity === severity) ? [] : [{ name: one.name, severity, given }];
    });
  expect(wrong).toEqual([]);
});

test('every rule about revisions has a bad and a good example', () => {
  const project = [
    'several-heads',
    'orphan-revision',
    'merge-does-work',
    'edited-revision',
    'env-keeps-nothing',
    'env-outer-transaction',
    'env-one-transaction',
    'lock-timeout-missing',
    'env-refused',
    'version-table-schema-missing',
    'drift',
    'drop-due',
  ];
  for (const { id } of RULES) {
    if (project.includes(id)) continue;
    const own = EXAMPLES.filter(({ rule }) => rule === id);
    expect([id, own.some(({ bad }) => bad), own.length > 0]).toEqual([id, true, true]);
  }
});

test('each finding has a location', () => {
  for (const { input, result } of groups) {
    for (const { line, file, message } of result.findings) {
      expect(line).toBeGreaterThan(0);
      expect(file).toMatch(/^alembic\/(?:versions\/\w+|env)\.py$/);
      expect(message).not.toMatch(/undefined|\[object/);
    }
    expect(input.revisions.length).toBe(result.summary.revisions);
  }
});

const findingsIn = (name: string) => all().find((one) => one.name === name)?.found ?? [];

test('a narrower scale rounds, and the finding says so', () => {
  expect(findingsIn('narrowing-type, that rounds each value (bad)').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('each value is rounded to 1 decimal places'),
  );
});

test('a statement of a downgrade that has failed is not said to fail on rows, too', () => {
  expect(findingsIn('downgrade-fails, on NULL, which was allowed before (bad)')).toHaveLength(1);
});

test('a lock in an autocommit block lasts as long as its statement', () => {
  const [found] = findingsIn('index-not-concurrent, in an autocommit block (bad)');
  expect(found?.message).toMatch(/SHARE lock on \w+ until the statement is done: /);
});

test('running code finds what takes the name of something dropped', () => {
  const again = ['drop-table, and made again (bad)', 'drop-column, and added again with another type (bad)'];
  const found = again.flatMap(findingsIn).filter(({ rule }) => /^drop-/.test(rule));
  expect(found.map(({ message }) => message)).toEqual([
    expect.stringMatching(/they are lost, and running code finds another table of its name$/),
    expect.stringMatching(/its values are lost, and running code finds another column of its name$/),
  ]);
});

test('the advice about an UPDATE that destroys values keeps them in another column', () => {
  const found = groups.flatMap(({ result }) => result.findings).filter(({ rule }) => rule === 'clear-column');
  expect(found.map(({ instead }) => instead)).toContainEqual(
    expect.stringMatching(/ADD COLUMN \w+_before .+allow clear-column/s),
  );
});

test('the advice about a new required column is the own operation of the revision, with nullable=True', () => {
  const [found] = findingsIn('not-null-without-default (bad)');
  expect(found?.instead).toMatch(/^op\.add_column\("\w+", sa\.Column\("plan", sa\.Text\(\), nullable=True\)\)\n/);
});

test('suggested code is valid Python', () => {
  const found = groups.flatMap(({ result }) => result.findings);
  const shown = [...new Set(found.flatMap(({ instead }) => (instead === undefined ? [] : [instead])))];
  expect(shown.length).toBeGreaterThan(20);
  const check = 'import ast, json, sys\nfor code in json.load(sys.stdin):\n    ast.parse(code)';
  execFileSync(needed('RUNNER_PYTHON'), ['-c', check], { input: JSON.stringify(shown) });
});

test('with production sizes, each lock that grows with its table has a size, and small tables get notes', async () => {
  const options = { version: '0.0.0', rules: {}, failOn: 'error' } as const;
  const rules = new Set<string>();
  for (const { input } of groups) {
    const names = new Set(input.revisions.flatMap(({ before, after }) => [...Object.keys(before), ...Object.keys(after)]));
    const tables = [...names].map((name) => ({ ...LARGE, name }));
    const small = tables.map((table) => ({ ...table, rows: 300, bytes: 48_000, toastBytes: 0, indexBytes: 16_384 }));
    const reviewed = (given: typeof tables) =>
      review(input, { ...options, sizes: { statistics: { ...STATISTICS, tables: given }, smallTable: SMALL_TABLE } });
    const [large, tiny] = [await reviewed(tables), await reviewed(small)];
    const sized = (of: Review) => of.findings.filter(({ size }) => size !== undefined);
    for (const { rule } of sized(large)) rules.add(rule);
    expect(sized(large).filter(({ severity }) => severity === 'note')).toEqual([]);
    expect(large.summary.notes).toBe(0);
    expect(sized(tiny).length).toBe(sized(large).length);
    expect(sized(tiny).filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(tiny.summary.notes).toBe(sized(tiny).filter(({ acknowledged }) => acknowledged === undefined).length);
    expect(tiny.findings.length).toBe(large.findings.length);
  }
  expect([...rules]).toEqual(expect.arrayContaining(SIZED));
});
