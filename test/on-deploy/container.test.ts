import { isComplete, onEvent } from '../../lambda/on-deploy';
import { CONTAINER_DEPLOY_SECONDS, DEPLOY_SECONDS } from '../../lambda/on-deploy/timeouts';
import type { ContainerOnDeploy } from '../../lib/contract';
import { answer, applied } from '../support/aws/answers';
import { FakeContainer, MACHINE, type Moment } from '../support/aws/container';
import { awsEnvironment } from '../support/aws/environment';
import { StageAws } from '../support/aws/stage';
import { useCapturedLog } from './captured-log';
import { customResourceEvent } from './event';
import { context, deliver } from './provider-framework';

/* A deploy that comes to a revision for the container, against a fake Lambda and fake Step Functions. */

const environment = process.env;
let aws: StageAws;
let container: FakeContainer;
const logged = useCapturedLog();

afterEach(async () => {
  process.env = environment;
  await aws?.stop();
});

async function against(moments: readonly Moment[], stackStatus?: string): Promise<void> {
  container = new FakeContainer(moments);
  aws = await StageAws.start(container.reply, { stepFunctions: container.stepFunctions, stackStatus });
  process.env = { ...environment, ...awsEnvironment(aws.url) };
}

const event = (Container: ContainerOnDeploy, type: 'Create' | 'Update' | 'Delete' = 'Update') =>
  customResourceEvent(type, { Container });

const DONE: Moment = { status: 'SUCCEEDED', applied: [applied('b2'), applied('c3')], outcome: 'partial' };

describe('a deploy that waits for the container', () => {
  test('succeeds after the container has ended and the function has applied the rest', async () => {
    await against([{}, DONE]);
    const { response } = await deliver(event('wait'));
    expect(response).toMatchObject({
      Status: 'SUCCESS',
      Data: { fromRevision: 'a1', toRevision: 'd4', appliedCount: '3', containerExecution: '' },
    });
    expect(logged()).toContain(`${MACHINE.replace(':stateMachine:', ':execution:')}`);
  });

  test('polls repeatedly, but starts only one container', async () => {
    await against([{}, {}, {}, {}, DONE]);
    const planned = await onEvent(event('wait'));
    const asked = { ...event('wait'), ...planned } as never;
    // Half of what is left to this call is what it waits.
    const short = { getRemainingTimeInMillis: () => 600 } as never;
    expect(await isComplete(asked, short)).toEqual({ IsComplete: false });
    expect(await isComplete(asked, context)).toMatchObject({ IsComplete: true });
    expect(container.started).toHaveLength(1);
    expect(container.started[0]?.input.requestedBy).toBe('deploy app-dev');
  });

  test('waits longer for a container than for slices, but fails with a reason before CloudFormation gives up', async () => {
    await against([{}]);
    const planned = await onEvent(event('wait'));
    const since = (seconds: number) => ({ ...event('wait'), ...planned, StartedAt: Date.now() - seconds * 1000 }) as never;
    const short = { getRemainingTimeInMillis: () => 600 } as never;
    expect(await isComplete(since(DEPLOY_SECONDS + 60), short)).toEqual({ IsComplete: false });
    await expect(isComplete(since(CONTAINER_DEPLOY_SECONDS), short)).rejects.toThrow(
      /after 55 minutes, 3 are still pending.*the container keeps running/,
    );
    expect(CONTAINER_DEPLOY_SECONDS).toBeLessThan(3600 - 120);
  });

  test('fails with the error of the run in the container', async () => {
    await against([{}, { status: 'FAILED', outcome: 'migration_failed', error: 'revision b2 failed: division by zero' }]);
    const { response } = await deliver(event('wait'));
    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toContain('[migration_failed] in the container: revision b2 failed: division by zero');
  });
});

describe('a deploy that hands over', () => {
  test('starts the container with all pending revisions, succeeds, and says where to look', async () => {
    await against([{}]);
    const { response } = await deliver(event('handOver'));
    expect(response).toMatchObject({
      Status: 'SUCCESS',
      Data: { fromRevision: 'a1', toRevision: 'a1', appliedCount: '0' },
    });
    expect(response.Data?.containerExecution).toMatch(new RegExp(`^${MACHINE.replace(':stateMachine:', ':execution:')}:.*-b2$`));
    expect(container.started[0]?.input).toMatchObject({ in: 'container', revision: 'd4' });
  });

  test('does not start the container if nothing is pending for it', async () => {
    aws = await StageAws.start(({ command }) => ({ answer: answer({ command }) }));
    process.env = { ...environment, ...awsEnvironment(aws.url) };
    const { response } = await deliver(event('handOver'));
    expect(response.Data).toEqual({ fromRevision: 'c3', toRevision: 'c3', appliedCount: '0', containerExecution: '' });
  });
});

test.each(['wait', 'handOver'] as const)('a rollback starts no container (%s)', async (kind) => {
  await against([{}], 'UPDATE_ROLLBACK_IN_PROGRESS');
  const { response } = await deliver(event(kind));
  expect(response).toMatchObject({ Status: 'SUCCESS', Data: { appliedCount: '0', containerExecution: '' } });
  expect(container.started).toEqual([]);
});
