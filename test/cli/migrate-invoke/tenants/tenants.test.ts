import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import type { Metafile } from 'esbuild';
import type { TenantFailure, TenantRunSummary, TenantsDrift } from '../../../../lib/contract/tenants';
import schema from '../../../../schema/migrate-invoke.json';
import { failed, type Moment, succeeded, TenantsAws, type TenantsAwsOptions } from '../../../support/aws/tenants';
import { BuiltCommand, type Ended } from '../../built-command';
import { loss } from '../../planned';

let command: BuiltCommand;
let aws: TenantsAws;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

const HEADER =
  '  stage      dev\n  machine    template-saas-api-migrate-tenants-dev\n  region     eu-central-1\n' +
  '  account    123456789012\n  you        arn:aws:iam::123456789012:user/ada\n';
const DETAILS = '  details    s3://bucket/runs/0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11/\n';

const behind: Partial<TenantRunSummary> = {
  command: 'plan',
  status: 'pending',
  total: 1004,
  unchanged: 940,
  pending: 62,
  ahead: 2,
  positions: [
    { revisions: ['c3'], tenants: 940 },
    { revisions: ['b2'], tenants: 60 },
    { revisions: ['zz'], tenants: 2 },
    { revisions: [], tenants: 2 },
  ],
};
const POSITIONS =
  '1,004 tenants, head is c3: 940 at head, 62 behind, 2 ahead of the deployed code\n' +
  '  940  c3 (head)\n   60  b2\n    2  zz\n    2  base\n';
const migrated: Partial<TenantRunSummary> = { total: 1004, unchanged: 940, migrated: 64 };

const broken: TenantFailure = {
  tenant: 'acme',
  error: {
    code: 'migration_failed',
    message: 'column "x" contains null values',
    next: 'fix it',
    revision: 'c3',
    sqlState: '23502',
  },
};
const tenantsFailed = failed(
  { code: 'tenants_failed', message: '1 of 1004 tenants failed', next: 'fix the causes' },
  { ...migrated, migrated: 63, failed: 1, failures: [broken] },
);

/** A stage whose plan finds what is given, and whose upgrade goes on like that. */
function stage(plan: Partial<TenantRunSummary>, ...upgrade: readonly Moment[]): TenantsAwsOptions {
  return { run: (input) => (input.command === 'plan' ? [{ end: succeeded({ ...plan, command: 'plan' }) }] : upgrade) };
}

async function run(options: TenantsAwsOptions, ...args: string[]): Promise<Ended> {
  aws = await TenantsAws.start(options);
  return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args]);
}

const commands = () => aws.inputs.map((input) => input.command ?? 'upgrade');

