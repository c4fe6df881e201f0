import { spawnSync } from 'node:child_process';
import { growthPlot } from '../../bench/report/growth-plot';
import type { MeasuredRow } from '../../bench/results';
import { LOOP } from '../../bench/rows/tenants/runs';
import { variant } from './results';

function row(name: string, ...variants: MeasuredRow['variants']): MeasuredRow {
  return { name, title: name, unit: 'ms', variants, verdicts: [] };
}

const SVG = growthPlot([
  row('tenants-pending', variant('cdk-alembic', 20), variant(LOOP, 600)),
  row('tenants-growth', variant('10,000 tenants', 1), variant('1,000 tenants', 1), variant('100 tenants', 5)),
  row('tenants-growth-pending', variant('10,000 tenants', 20), variant('1,000 tenants', 20), variant('100 tenants', 25)),
]);

/** The lines from left to right, as drawn. */
const LINES = [...SVG.matchAll(/<polyline class="line (\w+)" points="([^"]+)"/g)].map(([, style, points]) => ({
  style,
  points: (points as string).split(' ').map((point) => point.split(',').map(Number) as [number, number]),
}));

test('the growth plot is well-formed and shows the loop and both of our runs at every size', () => {
  const script = 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())';
  expect(spawnSync('python3', ['-c', script], { input: SVG, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  expect(LINES.map(({ style, points }) => [style, points.length])).toEqual([
    ['other', 3],
    ['ours', 3],
    ['ours', 3],
  ]);
  for (const text of ['100 tenants', '1,000 tenants', '10,000 tenants', LOOP]) expect(SVG).toContain(`>${text}<`);
});

test('lines show the time for all tenants, not for one', () => {
  expect(SVG).toContain('1 h 40 min, reckoned');
  expect(SVG).toContain('3 min, one pending revision each');
  expect(SVG).toContain('10 s, nothing to do');
});

test('at a constant pace, ten times the tenants is the same distance to the right and up', () => {
  const [loop] = LINES as [(typeof LINES)[number]];
  const [[x1, y1], [x2, y2], [x3, y3]] = loop.points as [[number, number], [number, number], [number, number]];
  expect(x2 - x1).toBeCloseTo(x3 - x2, 0);
  expect(y1 - y2).toBeCloseTo(y2 - y3, 0);
  expect(y1).toBeGreaterThan(y2);
});
