import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientOptions, type LocalAws, projectDirectory, type RunResult } from '../../examples/local-aws';
import { createTenantStage } from './tenant-stage';
import { mustSucceed, useLocalAws } from './use-local-aws';

const TENANTS = Array.from({ length: 12 }, (_, index) => ({ name: `customer-${index}`, schema: `tenant_${index}` }));
const script = path.join(projectDirectory, 'dist/bin/migrate-invoke.js');

describe('migrate-invoke --tenants against a running state machine', () => {
  // The tests tell one story: each goes on with what the one before has left.
  const shared = useLocalAws(async (aws) => {
    const stage = await createTenantStage(aws, 'dev', TENANTS);
    mustSucceed(await stage.deploy({ onDeploy: 'off', approval: true }));
    return stage;
  });

  const command = (args: readonly string[], options: Parameters<LocalAws['run']>[2] = {}): Promise<RunResult> =>
    shared.aws.run(process.execPath, [script, '--stage', 'dev', ...args], options);

  /** Approves the canaries in a process of its own as soon as the run says how. */
  async function approving(...args: string[]): Promise<RunResult & { readonly runId: string }> {
    let [runId, approved] = ['', Promise.resolve({ code: -1, output: 'nobody was asked' } as RunResult)];
    const onLine = (line: string): void => {
      const [, asked] = /--approve ([0-9a-f-]{36})/.exec(line) ?? [];
      if (asked === undefined) return;
      runId = asked;
      approved = command(['--approve', asked]);
    };
    const result = await command(args, { onLine });
    mustSucceed(await approved);
    return { ...result, runId };
  }

  it('checks that all tenants are behind, and changes nothing', async () => {
    const result = await command(['--tenants', 'all', '--command', 'check']);

    expect(result).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`12 tenants, head is ${shared.prepared.head()}: 12 behind\n  12  base`),
    });
    expect(result.stderr).toMatch(/machine +template-saas-api-migrate-tenants-dev.*details +s3:\/\/\S+\/runs\//s);
    expect(await shared.prepared.positions()).toEqual({});
  });

  it('migrates the canaries, waits for an approval from elsewhere, and migrates the rest', async () => {
    const stage = shared.prepared;

    const { runId, ...result } = await approving('--tenants', 'all');

    mustSucceed(result);
    expect(result.stdout).toMatch(/^12 tenants migrated to head \(\w+\) in .* s$/);
    expect(result.stderr).toContain(`the rest waits until run ${runId} is approved`);
    expect(await stage.positions()).toEqual({ [stage.head()]: 12 });
    const again = await command(['--run', runId, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ command: 'upgrade', status: 'complete', runId, migrated: 12, exitCode: 0 });
    expect(await command(['--approve', runId])).toMatchObject({ code: 3, stderr: expect.stringContaining('not_waiting') });
  });

  it('does nothing if all tenants are at head', async () => {
    const { code, stdout } = await command(['--tenants', 'all']);
    expect([code, stdout]).toEqual([0, `nothing to do: 12 tenants at head (${shared.prepared.head()})`]);
  });

  it('finds the one tenant that was changed by hand', async () => {
    const { stdout: none, ...without } = await command(['--tenants', 'all', '--command', 'drift']);
    expect([without.code, none]).toEqual([0, '12 tenants: 12 without drift']);

    await shared.prepared.rows('CREATE TABLE tenant_7.phones ()');
    const result = await command(['--tenants', 'all', '--command', 'drift']);

    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(/^12 tenants: 11 without drift, 1 changed by hand\n! customer-7 {2}1 changed by hand since /);
    expect(result.stdout).toContain('  + table tenant_7.phones  added');
  });

  it('shows a run that EventBridge started, whose name is not an id', async () => {
    const name = `${randomUUID()}_${randomUUID()}`;
    const stateMachineArn = 'arn:aws:states:eu-central-1:000000000000:stateMachine:template-saas-api-migrate-tenants-dev';
    const sfn = new SFNClient(clientOptions(shared.aws.ministack.url));
    const input = '{"command":"drift","requestedBy":"schedule"}';
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }));
    sfn.destroy();

    const { code, stdout } = await command(['--run', name, '--json']);

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      runId: name,
      drift: { none: 11, drifted: 1, tenants: [{ tenant: 'customer-7' }] },
    });
  });

  it('names the tenant that fails and why, migrates the others, and retries only that one', async () => {
    const stage = shared.prepared;
    const before = stage.head();
    stage.write('e2e000000001', 'Add phones', ['op.create_table("phones", sa.Column("id", sa.Integer(), primary_key=True))']);
    mustSucceed(await stage.deploy({ onDeploy: 'off' }));

    const failed = await command(['--tenants', 'all']);

    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain(`12 tenants, head is e2e000000001: 12 behind\n  12  ${before}\n`);
    expect(failed.stderr).toMatch(/tenant customer-7: 1 object was changed by hand since .*table tenant_7\.phones \(added\)/);
    expect(failed.stderr).toMatch(/✗ customer-7 {2}migration_failed: .*"phones" already exists.*SQLSTATE 42P07/);
    expect(failed.stderr).toContain('✗ tenants_failed: 1 of 12 tenants failed');
    expect(await stage.positions()).toEqual({ [before]: 1, [stage.head()]: 11 });

    await stage.rows('DROP TABLE tenant_7.phones');
    const retried = await command(['--retry-failed']);

    mustSucceed(retried);
    expect(retried.stdout).toMatch(/^1 tenant migrated to head \(e2e000000001\) in /);
    expect(await stage.positions()).toEqual({ [stage.head()]: 12 });
  });

  it.each([
    [2, 'unknown_tenant', ['--tenants', 'customer-1,nobody']],
    [2, 'run_not_found', ['--run', '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11']],
    [4, 'state_machine_not_found', ['--tenants', 'all', '--app-name', 'nobody']],
  ])('%i: %s', async (code, error, args) => {
    const result = await command(args);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`✗ ${error}: `) });
    expect(result.stderr).toMatch(/^ {2}next +\S/m);
  });
});
