import { CreateStateMachineCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { clientOptions } from '../../examples/local-aws';
import { DeployFailure } from '../../lambda/on-deploy/deploy-failure';
import { approve, isComplete, onEvent } from '../../lambda/tenants';
import { runFailure } from '../../lambda/tenants/deploy/run-failure';
import type { TenantsOnDeployData } from '../../lib/contract/coordinator';
import type { TenantFailure, TenantRunSummary } from '../../lib/contract/tenants';
import { StageAws } from '../support/aws/stage';
import { answered, useTestBed } from './test-bed';

const STACK = 'arn:aws:cloudformation:eu-central-1:111122223333:stack/app-dev/5ac8a3a0-0000-0000-0000-000000000000';
const shared = useTestBed();
let cloudFormation: StageAws | undefined;
afterEach(() => cloudFormation?.stop());

/** A state machine of one state, in a stack with a status. */
async function machine(state: object, stackStatus = 'UPDATE_IN_PROGRESS'): Promise<string> {
  const { testBed } = shared;
  await testBed.use({}, (request) => answered(request));
  cloudFormation = await StageAws.start(() => 'hang', { stackStatus });
  process.env.AWS_ENDPOINT_URL_CLOUDFORMATION = cloudFormation.url;
  const definition = JSON.stringify({ StartAt: 'Only', States: { Only: state } });
  const command = new CreateStateMachineCommand({
    name: testBed.bucket,
    definition,
    roleArn: 'arn:aws:iam::000000000000:role/r',
  });
  return (await sfn().send(command)).stateMachineArn as string;
}

const SUCCEEDS = { Type: 'Succeed' };
const failsWith = (cause: object) => ({ Type: 'Fail', Error: 'tenants_failed', Cause: JSON.stringify(cause) });

/** What a run says of its end. */
function summary(told: Partial<TenantRunSummary>): TenantRunSummary {
  const counts = { total: 9, unchanged: 0, migrated: 0, pending: 0, ahead: 0, failed: 0, notStarted: 0 };
  const lists = { heads: [], positions: [], failures: [], dataLoss: [], warnings: [] };
  const about = {
    contract: 1,
    command: 'upgrade',
    stage: 'dev',
    runId: 'r1',
    protected: false,
    detailsUri: 's3://b/runs/r1/',
  } as const;
  return { ...about, ...counts, ...lists, status: 'failed', ...told };
}

function sfn(): SFNClient {
  return new SFNClient(clientOptions(shared.testBed.ministack.url));
}

function event(RequestType: 'Create' | 'Update' | 'Delete', StateMachineArn: string): never {
  const ResourceProperties = { ServiceToken: 'token', StateMachineArn, Stage: 'dev', Fingerprint: 'f1' };
  const PhysicalResourceId = RequestType === 'Create' ? undefined : 'issued-before';
  return { RequestType, StackId: STACK, RequestId: 'r1', ResourceProperties, PhysicalResourceId } as never;
}

async function executions(stateMachineArn: string): Promise<(string | undefined)[]> {
  const { executions: found = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
  return found.map(({ name }) => name);
}

interface Deployed {
  readonly PhysicalResourceId: string;
  readonly IsComplete: boolean;
  readonly Data: TenantsOnDeployData;
}

/** What the Provider framework does: it merges the first answer into the event of the later calls. */
async function deploy(type: 'Create' | 'Update' | 'Delete', arn: string): Promise<Deployed> {
  const started = await onEvent(event(type, arn));
  for (;;) {
    const done = await isComplete({ ...(event(type, arn) as object), ...started } as never);
    if (done.IsComplete) return { ...started, ...done } as Deployed;
  }
}

test('a deploy starts a run and ends with it, and the outputs link to it', async () => {
  const arn = await machine(SUCCEEDS);
  const { Data, PhysicalResourceId } = await deploy('Create', arn);
  expect(await executions(arn)).toEqual([Data.runId]);
  expect(Data.consoleUrl).toBe(
    `https://console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/${arn.replace('stateMachine', 'execution')}:${Data.runId}`,
  );
  expect(PhysicalResourceId).toBe(`${shared.testBed.bucket}/runs`);
});

test('an event that is delivered twice starts one run', async () => {
  const arn = await machine(SUCCEEDS);
  const first = await deploy('Update', arn);
  expect(await onEvent(event('Update', arn))).toMatchObject({ Data: first.Data });
  expect(await executions(arn)).toHaveLength(1);
});

test('a failed run fails the deploy with the reasons of the first tenants', async () => {
  const failures = ['a', 'b', 'c', 'd'].map((tenant): TenantFailure => {
    return { tenant, error: { code: 'migration_failed', message: `it broke for ${tenant}`, next: 'fix it', revision: 'a1' } };
  });
  const error = { code: 'tenants_failed', message: '4 of 9 tenants failed', next: 'repair it' } as const;
  const arn = await machine(failsWith(summary({ error, failures })));
  const failed = await deploy('Create', arn).catch((thrown: Error) => thrown);
  expect(failed).toBeInstanceOf(DeployFailure);
  expect((failed as Error).message).toMatch(
    /^\[tenants_failed\] 4 of 9 tenants failed; a: \[migration_failed\] a1 it broke for a; b: .*; c: .* for c; and more; run https:.*; next: repair it$/,
  );
});

test('a run without a summary fails the deploy with the reason of Step Functions', async () => {
  const arn = await machine({ Type: 'Fail', Error: 'States.Runtime', Cause: 'no such path' });
  await expect(deploy('Create', arn)).rejects.toThrow('[run_aborted] the run ended as FAILED: States.Runtime: no such path');
});

test.each([
  ['Create', true],
  ['Update', false],
] as const)('an empty list of tenants: %s succeeds: %s', async (type, succeeds) => {
  const error = { code: 'no_tenants', message: 'the list is empty', next: 'fill it' } as const;
  const arn = await machine({ Type: 'Fail', Error: 'no_tenants', Cause: JSON.stringify(summary({ total: 0, error })) });
  if (succeeds) await expect(deploy(type, arn)).resolves.toMatchObject({ IsComplete: true });
  else await expect(deploy(type, arn)).rejects.toThrow('[no_tenants] the list is empty');
});

test.each([['{"error":"what"}'], ['{"error":{"code":7}}'], ['null'], ['[1]'], ['not JSON']])(
  'a cause in another format is passed on unchanged: %s',
  async (cause) => {
    const arn = await machine({ Type: 'Fail', Error: 'tenants_failed', Cause: cause });
    await expect(deploy('Create', arn)).rejects.toThrow(`[run_aborted] the run ended as FAILED: tenants_failed: ${cause}`);
  },
);

test('the reason is short enough for CloudFormation, however long the messages are', () => {
  const long = '"ü\n'.repeat(5000);
  const failures = Array.from({ length: 50 }, (): TenantFailure => {
    return { tenant: 'x'.repeat(63), error: { code: 'migration_failed', message: long, next: long, revision: 'r'.repeat(100) } };
  });
  const { message } = runFailure({ code: 'tenants_failed', message: long, next: long, failures }, `https://${'u'.repeat(300)}`);
  expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(2_300);
});

test('a rollback starts nothing and never fails', async () => {
  const arn = await machine(failsWith({}), 'UPDATE_ROLLBACK_IN_PROGRESS');
  expect(await deploy('Update', arn)).toMatchObject({ IsComplete: true, Data: { runId: '', consoleUrl: '' } });
  expect(await executions(arn)).toEqual([]);
});

test('a run that fails while the stack is rolling back does not block the rollback', async () => {
  const arn = await machine(failsWith({}));
  const started = await onEvent(event('Update', arn));
  await cloudFormation?.stop();
  cloudFormation = await StageAws.start(() => 'hang', { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
  process.env.AWS_ENDPOINT_URL_CLOUDFORMATION = cloudFormation.url;
  expect(await isComplete({ ...(event('Update', arn) as object), ...started } as never)).toMatchObject({ IsComplete: true });
});

test('a deleted stack starts nothing', async () => {
  const arn = await machine(SUCCEEDS);
  expect(await deploy('Delete', arn)).toMatchObject({ PhysicalResourceId: 'issued-before', IsComplete: true });
  expect(await executions(arn)).toEqual([]);
});

describe('an approval', () => {
  test('of a run that does not wait for one changes nothing', async () => {
    const { testBed } = shared;
    await testBed.use({}, (request) => answered(request));
    const runId = testBed.runId;
    expect(await approve({ runId, approved: true })).toEqual({ contract: 1, runId, status: 'not_waiting' });
    await testBed.put(`runs/${runId}/approval.json`, { token: 'used up' });
    expect(await approve({ runId, approved: false })).toMatchObject({ status: 'not_waiting' });
  });

  test('that is invalid fails with the reason', async () => {
    await shared.testBed.use({}, (request) => answered(request));
    await expect(approve({ run: 'x', approved: 'yes' })).rejects.toThrow(
      'unknown key "run": use runId, approved, requestedBy; runId is missing; approved must be true or false',
    );
  });
});
