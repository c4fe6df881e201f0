import { isComplete, onEvent } from '../../lambda/on-deploy';
import { DEPLOY_SECONDS } from '../../lambda/on-deploy/timeouts';
import type { Snapshot } from '../../lib/contract';
import { answer, applied } from '../support/aws/answers';
import { awsEnvironment } from '../support/aws/environment';
import { StageAws } from '../support/aws/stage';
import { useCapturedLog } from './captured-log';
import { customResourceEvent } from './event';
import { deliver } from './provider-framework';

/* A deploy of a stage that makes RDS snapshots, against a fake Lambda. */

const environment = process.env;
const PENDING = [{ revision: 'c3', message: 'Drop users' }];
let aws: StageAws;
const logged = useCapturedLog();

afterEach(async () => {
  process.env = environment;
  await aws?.stop();
});

/** A stage whose snapshot is like this, and, once it is available, migrates. */
async function against(snapshot: () => Snapshot, stackStatus?: string): Promise<void> {
  const planned = answer({ command: 'plan', status: 'pending', from: ['a1'], to: ['a1'], pending: PENDING });
  aws = await StageAws.start(
    ({ command }) => {
      if (command !== 'upgrade') return { answer: planned };
      const now = snapshot();
      const isThere = now.status === 'available';
      return {
        answer: isThere
          ? answer({ from: ['a1'], applied: [applied('c3')], snapshot: now })
          : answer({ status: 'partial', from: ['a1'], to: ['a1'], pending: PENDING, snapshot: now }),
      };
    },
    { stackStatus },
  );
  process.env = { ...environment, ...awsEnvironment(aws.url) };
}

const event = (type: 'Create' | 'Update' | 'Delete' = 'Update') => customResourceEvent(type, { Snapshot: 'true' });

/** Too little time to pause: each call looks once. */
const short = { getRemainingTimeInMillis: () => 600 } as never;
const CREATING: Snapshot = { status: 'creating', name: 'shop-r1', cluster: 'shop', percent: 43 };
const AVAILABLE: Snapshot = { status: 'available', name: 'shop-r1', cluster: 'shop' };

test('a deploy polls, as one run, until the snapshot is available, then migrates, and its output names the snapshot', async () => {
  let looks = 0;
  await against(() => (++looks < 3 ? CREATING : AVAILABLE));
  const asked = { ...event(), ...(await onEvent(event())) } as never;
  expect(await isComplete(asked, short)).toEqual({ IsComplete: false });
  expect(await isComplete(asked, short)).toEqual({ IsComplete: false });
  expect(await isComplete(asked, short)).toEqual({
    IsComplete: true,
    Data: { fromRevision: 'a1', toRevision: 'c3', appliedCount: '1', snapshot: 'shop-r1' },
  });
  const runs = aws.invokes.filter(({ command }) => command === 'upgrade').map(({ runId }) => runId);
  expect(new Set(runs).size).toBe(1);
  expect(runs[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(logged()).toContain('"percent":43');
});

test('a deploy whose snapshot takes too long fails before CloudFormation gives up, with a code and what to do', async () => {
  let snapshot = CREATING;
  await against(() => snapshot);
  const planned = { ...event(), ...(await onEvent(event())), StartedAt: Date.now() - DEPLOY_SECONDS * 1000 } as never;
  const expected = /^\[snapshot_not_ready\] the snapshot shop-r1 is not available after 40 minutes.*43 %.*nothing was applied/;
  await expect(isComplete(planned, short)).rejects.toThrow(expected);
  snapshot = { ...CREATING, status: 'waiting', reason: 'InvalidDBClusterStateFault: backing-up' };
  await expect(isComplete(planned, short)).rejects.toThrow(/RDS can't begin it: InvalidDBClusterStateFault.*migrate-invoke/);
});

test('a rollback makes no snapshot, but still returns the attribute', async () => {
  await against(() => CREATING, 'UPDATE_ROLLBACK_IN_PROGRESS');
  const { response } = await deliver(event());
  expect(response).toMatchObject({ Status: 'SUCCESS', Data: { appliedCount: '0', snapshot: '' } });
  expect(aws.invokes.map(({ command }) => command)).toEqual(['current']);
});
