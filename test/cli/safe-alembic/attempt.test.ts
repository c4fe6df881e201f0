import { Attempt } from '../../../lib/cli/safe-alembic/fix/attempt';
import type { BodyUnit } from '../../../lib/contract/facts';
import type { Finding, FixableRevision, NotFixed } from '../../../lib/review';

const LINES = Array.from({ length: 32 }, (_, at) => at + 1);

/** A revision with one fixable statement on each line. */
function revisionOf(lines: readonly number[]) {
  const fixable = lines.map((line) => ({
    finding: { rule: 'index-not-concurrent', line } as Finding,
    step: { index: line, line, sql: `CREATE INDEX i${line}`, action: { does: 'other' } },
    form: { parts: [{ phase: 'build', up: [`build ${line}`] }], undoneBy: () => false },
  }));
  const steps = fixable.map(({ step }) => step);
  const revision = { upgrade: { replayed: true, steps }, downgrade: { steps: [] } };
  const units = lines.map((line) => ({ line, endLine: line, code: '', within: '', condition: '', opened: 0, kind: 'plain' }));
  return {
    one: { revision, fixable, broken: [] } as unknown as FixableRevision,
    bodies: { upgrade: units as BodyUnit[], downgrade: [] },
  };
}

test.each([[[11]], [[1, 32]], [[]]])('the fixes that fail (%j) are found in halves, and all others are kept', (wrong) => {
  const { one, bodies } = revisionOf(LINES);
  const notFixed: NotFixed[] = [];
  const attempt = new Attempt(one, bodies, notFixed);
  let proofs = 0;
  for (;;) {
    const plan = attempt.plan();
    expect(plan).toBeDefined();
    proofs++;
    if (plan?.fixed.some(({ line }) => wrong.includes(line))) attempt.reject('it differs');
    else if (attempt.isOpen) attempt.accept();
    if (!attempt.isOpen) break;
  }
  expect(attempt.plan()?.fixed.map(({ line }) => line)).toEqual(LINES.filter((line) => !wrong.includes(line)));
  expect(notFixed.map(({ finding: { line }, reason }) => [line, reason])).toEqual(wrong.map((line) => [line, 'it differs']));
  expect(proofs).toBeLessThanOrEqual(1 + wrong.length * 16);
});
