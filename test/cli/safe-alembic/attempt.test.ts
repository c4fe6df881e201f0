import type { Attempt } from '../../../lib/cli/safe-alembic/fix/attempt';
import { mostTrials } from '../../../lib/cli/safe-alembic/fix/fix-search';
import { startAttempt } from '../../../lib/cli/safe-alembic/fix/start-attempt';
import type { BodyUnit } from '../../../lib/contract/facts';
import type { Finding, FixableRevision, NotFixed, Unproved } from '../../../lib/review';

const LINES = Array.from({ length: 32 }, (_, at) => at + 1);

/** A revision with one fixable statement on each line. */
function revisionOf(lines: readonly number[], code = (line: number) => `build ${line}`) {
  const fixable = lines.map((line) => ({
    finding: { rule: 'index-not-concurrent', line } as Finding,
    step: { index: line, line, sql: `CREATE INDEX i${line}`, action: { does: 'other' } },
    form: { parts: [{ phase: 'build', up: [code(line)] }], undoneBy: () => false },
  }));
  const steps = fixable.map(({ step }) => step);
  const revision = { upgrade: { replayed: true, idleSteps: [], steps }, downgrade: { steps: [] } };
  const units = lines.map((line) => ({
    line,
    endLine: line,
    code: '',
    comments: [],
    isApart: false,
    within: '',
    condition: '',
    opened: 0,
    inner: [],
    kind: 'plain',
  }));
  return {
    one: { revision, fixable, broken: [] } as unknown as FixableRevision,
    bodies: { upgrade: units as BodyUnit[], downgrade: [] },
  };
}

/** Proves fixes until nothing is left; those on the lines `wrong` fail. Returns the number of trials. */
function prove(attempt: Attempt, wrong: readonly number[], whyWrong: (line: number) => Unproved): number {
  for (let trials = 0; ; trials++) {
    const plan = attempt.plan();
    if (attempt.isProved || !plan) return trials;
    const [first] = plan.fixed.flatMap(({ line }) => (wrong.includes(line) ? [line] : []));
    if (first === undefined) attempt.accept();
    else attempt.reject(whyWrong(first));
  }
}

test.each([[[11]], [[1, 32]], [[]]])('the fixes that fail (%j) are found in halves, and all others are kept', (wrong) => {
  const { one, bodies } = revisionOf(LINES);
  const notFixed: NotFixed[] = [];
  const attempt = startAttempt(one, bodies, notFixed);
  const trials = prove(attempt, wrong, () => ({ reason: 'it differs' }));
  expect(attempt.plan()?.fixed.map(({ line }) => line)).toEqual(LINES.filter((line) => !wrong.includes(line)));
  expect(notFixed.map(({ finding: { line }, reason }) => [line, reason])).toEqual(wrong.map((line) => [line, 'it differs']));
  expect(trials).toBeLessThanOrEqual(1 + wrong.length * 16);
});

test('one trial finds each fix whose own statement fails', () => {
  const { one, bodies } = revisionOf(LINES);
  const notFixed: NotFixed[] = [];
  const attempt = startAttempt(one, bodies, notFixed);
  const wrong = [3, 8, 9, 30];
  const trials = prove(attempt, wrong, (line) => ({ reason: `${line} fails`, clue: `build ${line}` }));
  expect(attempt.plan()?.fixed.map(({ line }) => line)).toEqual(LINES.filter((line) => !wrong.includes(line)));
  expect(notFixed.map(({ finding: { line }, reason }) => [line, reason])).toEqual(wrong.map((line) => [line, `${line} fails`]));
  // The first failure is tried again in the order of the file, and at the end without it.
  expect(trials).toBeLessThanOrEqual(wrong.length + 3);
});

test('if three fixes of a kind fail in the same place, the others of the kind are not tried', () => {
  const { one, bodies } = revisionOf(LINES, (line) => (line % 2 ? `one("${line}")` : `other ${line}`));
  const notFixed: NotFixed[] = [];
  const attempt = startAttempt(one, bodies, notFixed);
  const wrong = LINES.filter((line) => line % 2);
  const trials = prove(attempt, wrong, (line) => ({
    reason: `"${line}" fails`,
    left: one.fixable.flatMap(({ finding }) => (finding.line === line ? [finding] : [])),
  }));
  expect(attempt.plan()?.fixed.map(({ line }) => line)).toEqual(LINES.filter((line) => !wrong.includes(line)));
  expect(trials).toBeLessThanOrEqual(6);
  expect(notFixed).toHaveLength(wrong.length);
  expect(notFixed.at(-1)?.reason).toBe('"5" fails');
  expect(notFixed.map(({ reason }) => reason)).toContain('3 others of its kind fail, such as line 5: "5" fails');
});

test('the trials of a revision have a limit, and each fix that it leaves out has a reason', () => {
  const { one, bodies } = revisionOf(LINES);
  const notFixed: NotFixed[] = [];
  const attempt = startAttempt(one, bodies, notFixed);
  let trials = 0;
  for (; attempt.plan(); trials++) {
    // Each set is proved apart, and never with the other revisions.
    if (attempt.isProved) attempt.reject({ reason: 'it differs', seenInReview: true });
    else attempt.accept();
  }
  expect(trials).toBeLessThanOrEqual(mostTrials(LINES.length) + 2);
  expect(notFixed.map(({ finding: { line } }) => line).sort((a, b) => a - b)).toEqual(LINES);
  expect(notFixed.at(-1)?.reason).toContain('trials of its revision');
});

test('a revision that can only be written in its order is proved in it, and what fails later is listed once', () => {
  const { one, bodies } = revisionOf([1, 2, 3, 4]);
  const fixable = one.fixable
    .filter(({ finding: { line } }) => line !== 2)
    .map((fix) => ({ ...fix, form: { ...fix.form, parts: [{ phase: 'fill' as const, up: [`fill ${fix.finding.line}`] }] } }));
  const notFixed: NotFixed[] = [];
  const attempt = startAttempt({ ...one, fixable }, bodies, notFixed);
  expect(prove(attempt, [], () => ({ reason: '' }))).toBe(1);
  attempt.reject({ reason: 'it differs', left: fixable.flatMap(({ finding }) => (finding.line === 4 ? [finding] : [])) });
  expect(prove(attempt, [], () => ({ reason: '' }))).toBe(1);
  expect(attempt.plan()?.fixed.map(({ line }) => line)).toEqual([1, 3]);
  expect(notFixed.map(({ finding: { line } }) => line)).toEqual([4]);
});
