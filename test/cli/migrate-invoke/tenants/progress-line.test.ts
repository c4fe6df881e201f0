import { progressLine, progressText } from '../../../../lib/cli/migrate-invoke/tenants/progress-line';
import { displayWidth } from '../../../../lib/cli/screen/display-width';
import { TENANT_PHASES } from '../../../../lib/client/tenants/progress';

const runId = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
const rest = { total: 101, done: 67, running: 20, failed: 1 };
const canaries = { total: 2, done: 1, running: 1, failed: 0 };

test('the run over the other tenants counts its own batches and those with failures', () => {
  const progress = { runId, phase: 'rest', canaries, rest } as const;
  expect(progressText(progress, false)).toBe('tenants: 68/101 batches, 20 running, 1 with failures');
  expect(progressLine(progress, false, 123_000, 80)).toMatch(/ 1 wi.*… {2}2 min 03 s$/);
  expect(progressLine(progress, false, 123_000, 100)).toBe(
    '  █████████████░░░░░░░ tenants: 68/101 batches, 20 running, 1 with failures  2 min 03 s',
  );
});

test('the canaries count their own batches', () => {
  expect(progressText({ runId, phase: 'canaries', canaries }, false)).toBe('canaries: 1/2 batches, 1 running');
});

test('a plan is labeled as one', () => {
  expect(progressText({ runId, phase: 'listing' }, true)).toBe('plan: listing the tenants');
});

test('a map run that has read no batch yet has an empty bar', () => {
  const nothing = { total: 0, done: 0, running: 0, failed: 0 };
  expect(progressLine({ runId, phase: 'rest', rest: nothing }, false, 0, 40)).toMatch(/^ {2}░+ tenants: 0\/0 batches/);
});

test.each([40, 80, 120])('no phase is wider than a terminal of %i columns', (width) => {
  for (const phase of TENANT_PHASES) {
    expect(displayWidth(progressLine({ runId, phase, canaries, rest }, true, 4_000_000, width))).toBeLessThanOrEqual(width);
  }
});
