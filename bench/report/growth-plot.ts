import type { MeasuredRow, VariantResult } from '../results';
import { LOOP } from '../rows/tenants/runs';
import { duration } from './scale';
import { round, svg, text } from './svg';

const WIDTH = 840;
const HEIGHT = 420;
const PLOT = { left: 70, right: 540, top: 44, bottom: 370 };
/** Tenants and seconds at the edges; both axes are logarithmic. */
const TENANTS = { least: 80, most: 12_500 };
const SECONDS = { least: 0.1, most: 20_000 };
const TICKS: readonly (readonly [seconds: number, label: string])[] = [
  [0.1, '0.1 s'],
  [1, '1 s'],
  [10, '10 s'],
  [60, '1 min'],
  [900, '15 min'],
  [3600, '1 h'],
  [18_000, '5 h'],
];

const MORE_STYLE = `
  .grid { stroke: #d0d7de } .limit { stroke: #bc4c00; stroke-dasharray: 2 3 } .number { text-anchor: end } .middle { text-anchor: middle }
  .line { fill: none; stroke-width: 2.5 } .line.ours { stroke: #1a7f64 } .line.other { stroke: #9aa4ae; stroke-dasharray: 7 5 }
  .line.ours, .line.other { fill: none }
  @media (prefers-color-scheme: dark) { .grid { stroke: #373e47 } .limit { stroke: #f0883e } .line.ours { stroke: #3fb68b } .line.other { stroke: #8b949e } }
`;

/** Time for a number of tenants: measured for this package, extrapolated from a few tenants for a loop. */
export function growthPlot(rows: readonly MeasuredRow[]): string {
  const variants = (name: string) => rows.find((row) => row.name === name)?.variants ?? [];
  const loop = variants('tenants-pending').find(({ name }) => name === LOOP);
  const sizes = variants('tenants-growth').map(countOf);
  const shapes = [
    text(0, 16, 'Time for all tenants, both axes logarithmic', 'title'),
    ...grid(sizes),
    ...(loop
      ? line(
          'other',
          sizes.map((count) => [count, (loop.median * count) / 1000]),
          [LOOP, 'reckoned from a few tenants'],
        )
      : []),
    ...line('ours', points(variants('tenants-growth-pending')), ['cdk-alembic', 'one pending revision each']),
    ...line('ours', points(variants('tenants-growth')), ['cdk-alembic', 'nothing to do']),
  ];
  return svg({ title: 'Time for 100, 1,000 and 10,000 tenants', width: WIDTH, height: HEIGHT, style: MORE_STYLE, shapes });
}

type Point = readonly [tenants: number, seconds: number];

/** The rows tell milliseconds per tenant. */
function points(variants: readonly VariantResult[]): Point[] {
  return variants.map((variant): Point => [countOf(variant), (variant.median * countOf(variant)) / 1000]);
}

/** `1,000 tenants` */
function countOf({ name }: VariantResult): number {
  return Number.parseInt(name.replaceAll(',', ''), 10);
}

function x(tenants: number): number {
  return position(tenants, TENANTS, PLOT.left, PLOT.right);
}

function y(seconds: number): number {
  return position(seconds, SECONDS, PLOT.bottom, PLOT.top);
}

function position(value: number, { least, most }: { least: number; most: number }, from: number, to: number): number {
  return round(from + (Math.log(value / least) / Math.log(most / least)) * (to - from));
}

function grid(sizes: readonly number[]): string[] {
  return [
    ...TICKS.flatMap(([seconds, label]) => [
      `<line class="${seconds === 900 ? 'limit' : 'grid'}" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(seconds)}" y2="${y(seconds)}"/>`,
      text(PLOT.left - 8, y(seconds) + 4, label, 'number'),
    ]),
    text(PLOT.left + 6, y(900) - 5, 'one call of a function'),
    ...sizes.flatMap((count) => [
      `<line class="grid" x1="${x(count)}" x2="${x(count)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
      text(x(count), PLOT.bottom + 20, `${count.toLocaleString('en')} tenants`, 'middle'),
    ]),
  ];
}

function line(style: 'ours' | 'other', through: readonly Point[], [name, remark]: readonly [string, string]): string[] {
  const sorted = [...through].sort(([a], [b]) => a - b);
  const last = sorted.at(-1);
  if (!last) return [];
  const end = y(last[1]);
  return [
    `<polyline class="line ${style}" points="${sorted.map(([tenants, seconds]) => `${x(tenants)},${y(seconds)}`).join(' ')}"/>`,
    ...sorted.map(([tenants, seconds]) => `<circle class="${style}" cx="${x(tenants)}" cy="${y(seconds)}" r="4"/>`),
    text(PLOT.right + 12, end, name),
    text(PLOT.right + 12, end + 17, `${duration(last[1])}, ${remark}`),
  ];
}
