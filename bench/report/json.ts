import type { Results } from '../results';

/** The results as a file that people compare: the runs of a variant on one line, no digits beyond a tenth of a microsecond. */
export function toJson(results: Results): string {
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value);
  const text = JSON.stringify(results, rounded, 2);
  return `${text.replaceAll(/\[\s+([\d.,\s-]+?)\s+\]/g, (_, numbers: string) => `[${numbers.replaceAll(/\s+/g, ' ')}]`)}\n`;
}
