import { spawnSync } from 'node:child_process';
import { toJson } from '../../bench/report/json';
import { fullTable, goalTable } from '../../bench/report/markdown';
import { plot } from '../../bench/report/plot';
import { terminalTable } from '../../bench/report/terminal-table';
import { wholeResults, withPart } from '../../bench/report/write-docs';
import type { FailedRow } from '../../bench/results';
import { shown } from '../../bench/units';
import { RESULTS, ROW, variant } from './results';

const FAILED: FailedRow = {
  name: 'upgrade',
  title: 'upgrade',
  unit: 'ms',
  goals: [{ timesFaster: 1, than: 'alembic' }],
  failure: 'alembic: exit code 1:\nno such table',
};

test.each([
  [6.96, 'ms', '7.0 ms'],
  [566.4, 'ms', '566 ms'],
  [1190, 'ms', '1.19 s'],
  [128 * 1024 * 1024, 'bytes', '128.0 MB'],
  [1, 'queries', '1 query'],
  [0, 'calls', '0 calls'],
  [1, 'faults', '1 fault'],
] as const)('%d %s is shown as %s', (value, unit, text) => {
  expect(shown(value, unit)).toBe(text);
});

test('the terminal shows the median and spread of each variant, and each goal beside the variant it is compared with', () => {
  expect(terminalTable([ROW]).split('\n')).toEqual([
    `${' '.repeat(48)}median       least        most`,
    'nothing to do',
    '  ours                                          100 ms       90 ms      120 ms',
    '  alembic                                       500 ms      480 ms      520 ms  ✓ 5.00 times as fast (goal: 4 times as fast)',
    '  <floor> & more                                 80 ms       70 ms       90 ms  ✗ 1.25 times (goal: at most 1.2 times)',
    '',
  ]);
});

test('a goal without a comparison is shown beside our own figure', () => {
  const alone = {
    ...ROW,
    variants: [variant('ours', 0), variant('theirs', 5)],
    verdicts: [{ goal: { atMost: 3 }, value: 0, met: true }],
  };
  expect(terminalTable([alone])).toMatch(/ours .* ✓ 0\.0 ms \(goal: at most 3\.0 ms\)\n/);
});

test('rounding never makes a missed goal look met', () => {
  const goal = { atMostTimes: 1.2, of: 'alembic' };
  expect(terminalTable([{ ...ROW, verdicts: [{ goal, value: 1.2004, met: false }] }])).toContain('✗ 1.2004 times (goal');
  expect(terminalTable([{ ...ROW, verdicts: [{ goal, value: 1.1996, met: true }] }])).toContain('✓ 1.20 times (goal');
});

test('a goal to stay below another variant says by how much', () => {
  const goal = { atMost: -1, over: 'alembic' };
  const row = { ...ROW, unit: 'faults' as const };
  const shownIn = (value: number, met: boolean) => terminalTable([{ ...row, verdicts: [{ goal, value, met }] }]);
  expect(shownIn(-8, true)).toContain('✓ 8 fewer faults (goal: at least 1 fewer fault)');
  expect(shownIn(2, false)).toContain('✗ 2 faults more (goal: at least 1 fewer fault)');
});

test('rows that were measured on another day are named below the table, once for each day', () => {
  const rows = [{ ...ROW, date: '2026-12-01' }, ROW, { ...ROW, name: 'synth', date: '2026-12-01' }];
  expect(goalTable({ ...RESULTS, rows })).toContain(`PostgreSQL 18.1. On 2026-12-01: \`${ROW.name}\`, \`synth\`. `);
});

test('a row that failed shows the reason and no figure', () => {
  const text = terminalTable([FAILED]);
  expect(text).toContain('✗ not measured: alembic: exit code 1:\n    no such table');
  expect(text).not.toMatch(/times|\d ms/);
});

test('the table of the pages has a line for each goal, with the date, the command and the machine below', () => {
  expect(goalTable({ ...RESULTS, rows: [ROW] }).split('\n')).toEqual([
    '| what | here | against | | goal | | row |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    `| nothing to do | 100 ms | alembic: 500 ms | 5.00 times as fast | 4 times as fast | ✓ | \`${ROW.name}\` |`,
    '| | | <floor> & more: 80 ms | 1.25 times | at most 1.2 times | ✗ | |',
    '',
    'Medians of `npm run bench`, 2026-11-22, on 2 cores (A CPU, Linux x64), Node 20.1.0, Python 3.13.1, PostgreSQL 18.1. ' +
      '`npm run bench -- --only <row>` repeats one row.',
  ]);
});

test('the table of all runs has a line for each variant', () => {
  expect(fullTable([ROW]).split('\n').slice(2)).toEqual([
    '| nothing to do | ours | 100 ms | 90 ms | 120 ms | 3 |',
    '| | alembic | 500 ms | 480 ms | 520 ms | 3 |',
    '| | <floor> & more | 80 ms | 70 ms | 90 ms | 3 |',
  ]);
});

test('the JSON has all results, with the runs of a variant on one line', () => {
  const json = toJson({ ...RESULTS, rows: [{ ...ROW, variants: [variant('ours', 100.123456, 120, 90)] }] });
  expect(JSON.parse(json)).toMatchObject({ date: '2026-11-22', rows: [{ variants: [{ runs: [100.1235, 120, 90] }] }] });
  expect(json).toContain('"runs": [100.1235, 120, 90],\n');
});

test('the plot is well-formed, names every variant, and draws bars in proportion to the medians', () => {
  const svg = plot([ROW]);
  const script = 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())';
  expect(spawnSync('python3', ['-c', script], { input: svg, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  for (const text of ['nothing to do', '>ours<', '>alembic<', '>&lt;floor&gt; &amp; more<', '500 ms'])
    expect(svg).toContain(text);
  const [ours = 0, alembic = 0] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(alembic / ours).toBeCloseTo(5, 1);
});

test('a plot of zeros has bars without length', () => {
  expect(plot([{ ...ROW, variants: [variant('ours', 0)] }])).toContain('width="0"');
});

test('incomplete results are not written to the pages, and the error names the rows that failed or were not measured', () => {
  expect(wholeResults(RESULTS, ['nothing']).rows).toEqual([ROW]);
  expect(() => wholeResults({ ...RESULTS, rows: [ROW, FAILED] }, ['nothing', 'upgrade', 'synth'])).toThrow(
    'the results lack upgrade, synth',
  );
});

test('only the text between the comments of a page is replaced', () => {
  const page = '# Title\n<!-- bench -->\nold\n<!-- /bench -->\nrest\n';
  expect(withPart(page, 'bench', 'new')).toBe('# Title\n<!-- bench -->\nnew\n<!-- /bench -->\nrest\n');
  expect(() => withPart('# Title\n', 'bench', 'new')).toThrow('no part from <!-- bench -->');
});
