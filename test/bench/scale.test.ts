import { duration, estimateRun, scaleTable } from '../../bench/report/scale';
import type { MeasuredRow } from '../../bench/results';
import { variant } from './results';

test('once all workers are busy, ten times the tenants take ten times the time and money', () => {
  const [few, many] = [estimateRun(10_000, 20, true), estimateRun(100_000, 20, true)];
  expect(many.workerSeconds).toBeCloseTo(10 * few.workerSeconds);
  expect(many.seconds).toBeCloseTo(10 * few.seconds);
  expect(many.dollars.stepFunctions).toBeCloseTo(10 * few.dollars.stepFunctions);
  expect(many.dollars.secrets).toBeCloseTo(0.5);
});

test('workers do not split a batch, and tenants in schemas read no secrets', () => {
  const { workerSeconds, seconds, dollars } = estimateRun(100, 20, false);
  expect(seconds).toBe(workerSeconds);
  expect(dollars.secrets).toBe(0);
});

test('the page has a line for each number of tenants and each kind of run, from the measured rows', () => {
  const row = (name: string, ms: number): MeasuredRow => {
    return { name, title: name, unit: 'ms', variants: [variant('cdk-alembic', ms)], verdicts: [] };
  };
  const lines = scaleTable([row('tenants-unchanged', 1), row('tenants-pending', 20)]).split('\n');
  expect(lines).toHaveLength(2 + 3 * 4);
  expect(lines[2]).toMatch(/^\| 1,000 \| schemas, nothing to do \| 8\.5 s \| 0\.8 s \| \$0\.0001 \| \$0\.0013 \|/);
});

test.each([
  [0.44, '0.4 s'],
  [99, '99 s'],
  [600, '10 min'],
  [5400, '1 h 30 min'],
])('%d seconds are shown as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
