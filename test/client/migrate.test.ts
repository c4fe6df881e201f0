import { MigrateError } from '../../lib/client';
import { migrate } from '../../lib/client/migrate';
import type { MigrateAnswer, MigrateRequest } from '../../lib/contract';
import { answer, applied } from '../support/aws/answers';

/** A caller that answers one prepared slice after the other and keeps what it was asked. */
function slices(...prepared: (MigrateAnswer | Error)[]) {
  const asked: MigrateRequest[] = [];
  const invoke = async (request: MigrateRequest): Promise<MigrateAnswer> => {
    asked.push(request);
    const next = prepared[asked.length - 1];
    if (next === undefined) throw new Error('asked once too often');
    if (next instanceof Error) throw next;
    return next;
  };
  return { asked, invoke };
}

const first = answer({
  status: 'partial',
  from: [],
  to: ['a1'],
  applied: [applied('a1')],
  pending: [applied('b2'), applied('c3')],
});
const second = answer({ status: 'partial', from: ['a1'], to: ['b2'], applied: [applied('b2')], pending: [applied('c3')] });
const third = answer({ from: ['b2'], to: ['c3'], applied: [applied('c3')] });

test('a run of several slices has one answer: the first "from", all applied revisions, the last "to"', async () => {
  const { invoke } = slices(first, second, third);
  const result = await migrate(invoke, {});
  expect(result).toEqual({ ...third, from: [], applied: [applied('a1'), applied('b2'), applied('c3')] });
});

test('all slices belong to the run of the first one', async () => {
  const runId = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
  const { asked, invoke } = slices({ ...first, runId }, { ...second, runId }, third);
  expect((await migrate(invoke, {})).runId).toBe(runId);
  expect(asked.map((request) => request.runId)).toEqual([undefined, runId, runId]);
});

test('a warning of every slice is reported once', async () => {
  const { invoke } = slices({ ...first, warnings: ['w1'] }, { ...second, warnings: ['w1', 'w2'] }, third);
  expect((await migrate(invoke, {})).warnings).toEqual(['w1', 'w2']);
});

test('each slice is reported as it ends', async () => {
  const seen: string[] = [];
  const { invoke } = slices(first, second, third);
  await migrate(invoke, {}, { onProgress: (slice) => seen.push(slice.applied.map(({ revision }) => revision).join()) });
  expect(seen).toEqual(['a1', 'b2', 'c3']);
});

test('later slices ask for what the answer before says', async () => {
  const { asked, invoke } = slices({ ...first, continueWith: 'b2' }, { ...third, to: ['b2'] });
  await migrate(invoke, { revision: '+2', sliceSeconds: 5 });
  expect(asked).toEqual([
    { revision: '+2', sliceSeconds: 5 },
    { revision: 'b2', sliceSeconds: 5 },
  ]);
});

test('a slice that does not say how to continue ends the run: the same step again would go further', async () => {
  const { asked, invoke } = slices({ ...first, continueWith: undefined }, third);
  const run = migrate(invoke, { command: 'downgrade', revision: '-2' });
  await expect(run).rejects.toMatchObject({ code: 'unexpected_answer', applied: first.applied });
  expect(asked).toHaveLength(1);
});

test('a run whose time is up returns "partial" and sends nothing more', async () => {
  const { asked, invoke } = slices(first, second, third);
  const result = await migrate(invoke, {}, { budgetSeconds: 0 });
  expect(result).toMatchObject({ status: 'partial', from: [], to: ['a1'], applied: [applied('a1')] });
  expect(asked).toHaveLength(1);
});

test.each([undefined, 0])('a run without progress ends with an error instead of a loop (budget: %s)', async (budgetSeconds) => {
  const still = answer({ status: 'partial', from: ['a1'], to: ['a1'], pending: [applied('b2')] });
  const { asked, invoke } = slices(still, still, still);
  await expect(migrate(invoke, {}, { budgetSeconds })).rejects.toMatchObject({
    code: 'version_not_moved',
    message: 'two calls in a row applied nothing before b2',
  });
  expect(asked).toHaveLength(2);
});

test('a failure in a later slice lists the revisions that all slices applied', async () => {
  const failed = new MigrateError('migration_failed', 'revision d4 failed', 'fix it', { applied: [applied('c3')] });
  const { invoke } = slices(first, second, failed);
  const error = await migrate(invoke, {}).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'migration_failed', message: 'revision d4 failed', next: 'fix it' });
  expect(error.applied.map(({ revision }: { revision: string }) => revision)).toEqual(['a1', 'b2', 'c3']);
});

test('an upgrade that does not end at its target is a failure', async () => {
  const { invoke } = slices(answer({ status: 'pending' }));
  await expect(migrate(invoke, {})).rejects.toThrow(MigrateError);
});

test('nothing more is sent after the caller aborts', async () => {
  const controller = new AbortController();
  const { asked, invoke } = slices(first, second, third);
  const run = migrate(invoke, {}, { signal: controller.signal, onProgress: () => controller.abort() });
  await expect(run).rejects.toMatchObject({ name: 'AbortError' });
  expect(asked).toHaveLength(1);
});

test('a partial answer to a plan is unexpected, and the plan is not repeated', async () => {
  const { asked, invoke } = slices({ ...first, command: 'plan' }, { ...second, command: 'plan' });
  await expect(migrate(invoke, { command: 'plan' })).rejects.toMatchObject({ code: 'unexpected_answer' });
  expect(asked).toHaveLength(1);
});
