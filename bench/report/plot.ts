import type { MeasuredRow } from '../results';
import { shown } from '../units';
import { round, svg, text } from './svg';

const WIDTH = 840;
const NAMES = 290;
const NUMBERS = 90;
const BAR = 14;
const LINE = 20;
const TITLE = 26;
const GAP = 12;
const FULL = WIDTH - NAMES - NUMBERS;

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
  return svg({ title: 'What cdk-alembic takes, and what others take', width: WIDTH, height: y, shapes });
}
