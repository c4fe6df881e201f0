import type { MeasuredRow, Results, VariantResult } from '../../bench/results';
import { statistics } from '../../bench/statistics';

export function variant(name: string, ...runs: number[]): VariantResult {
  return { name, runs, ...statistics(runs) };
}

/** A row with a goal against each of two rivals: one met, one missed. */
export const ROW: MeasuredRow = {
  name: 'nothing',
  title: 'nothing to do',
  unit: 'ms',
  variants: [variant('ours', 100, 120, 90), variant('alembic', 500, 480, 520), variant('<floor> & more', 80, 70, 90)],
  verdicts: [
    { goal: { timesFaster: 4, than: 'alembic' }, value: 5, met: true },
    { goal: { atMostTimes: 1.2, of: '<floor> & more' }, value: 1.25, met: false },
  ],
};

export const RESULTS: Results = {
  date: '2026-11-22',
  command: 'npm run bench',
  machine: { cpu: 'A CPU', cores: 2, system: 'Linux x64', node: '20.1.0', python: '3.13.1', postgres: '18.1' },
  rows: [ROW],
};
