import { baselineOf } from '../goals';
import type { MeasuredRow, Results } from '../results';
import { shown } from '../units';
import { goalText, mark, verdictText } from './wording';

/** A line for each goal. */
export function goalTable({ date, command, machine, rows }: Results & { readonly rows: readonly MeasuredRow[] }): string {
  return [
    '| what | here | against | | goal | | row |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.flatMap(goalLines),
    '',
    `Medians of \`${command}\`, ${date}, on ${machine.cores} cores (${machine.cpu}, ${machine.system}), Node ${machine.node}, ` +
      `Python ${machine.python}, PostgreSQL ${machine.postgres}.${otherDates(rows)} \`npm run bench -- --only <row>\` repeats one row.`,
  ].join('\n');
}

/** The rows that were measured on another day. */
function otherDates(rows: readonly MeasuredRow[]): string {
  const dates = new Set(rows.flatMap(({ date }) => (date ? [date] : [])));
  return [...dates]
    .map((day) => {
      const names = rows.filter(({ date }) => date === day).map(({ name }) => `\`${name}\``);
      return ` On ${day}: ${names.join(', ')}.`;
    })
    .join('');
}

function goalLines({ name: row, title, unit, variants, verdicts }: MeasuredRow): string[] {
  return verdicts.map((verdict, index) => {
    const { goal } = verdict;
    const baseline = variants.find(({ name }) => name === baselineOf(goal));
    const [what, ours, id] = index === 0 ? [title, shown(variants[0]?.median as number, unit), `\`${row}\``] : ['', '', ''];
    const against = baseline ? `${baseline.name}: ${shown(baseline.median, unit)}` : '';
    return cells([what, ours, against, baseline ? verdictText(verdict, unit) : '', goalText(goal, unit), mark(verdict), id]);
  });
}

/** Every variant with its spread: what docs/performance.md shows. */
export function fullTable(rows: readonly MeasuredRow[]): string {
  return [
    '| what | who | median | least | most | runs |',
    '| --- | --- | --: | --: | --: | --: |',
    ...rows.flatMap(({ title, unit, variants }) =>
      variants.map(({ name, median, least, most, runs }, index) =>
        cells([index === 0 ? title : '', name, ...[median, least, most].map((value) => shown(value, unit)), String(runs.length)]),
      ),
    ),
  ].join('\n');
}

function cells(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`.replaceAll(/ +\|/g, ' |');
}
