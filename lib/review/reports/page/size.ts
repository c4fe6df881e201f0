import { bytesText, rowsText, timeTaken } from '../../../text/sizes';
import type { FindingSize, Measured } from '../../finding';
import { timeText } from '../../sizes/size';
import { measuredTables } from '../measured';
import { modeName, type Strength, strengthOf } from './locks';
import { html, type Markup } from './markup';

/** The time scale, in seconds: logarithmic, from 10 ms to 6 hours. */
const [SHORTEST, LONGEST] = [0.01, 6 * 3_600];
const TICKS = [0.1, 1, 10, 60, 600, 3_600];

/** How long a lock is held in production: the estimate as a range with the most likely time, and what was measured. */
export function sizeChart({ tables, rows, bytes, seconds, measured }: FindingSize): Markup | string {
  if (seconds === undefined) return '';
  const { low, likely, high } = seconds;
  const range = html`<rect class="range" x="${position(low)}" width="${position(high, low)}" height="10" rx="2"/><rect class="likely" x="${position(likely)}" width="3" height="10"/>`;
  const scaled = (measured?.inProduction ?? 0) / 1_000;
  const bar = html`<rect class="measured" width="${position(scaled)}" height="10" rx="2"/>`;
  return html`<table class="locks duration"><caption>${tables.join(', ')}: ${rowsText(rows)} rows, ${bytesText(bytes)}. Time under the lock in production</caption><tbody>
${row('estimated', html`${timeText(likely)}`, range)}${measured === undefined ? '' : row('measured', html`${timeTaken(measured.inProduction)}`, bar)}
<tr class="scale"><th></th><td></td><td class="span"><svg width="100%" height="14" aria-hidden="true">${TICKS.map(
    (tick) =>
      html`<text x="${position(tick)}" y="11">${tick < 60 ? `${tick} s` : tick < 3_600 ? `${tick / 60} min` : '1 h'}</text>`,
  )}</svg></td></tr></tbody></table>`;
}

/** The locks and waits that `--measure` found, relative to the longest one. */
export function measuredChart(measured: Measured): Markup | string {
  const bars = measuredTables(measured).flatMap(({ table, locks, ...waits }) => [
    ...locks
      .filter(({ mode }) => strengthOf(mode) !== 'none')
      .map(({ mode, milliseconds }) => ({ table, what: modeName(mode), strength: strengthOf(mode), milliseconds })),
    ...waitBars(table, 'a read waited', 'all', waits.readsBlocked && waits.longestReadMilliseconds),
    ...waitBars(table, 'a write waited', 'writers', waits.longestWriteMilliseconds),
  ]);
  if (bars.length === 0) return '';
  const longest = Math.max(1, ...bars.map(({ milliseconds }) => milliseconds));
  const rows = bars.map(({ table, what, strength, milliseconds }) => {
    const bar = html`<rect class="${strength}" width="${percent(milliseconds / longest)}" height="10" rx="2"/>`;
    return row(table, html`<span class="mode ${strength}">${what}</span> ${timeTaken(milliseconds)}`, bar);
  });
  return html`<table class="locks"><caption>On this machine</caption><tbody>${rows}</tbody></table>`;
}

function waitBars(table: string, what: string, strength: Strength, milliseconds: number | undefined) {
  return milliseconds ? [{ table, what, strength, milliseconds }] : [];
}

function row(head: string, what: Markup, bars: Markup): Markup {
  return html`<tr><th scope="row">${head}</th><td>${what}</td><td class="span"><svg width="100%" height="10" aria-hidden="true"><rect class="empty" width="100%" height="10" rx="2"/>${bars}</svg></td></tr>`;
}

/** The position of a time on the scale, or its distance from another one. */
function position(seconds: number, from?: number): string {
  return percent(share(seconds) - (from === undefined ? 0 : share(from)));
}

function share(seconds: number): number {
  return Math.log(Math.min(Math.max(seconds, SHORTEST), LONGEST) / SHORTEST) / Math.log(LONGEST / SHORTEST);
}

function percent(part: number): string {
  return `${Math.round(part * 10_000) / 100}%`;
}
