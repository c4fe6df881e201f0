import type { MeasuredRow } from '../results';
import { shown } from '../units';

const WIDTH = 840;
const NAMES = 290;
const NUMBERS = 90;
const BAR = 14;
const LINE = 20;
const TITLE = 26;
const GAP = 12;
const FULL = WIDTH - NAMES - NUMBERS;

/** Legible on a light and on a dark page. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .ours { fill: #1a7f64 }
  .other { fill: #9aa4ae }
  .spread { stroke: #57606a; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3fb68b } .other { fill: #6e7781 } .spread { stroke: #c9d1d9 } }
`;

/** A bar for every variant, as long as its median; the longest of a row takes all the width, and a line shows least and most. */
export function plot(rows: readonly MeasuredRow[]): string {
  const shapes: string[] = [];
  let y = 0;
  for (const { title, unit, variants } of rows) {
    const longest = Math.max(...variants.map(({ most }) => most));
    const scale = (value: number): number => (longest > 0 ? round((value / longest) * FULL) : 0);
    shapes.push(text(0, y + TITLE - 8, title.replaceAll('`', ''), 'title'));
    y += TITLE;
    variants.forEach(({ name, median, least, most }, index) => {
      const middle = y + BAR / 2;
      shapes.push(
        text(12, y + BAR - 3, name),
        `<rect class="${index === 0 ? 'ours' : 'other'}" x="${NAMES}" y="${y}" width="${scale(median)}" height="${BAR}"/>`,
        `<line class="spread" x1="${NAMES + scale(least)}" x2="${NAMES + scale(most)}" y1="${middle}" y2="${middle}"/>`,
        text(NAMES + scale(most) + 8, y + BAR - 3, shown(median, unit)),
      );
      y += LINE;
    });
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>What cdk-alembic takes, and what others take</title>
<style>${STYLE}</style>
${shapes.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, style?: string): string {
  return `<text x="${round(x)}" y="${round(y)}"${style ? ` class="${style}"` : ''}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
