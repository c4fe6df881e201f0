import { isMeasured, type MeasuredRow, type RowResult } from '../results';
import { shown } from '../units';
import { goalText, mark, verdictsAbout, verdictText } from './wording';

const NAME = 42;
const NUMBER = 12;

/** All rows as text: a line for each variant, with the goals beside the variant that they speak of. */
export function terminalTable(rows: readonly RowResult[]): string {
  const header = line('', ['median', 'least', 'most'], '');
  return [
    header,
    ...rows.flatMap((row) => [row.title, ...(isMeasured(row) ? variantLines(row) : failureLines(row.failure)), '']),
  ].join('\n');
}

function variantLines(row: MeasuredRow): string[] {
  const { unit } = row;
  return row.variants.map(({ name, median, least, most }) => {
    const goals = verdictsAbout(row, name).map(
      (verdict) => `${mark(verdict)} ${verdictText(verdict, unit)} (goal: ${goalText(verdict.goal, unit)})`,
    );
    return line(
      `  ${name}`,
      [median, least, most].map((value) => shown(value, unit)),
      goals.join(', '),
    );
  });
}

function failureLines(reason: string): string[] {
  return reason.split('\n').map((text, index) => `  ${index === 0 ? '✗ not measured: ' : '  '}${text}`);
}

function line(name: string, numbers: readonly string[], goals: string): string {
  return `${name.padEnd(NAME)}${numbers.map((number) => number.padStart(NUMBER)).join('')}  ${goals}`.trimEnd();
}