describe('an upgrade', () => {
  test('shows the caller, the target and the plan by group, then the progress, then the result', async () => {
    const rest = { total: 11, succeeded: 4, running: 2 };
    const options = stage(behind, { state: 'Rest', rest }, { end: succeeded(migrated) });
    const { code, stdout, stderr } = await run(options, '--tenants', 'all');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^64 tenants migrated to head \(c3\) in \d.*, 940 were already at head\n$/);
    expect(stderr.startsWith(HEADER)).toBe(true);
    expect(stderr).toContain(POSITIONS);
    expect(stderr).toContain('  … tenants: 4/11 batches, 2 running (0 s)\n');
    expect(stderr.endsWith(DETAILS)).toBe(true);
    expect(aws.inputs).toEqual([
      { command: 'plan', requestedBy: expect.stringMatching(/^person /) },
      { command: 'upgrade', requestedBy: expect.stringMatching(/^person /) },
    ]);
  });

  test('of named tenants plans and runs only those', async () => {
    const options = stage(behind, { end: succeeded(migrated) });
    await run(options, '--tenants', 'acme,globex', '--allow', 'drop_invalid_indexes');
    const tenants = ['acme', 'globex'];
    expect(aws.inputs).toMatchObject([{ tenants }, { tenants, allow: ['drop_invalid_indexes'] }]);
  });

  test('of the failed tenants plans and runs only those', async () => {
    await run(stage(behind, { end: succeeded(migrated) }), '--retry-failed');
    expect(aws.inputs).toMatchObject([{ retryFailed: true }, { retryFailed: true }]);
  });

  test('with no tenant behind does not start', async () => {
    const { code, stdout } = await run(stage({ total: 4, unchanged: 4 }), '--tenants', 'all');
    expect([code, stdout, commands()]).toEqual([0, 'nothing to do: 4 tenants at head (c3)\n', ['plan']]);
  });

  test('of no tenants says so', async () => {
    const { code, stdout } = await run(stage({ total: 0, unchanged: 0, positions: [], heads: [] }), '--retry-failed');
    expect([code, stdout]).toEqual([0, 'nothing to do: no tenant failed in its last upgrade\n']);
  });

  test('that fails shows which tenants failed and why, and where to find all results', async () => {
    const { code, stdout, stderr } = await run(stage(behind, { end: tenantsFailed }), '--tenants', 'all');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      '63 tenants migrated to head (c3), 940 were already at head\n' +
        '  ✗ acme  migration_failed: column "x" contains null values (revision c3, SQLSTATE 23502)\n' +
        '✗ tenants_failed: 1 of 1004 tenants failed\n  next       fix the causes\n' +
        DETAILS,
    );
  });

  test('names its run at the start, so it can be watched even if the log ends there', async () => {
    const { stderr } = await run(stage(behind, { state: 'Rest' }, { end: succeeded(migrated) }), '--tenants', 'all');
    expect(stderr).toMatch(/\n {2}run {8}[0-9a-f-]{36}\n.*… tenants/s);
  });

  test('of an empty list fails and shows only that', async () => {
    const end = failed(
      { code: 'no_tenants', message: 'the list is empty', next: 'fill it' },
      { total: 0, positions: [], heads: [] },
    );
    const { code, stdout, stderr } = await run({ run: () => [{ end }] }, '--tenants', 'all');
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr.endsWith(`✗ no_tenants: the list is empty\n  next       fill it\n${DETAILS}`)).toBe(true);
    expect(stderr).not.toContain('nothing to do');
  });

  test('with many failures shows the first and counts the others', async () => {
    const failures = Array.from({ length: 50 }, (_, index) => ({ ...broken, tenant: `t${index}` }));
    const end = failed({ code: 'tenants_failed', message: 'too many', next: 'fix' }, { failures, failed: 1_000 });
    const { stderr } = await run(stage(behind, { end }), '--tenants', 'all');
    expect(stderr).toContain('✗ t19');
    expect(stderr).not.toContain('✗ t20');
    expect(stderr).toContain('  and 980 more: s3://bucket/runs/0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11/failures.json\n');
  });

  test('starts even if the plan could not read every tenant', async () => {
    const told = { code: 'tenants_failed', message: '1 of 1004 tenants failed', next: 'fix' } as const;
    const options: TenantsAwsOptions = {
      run: ({ command: asked }) => [
        { end: asked === 'plan' ? failed(told, { ...behind, failed: 1, failures: [broken] }) : tenantsFailed },
      ],
    };
    const { code } = await run(options, '--tenants', 'all');
    expect([code, commands()]).toEqual([1, ['plan', 'upgrade']]);
  });

  test('that tolerates its failures succeeds and shows them', async () => {
    const warnings = ['1 of 1004 tenants failed, which is tolerated (at most 3)'];
    const end = succeeded({ ...migrated, migrated: 63, failed: 1, failures: [broken], warnings });
    const { code, stdout, stderr } = await run(stage(behind, { end }), '--tenants', 'all');
    expect([code, stdout]).toEqual([0, expect.stringContaining('63 tenants migrated')]);
    expect(stderr).toContain('✗ acme');
    expect(stderr).toContain(`! ${warnings[0]}`);
  });
});

