import { MigrateError } from '../../lib/client';
import { migrate } from '../../lib/client/migrate';
import type { MigrateAnswer, MigrateRequest, Snapshot } from '../../lib/contract';
import { answer, applied } from '../support/aws/answers';

/** Pauses in milliseconds. The clock of the run goes on by them, and nobody waits. */
const pauses: number[] = [];
let now = 0;
jest.mock('../../lib/client/waiting/sleep', () => ({
  sleep: async (ms: number) => {
    pauses.push(ms);
    now += ms;
  },
}));

beforeEach(() => {
  pauses.length = 0;
  now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

const runId = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
const at = (snapshot: Snapshot): MigrateAnswer =>
  answer({ status: 'partial', from: ['a1'], to: ['a1'], target: ['c3'], pending: [applied('c3')], runId, snapshot });
const creating = at({ status: 'creating', name: 's', cluster: 'shop', percent: 43 });
const waiting = at({ status: 'waiting', name: 's', cluster: 'shop', reason: 'InvalidDBClusterStateFault: backing-up' });
const available: Snapshot = { status: 'available', name: 's', cluster: 'shop' };
const done = answer({ from: ['a1'], to: ['c3'], applied: [applied('c3')], runId, snapshot: available });

function calls(...prepared: MigrateAnswer[]) {
  const asked: MigrateRequest[] = [];
  const invoke = async (request: MigrateRequest) => {
    asked.push(request);
    return prepared[Math.min(asked.length, prepared.length) - 1] as MigrateAnswer;
  };
  return { asked, invoke };
}

test('a run polls less and less often until its snapshot is available, then migrates, all as one run', async () => {
  const { asked, invoke } = calls(waiting, ...Array<MigrateAnswer>(7).fill(creating), done);
  const seen: (string | undefined)[] = [];
  const result = await migrate(invoke, {}, { onProgress: ({ snapshot }) => seen.push(snapshot?.status) });
  expect(result).toMatchObject({ status: 'complete', from: ['a1'], to: ['c3'], snapshot: available });
  expect(new Set(asked.slice(1).map((request) => request.runId))).toEqual(new Set([runId]));
  expect(seen).toEqual(['waiting', ...Array(7).fill('creating'), 'available']);
  expect(pauses).toEqual([2_000, 3_000, 4_500, 6_750, 10_125, 15_000, 15_000, 15_000]);
});

test('a caller whose time is up before the snapshot is available gets the answer so far', async () => {
  const { asked, invoke } = calls(creating);
  expect(await migrate(invoke, {}, { budgetSeconds: 10 })).toMatchObject({ status: 'partial', snapshot: creating.snapshot });
  expect(asked).toHaveLength(4);
});

test('the run fails with the reason if RDS cannot start the snapshot for fifteen minutes', async () => {
  const error = await migrate(calls(waiting).invoke, {}).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(MigrateError);
  expect(error).toMatchObject({ code: 'snapshot_not_ready', message: expect.stringContaining('backing-up') });
  expect(error.next).toContain('nothing was applied');
});
