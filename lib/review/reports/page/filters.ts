import type { Finding } from '../../finding';
import { html, type Markup } from './markup';

/** The search and filter controls. They need the page's script, which shows them. */
export function filters(findings: readonly Finding[]): Markup {
  const choices = (name: string, label: string, all: string, values: readonly string[]): Markup =>
    html`<label>${label}<select name="${name}"><option value="">${all}</option>${[...tally(values)].map(
      ([value, times]) => html`<option value="${value}">${value} (${times})</option>`,
    )}</select></label>`;
  const revisions = findings.flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
  const states = findings.map(({ acknowledged }) => (acknowledged === undefined ? 'open' : 'acknowledged'));
  return html`<form id="filters" role="search" aria-label="Findings" hidden>
<label class="search">Search<input type="search" name="text" placeholder="table, rule, revision, SQL" autocomplete="off" aria-keyshortcuts="/"></label>
${choices(
  'severity',
  'Severity',
  'all',
  findings.map(({ severity }) => severity),
)}
${choices('rule', 'Rule', 'all', findings.map(({ rule }) => rule).toSorted())}
${choices('revision', 'Revision', 'all', revisions)}
${choices('state', 'State', 'all', states)}
<p><output aria-live="polite"></output> <button type="reset">Show all</button></p>
</form>`;
}

function tally(values: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return times;
}