describe('a command that changes nothing', () => {
  test('plan shows the revisions of the tenants and which data would be lost', async () => {
    const found = { ...behind, dataLoss: [{ ...loss, revision: 'c3' }] };
    const { code, stdout } = await run(stage(found), '--tenants', 'all', '--command', 'plan');
    expect([code, stdout]).toEqual([
      0,
      `${POSITIONS}  • c3 is pending\n      destroys data  b2.py:12  drop_table users\n` +
        '      if intended, add to that file:  # cdk-alembic: allow drop-table: <reason>\n',
    ]);
    expect(commands()).toEqual(['plan']);
  });

  test.each([
    [0, { total: 4, unchanged: 4 }],
    [3, behind],
    [3, { total: 4, unchanged: 3, ahead: 1 }],
  ] as const)('check ends with exit code %i for %j', async (code, found) => {
    const result = await run(stage(found), '--tenants', 'all', '--command', 'check');
    expect(result.code).toBe(code);
    expect(result.stderr.includes('next')).toBe(code === 3);
    expect(commands()).toEqual(['plan']);
  });

  test('check fails if a tenant cannot be read', async () => {
    const end = failed({ code: 'tenants_failed', message: '1 of 4 tenants failed', next: 'fix' }, { command: 'plan', failed: 1 });
    expect(await run({ run: () => [{ end }] }, '--tenants', 'all', '--command', 'check')).toMatchObject({ code: 1 });
  });
});

describe('a protected stage', () => {
  const isProtected = stage({ ...behind, protected: true }, { end: succeeded(migrated) });

  test('is not changed if nobody can be asked', async () => {
    const { code, stderr } = await run(isProtected, '--tenants', 'all');
    expect([code, commands()]).toEqual([3, ['plan']]);
    expect(stderr).toContain(
      'declined: stage "dev" is protected and cannot be confirmed without a terminal; nothing was changed',
    );
  });

  test('is changed with --yes', async () => {
    expect(await run(isProtected, '--tenants', 'all', '--yes')).toMatchObject({ code: 0 });
    expect(commands()).toEqual(['plan', 'upgrade']);
  });

  test.each([
    ['dev\n', 0, ['plan', 'upgrade']],
    ['prod\n', 3, ['plan']],
  ])('asks on a terminal: %j', async (typed, code, sent) => {
    aws = await TenantsAws.start(isProtected);
    const args = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all'];
    const result = await command.runOnTerminal(args, {}, { typed });
    expect([result.code, commands()]).toEqual([code, sent]);
    expect(result.stdout).toContain('is protected; type its name to continue: ');
  });
});

describe('canaries that wait for an approval', () => {
  const canary = { total: 1, succeeded: 1 };
  const waiting: readonly Moment[] = [
    { state: 'Approval', canary, until: 'approval' },
    { state: 'Rest', canary, rest: { total: 9, succeeded: 2, running: 7 } },
    { end: succeeded(migrated) },
  ];

  test('say how to approve them without a terminal, and continue after the approval', async () => {
    aws = await TenantsAws.start(stage(behind, ...waiting));
    const where = ['--stage', 'dev', '--endpoint-url', aws.url];
    const watching = command.run([...where, '--tenants', 'all']);
    await aws.standstill();
    const runId = aws.runs[1]?.name as string;
    const approved = await command.run([...where, '--approve', runId]);
    expect(approved).toMatchObject({ code: 0, stdout: `approved: run ${runId} migrates the rest\n` });
    const { code, stderr } = await watching;
    expect(code).toBe(0);
    expect(stderr).toContain(`  yes        npx migrate-invoke --stage dev --approve ${runId}\n`);
    expect(stderr).toContain(`  no         npx migrate-invoke --stage dev --reject ${runId}\n`);
    expect(aws.approvals).toMatchObject([{ runId, approved: true }]);
  });

  test.each([
    ['yes\n', true],
    ['no\n', false],
  ])('ask on a terminal: %j', async (typed, approved) => {
    aws = await TenantsAws.start(stage(behind, ...waiting));
    const args = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all'];
    const { stdout } = await command.runOnTerminal(args, {}, { typed });
    expect(stdout).toContain('the canaries are migrated\r\ntype yes to migrate the rest, or no to end the run: ');
    expect(aws.approvals).toMatchObject([{ approved }]);
  });

  test('end the run with exit code 3 if nobody approves them', async () => {
    const end = failed({ code: 'not_approved', message: 'nobody approved the canaries', next: 'see' }, { notStarted: 60 });
    expect(await run(stage(behind, { end }), '--tenants', 'all')).toMatchObject({ code: 3 });
  });
});

