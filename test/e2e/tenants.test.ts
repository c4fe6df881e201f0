import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientOptions } from '../../examples/local-aws';
import { divide } from '../../lambda/tenants/list/waves';
import {
  type TenantRunInput,
  type TenantRunSummary,
  tenantApprovalName,
  tenantStateMachineName,
} from '../../lib/contract/tenants';
import { createTenantStage } from './tenant-stage';
import { mustSucceed, useLocalAws } from './use-local-aws';

const TENANTS = Array.from({ length: 60 }, (_, index) => ({ name: `customer-${index}`, schema: `tenant_${index}` }));
const { canary: CANARIES, rest: REST } = divide(TENANTS, { percent: 10, after: 'pause' });
const UNLUCKY = REST[7] as { name: string; schema: string };

describe('60 tenants in schemas of one database', () => {
  // The tests tell one story: each deploys on what the one before has left.
  const shared = useLocalAws((aws) => createTenantStage(aws, 'dev', TENANTS));
  const arn = (kind: string) =>
    `arn:aws:states:eu-central-1:000000000000:${kind}:${tenantStateMachineName('template-saas', 'dev')}`;
  const sfn = () => new SFNClient(clientOptions(shared.aws.ministack.url));
  const approve = async (runId: string, approved: boolean): Promise<unknown> => {
    const lambda = new LambdaClient(clientOptions(shared.aws.ministack.url));
    const FunctionName = tenantApprovalName('template-saas', 'dev');
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ runId, approved }) }));
    return JSON.parse(Payload?.transformToString() ?? '').status;
  };

  async function ended(runId: string): Promise<TenantRunSummary> {
    for (;;) {
      const { status, output, cause } = await sfn().send(
        new DescribeExecutionCommand({ executionArn: `${arn('execution')}:${runId}` }),
      );
      if (status === 'SUCCEEDED') return JSON.parse(output ?? '');
      if (status !== 'RUNNING') return JSON.parse(cause ?? '');
      await sleep(200);
    }
  }

  async function run(input: TenantRunInput): Promise<TenantRunSummary> {
    const name = crypto.randomUUID();
    await sfn().send(new StartExecutionCommand({ stateMachineArn: arn('stateMachine'), name, input: JSON.stringify(input) }));
    return ended(name);
  }

  it('brings all of them to head when the stack is deployed', async () => {
    const stage = shared.prepared;
    mustSucceed(await stage.deploy());
    expect(await stage.positions()).toEqual({ [stage.head()]: TENANTS.length });
  });

  it('reports how many are at each revision, and leaves tenants at head alone', async () => {
    const stage = shared.prepared;
    expect(await run({ command: 'plan' })).toMatchObject({ status: 'complete', total: 60, unchanged: 60, migrated: 0 });
    expect(await run({})).toMatchObject({
      status: 'complete',
      unchanged: 60,
      migrated: 0,
      heads: [stage.head()],
      positions: [{ revisions: [stage.head()], tenants: 60 }],
    });
  });

  it('fails with the reason if a tenant fails, and migrates the others', async () => {
    const stage = shared.prepared;
    const before = stage.head();
    await stage.rows(`CREATE TABLE ${UNLUCKY.schema}.phones ()`);
    stage.write('e2e000000001', 'Add phones', ['op.create_table("phones", sa.Column("id", sa.Integer(), primary_key=True))']);

    const { code, output } = await stage.deploy();

    expect(code).toBe(1);
    const said = output.replaceAll(/\s+/g, ' ');
    expect(said).toContain('[tenants_failed] 1 of 60 tenants failed');
    expect(said).toContain(`${UNLUCKY.name}: [migration_failed] e2e000000001`);
    expect(said).toContain('relation "phones" already exists');
    expect(await stage.positions()).toEqual({ [before]: 1, [stage.head()]: 59 });
  });

  it('migrates only that one in the next deploy', async () => {
    const stage = shared.prepared;
    await stage.rows(`DROP TABLE ${UNLUCKY.schema}.phones`);

    const result = await stage.deploy();

    mustSucceed(result);
    expect(await ended(runIdOf(result.output))).toMatchObject({ unchanged: 59, migrated: 1 });
    expect(await stage.positions()).toEqual({ [stage.head()]: 60 });
  });

  it('starts no other tenant after a failed canary, and retries all that are behind', async () => {
    const stage = shared.prepared;
    const [{ schema, name }] = CANARIES as [{ name: string; schema: string }];
    await stage.rows(`UPDATE ${schema}.alembic_version SET version_num = 'f00000000000'`);

    const failed = await run({});

    expect(failed).toMatchObject({ status: 'failed', failed: 1, notStarted: 54, error: { code: 'tenants_failed' } });
    expect(failed.failures).toEqual([{ tenant: name, error: expect.objectContaining({ code: 'database_ahead' }) }]);
    await stage.rows(`UPDATE ${schema}.alembic_version SET version_num = '${stage.head()}'`);
    expect(await run({ retryFailed: true })).toMatchObject({ status: 'complete', total: 55, unchanged: 55 });
    expect(await run({ retryFailed: true })).toMatchObject({ status: 'complete', total: 0 });
  });

  it('hands over: the deploy ends at once and names the run, which waits for an approval after the canaries', async () => {
    const stage = shared.prepared;
    const before = stage.head();
    stage.write('e2e000000002', 'Add city', ['op.add_column("users", sa.Column("city", sa.Text()))']);

    const result = await stage.deploy({ onDeploy: 'handOver', approval: true });

    mustSucceed(result);
    const runId = runIdOf(result.output);
    expect(result.output).toContain(`states/home?region=eu-central-1#/v2/executions/details/${arn('execution')}:${runId}`);
    await until(async () => (await stage.positions())[stage.head()] === CANARIES.length);
    expect(await stage.positions()).toEqual({ [before]: REST.length, [stage.head()]: CANARIES.length });
    await until(async () => (await approve(runId, true)) === 'taken');
    expect(await ended(runId)).toMatchObject({ status: 'complete', migrated: 60 });
    expect(await stage.positions()).toEqual({ [stage.head()]: 60 });
    expect(await approve(runId, true)).toBe('not_waiting');
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 300_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not come to this within five minutes: ${condition}`);
    await sleep(300);
  }
}

function runIdOf(output: string): string {
  const [, id = ''] = /RunId\w* = ([0-9a-f-]{36})/.exec(output) ?? [];
  return id;
}