describe('drift', () => {
  const KEPT_AT = '2026-01-01T00:00:00Z';
  const drift: TenantsDrift = {
    none: 1001,
    drifted: 2,
    unknown: 1,
    tenants: [
      {
        tenant: 'acme',
        status: 'drifted',
        keptAt: KEPT_AT,
        count: 12,
        objects: [
          {
            change: 'removed',
            object: 'index acme.users_email',
            kept: 'CREATE INDEX users_email ON acme.users USING btree (email)',
            ddl: 'CREATE INDEX CONCURRENTLY users_email ON acme.users USING btree (email);',
          },
        ],
      },
      { tenant: 'globex', status: 'unknown', reason: 'no run has kept a catalog yet', count: 0, objects: [] },
    ],
  };
  const compared: Partial<TenantRunSummary> = { command: 'drift', total: 1004, unchanged: 1004, migrated: 0, drift };
  const options: TenantsAwsOptions = { run: () => [{ end: succeeded(compared) }] };

  test('names each drifted tenant with its objects and the DDL that restores them, and fails', async () => {
    const { code, stdout, stderr } = await run(options, '--tenants', 'acme,globex', '--command', 'drift', '--allow', 'drift');
    expect([code, stdout]).toEqual([
      3,
      '1,004 tenants: 1,001 without drift, 2 changed by hand, 1 could not be compared\n' +
        `! acme  12 changed by hand since ${KEPT_AT}\n` +
        '  - index acme.users_email  removed\n' +
        '      was      CREATE INDEX users_email ON acme.users USING btree (email)\n' +
        '      restore  CREATE INDEX CONCURRENTLY users_email ON acme.users USING btree (email);\n' +
        '  and 11 more objects\n' +
        '? globex  no run has kept a catalog yet\n' +
        '  and 1 more: s3://bucket/runs/0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11/drift.json\n',
    ]);
    expect(stderr.endsWith(DETAILS)).toBe(true);
    expect(aws.inputs).toMatchObject([{ command: 'drift', tenants: ['acme', 'globex'], allow: ['drift'] }]);
  });

  test('has exit code 0 if there is none', async () => {
    const none = { ...compared, drift: { none: 1004, drifted: 0, unknown: 0, tenants: [] } };
    const { code, stdout } = await run({ run: () => [{ end: succeeded(none) }] }, '--tenants', 'all', '--command', 'drift');
    expect([code, stdout]).toEqual([0, '1,004 tenants: 1,004 without drift\n']);
  });

  test('is shown for the other tenants even if one could not be reached', async () => {
    const end = failed({ code: 'tenants_failed', message: '1 of 1004 tenants failed', next: 'fix' }, { ...compared, failed: 1 });
    const { code, stderr } = await run({ run: () => [{ end }] }, '--tenants', 'all', '--command', 'drift');
    expect(code).toBe(1);
    expect(stderr).toContain('! acme  12 changed by hand');
  });

  test('is one document, and SARIF with the tenant of each object', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tenants-'));
    const file = join(directory, 'drift.sarif');
    const summary = join(directory, 'summary.md');
    aws = await TenantsAws.start(options);
    const where = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all', '--command', 'drift', '--json'];
    const github = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
    const { stdout, stderr } = await command.run([...where, '--sarif', file], github);
    expect([validate(JSON.parse(stdout)), validate.errors]).toEqual([true, null]);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'drift', status: 'complete', drift, exitCode: 3 });
    const [{ results }] = JSON.parse(await readFile(file, 'utf8')).runs;
    expect(results).toEqual([
      expect.objectContaining({
        message: { text: expect.stringMatching(/^index acme.users_email was removed by hand in tenant acme of stage dev\n/) },
        partialFingerprints: { object: 'dev acme index acme.users_email' },
      }),
    ]);
    expect(stderr).toContain('::warning title=acme%3A drift::12 changed by hand\n');
    expect(await readFile(summary, 'utf8')).toContain(
      '| <code>acme</code> | <code>index acme.users&#95;email</code> removed and 11 more |',
    );
    await rm(directory, { recursive: true });
  });
});

describe('an existing run', () => {
  async function started(...moments: Moment[]): Promise<{ runId: string; where: string[] }> {
    aws = await TenantsAws.start(stage(behind, ...moments));
    const where = ['--stage', 'dev', '--endpoint-url', aws.url];
    await command.run([...where, '--tenants', 'all'], {}, aws.standstill());
    return { runId: aws.runs[1]?.name as string, where };
  }

  test('continues after Ctrl-C, and the output says how to follow and stop it', async () => {
    aws = await TenantsAws.start(stage(behind, { state: 'Rest', until: 'never' }));
    const args = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all'];
    const { code, stderr } = await command.run(args, {}, aws.standstill());
    const runId = aws.runs[1]?.name;
    expect(code).toBe(130);
    expect(stderr).toContain(`interrupted: run ${runId} continues\n`);
    const about = 'npx migrate-invoke --stage dev';
    expect(stderr).toContain(`next       follow it again: ${about} --run ${runId}; or stop it: ${about} --stop ${runId}\n`);
    expect(aws.calls.map(({ operation }) => operation)).not.toContain('StopExecution');
  });

  test('can be watched again', async () => {
    const { runId, where } = await started({ state: 'Approval', until: 'approval' }, { end: succeeded(migrated) });
    const watching = command.run([...where, '--run', runId]);
    await command.run([...where, '--approve', runId]);
    expect(await watching).toMatchObject({
      code: 0,
      stdout: '64 tenants migrated to head (c3), 940 were already at head\n',
    });
  });

  test('can be stopped', async () => {
    const { runId, where } = await started({ state: 'Rest', until: 'never' });
    const { code, stdout } = await command.run([...where, '--stop', runId]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^stopped: /)]);
    expect(aws.calls.at(-1)).toMatchObject({ operation: 'StopExecution', body: { error: 'run_aborted' } });
  });

  test('cannot be approved if it does not wait for an approval', async () => {
    const { runId, where } = await started({ state: 'Rest', until: 'never' });
    expect(await command.run([...where, '--approve', runId])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not_waiting'),
    });
  });
});

test('Ctrl-C before the run starts says that nothing was changed', async () => {
  aws = await TenantsAws.start({ run: () => [{ state: 'Rest', until: 'never' }] });
  const args = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all'];
  const { code, stderr } = await command.run(args, {}, aws.standstill());
  expect([code, stderr]).toEqual([130, expect.stringContaining('interrupted: nothing was changed')]);
});

test.each([
  [4, 'state_machine_not_found', { machines: [] }],
  [4, 'access_denied', { fault: () => ({ status: 400, error: 'AccessDeniedException' }) }],
  [4, 'tenants_unavailable', { run: () => [{ end: { status: 'FAILED', error: 'tenants_unavailable', cause: 'no table' } }] }],
  [2, 'unknown_tenant', { run: () => [{ end: { status: 'FAILED', error: 'unknown_tenant', cause: 'no acme' } }] }],
  [1, 'run_aborted', { run: () => [{ end: { status: 'TIMED_OUT' } }] }],
] as [number, string, TenantsAwsOptions][])('%i: %s', async (code, error, options) => {
  const result = await run(options, '--tenants', 'all');
  expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`✗ ${error}: `) });
  expect(result.stderr).toMatch(/^ {2}next +\S/m);
});

describe('--json', () => {
  async function json(options: TenantsAwsOptions, ...args: string[]): Promise<Record<string, unknown>> {
    const { code, stdout } = await run(options, '--json', ...args);
    const document = JSON.parse(stdout);
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(document.exitCode).toBe(code);
    return document;
  }

  test('a finished run is its summary', async () => {
    const document = await json(stage(behind, { end: succeeded(migrated) }), '--tenants', 'all');
    expect(document).toMatchObject({ command: 'upgrade', status: 'complete', migrated: 64, exitCode: 0 });
  });

  test('with nothing to do, the summary is that of an upgrade that migrated no tenant', async () => {
    expect(await json(stage({}), '--tenants', 'all')).toMatchObject({ command: 'upgrade', migrated: 0, unchanged: 4 });
  });

  test('a check names itself and says whether all tenants are at head', async () => {
    const document = await json(stage(behind), '--tenants', 'all', '--command', 'check');
    expect(document).toMatchObject({ command: 'check', atHead: false, exitCode: 3, positions: behind.positions });
  });

  test('failed tenants are in the document, with as much of the summary as exists', async () => {
    const document = await json(stage(behind, { end: tenantsFailed }), '--tenants', 'all');
    expect(document).toMatchObject({ status: 'failed', error: { code: 'tenants_failed' }, failures: [broken], migrated: 63 });
  });

  test('a failure before the run is a document', async () => {
    expect(await json({ machines: [] }, '--tenants', 'all')).toMatchObject({ error: { code: 'state_machine_not_found' } });
    await aws.stop();
    expect(await json({}, '--tenants', 'a b')).toMatchObject({ error: { code: 'invalid_usage' }, runId: null, exitCode: 2 });
  });

  test('an approval is a document', async () => {
    aws = await TenantsAws.start(stage(behind, { state: 'Approval', until: 'approval' }, { end: succeeded() }));
    const where = ['--stage', 'dev', '--endpoint-url', aws.url, '--json'];
    await command.run([...where, '--tenants', 'all'], {}, aws.standstill());
    const runId = aws.runs[1]?.name as string;
    const { stdout } = await command.run([...where, '--reject', runId]);
    expect([validate(JSON.parse(stdout)), validate.errors]).toEqual([true, null]);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'reject', runId, exitCode: 0 });
  });
});

test('on GitHub, failed tenants are annotations, and the job summary lists them and says where to find all of them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tenants-'));
  const file = join(directory, 'summary.md');
  aws = await TenantsAws.start(stage(behind, { end: tenantsFailed }));
  const args = ['--stage', 'dev', '--endpoint-url', aws.url, '--tenants', 'all'];
  const { stderr } = await command.run(args, { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: file });
  expect(stderr).toContain('::group::plan\n');
  expect(stderr).toContain('::error title=tenants_failed::1 of 1004 tenants failed%0Anext: fix the causes\n');
  expect(stderr).toContain('::error title=acme%3A migration_failed::column "x" contains null values\n');
  const text = await readFile(file, 'utf8');
  await rm(directory, { recursive: true });
  expect(text).toContain('1004 total, 940 unchanged, 63 migrated, 0 pending, 0 ahead, 1 failed, 0 not started\n');
  expect(text).toContain('| <code>acme</code> | <code>migration&#95;failed</code>: column');
  expect(text).toContain('details: <code>s3://bucket/runs/');
});

/** What a start of a built command reads: its own file and what that imports at once. */
function readAtStart({ outputs }: Metafile): string[] {
  const read = new Set(Object.keys(outputs).filter((name) => outputs[name]?.entryPoint?.startsWith('bin/')));
  for (const name of read) {
    for (const { path, kind } of outputs[name]?.imports ?? []) if (kind === 'import-statement') read.add(path);
  }
  return [...read].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}));
}

test('commands without --tenants do not load the code for tenants', () => {
  const sfn = /@aws-sdk\/client-sfn\//;
  expect(readAtStart(command.metafile)).toContain('lib/cli/migrate-invoke/main.ts');
  expect(readAtStart(command.metafile).filter((path) => sfn.test(path) || /\/tenants\/(?!options|help)/.test(path))).toEqual([]);
  expect(readAtStart(command.tenants).some((path) => sfn.test(path))).toBe(true);
  const imports = Object.values(command.metafile.inputs).flatMap((input) => input.imports);
  const entries = imports.filter(({ path }) => path.includes('migrate-invoke-tenants'));
  expect(entries).toMatchObject([{ kind: 'dynamic-import', external: true }]);
});
