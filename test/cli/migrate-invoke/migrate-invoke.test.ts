import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CLIENT_CODES, type DriftReport, type MigrateRequest, RUNNER_CODES, type RunRecord } from '../../../lib/contract';
import { exitCodeOf } from '../../../lib/contract/exit-codes';
import packageJson from '../../../package.json';
import { answer, applied, failure } from '../../support/aws/answers';
import type { Reply } from '../../support/aws/lambda';
import { StageAws, type StageOptions } from '../../support/aws/stage';
import { BuiltCommand, type Ended } from '../built-command';
import { loss, oneByOne, pending, planned } from '../planned';

let command: BuiltCommand;
let aws: StageAws;

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

type Replying = (request: MigrateRequest, call: number) => Reply;

async function run(reply: Reply | Replying, ...args: string[]): Promise<Ended> {
  return runWith({}, reply, ...args);
}

async function runWith(options: StageOptions, reply: Reply | Replying, ...args: string[]): Promise<Ended> {
  aws = await StageAws.start(typeof reply === 'function' ? reply : () => reply, options);
  return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args]);
}

/** What every run says first, and what it says after a run of the function. */
const HEADER =
  '  stage      dev\n  function   template-saas-api-migrate-lambda-dev\n  region     eu-central-1\n' +
  '  account    123456789012\n  you        arn:aws:iam::123456789012:user/ada\n';
const PLAN = 'the database is at a1: 2 revisions pending to head (c3)\n  • b2  Add items\n  • c3  Add notes\n';
const LOGS = '  logs       /aws/lambda/template-saas-api-migrate-lambda-dev\n';

const whole = answer({ from: ['a1'], applied: [applied('b2'), { ...applied('c3'), durationMs: 1_234 }] });
const run1: RunRecord = {
  runId: 'r1',
  command: 'upgrade',
  stage: 'dev',
  requestedBy: 'deploy app-dev',
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: '2026-01-01T00:00:04Z',
  from: [],
  to: ['a1'],
  outcome: 'complete',
  applied: [applied('a1')],
};
const broken = failure({ revision: 'c3', sqlState: '42P07', statement: 'CREATE TABLE items' }, [applied('b2')]);

describe('the output', () => {
  test('an upgrade shows the caller, the target and the plan, then each revision with its time, then the result', async () => {
    const { code, stdout, stderr } = await run(planned({ answer: whole }));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ {2}✓ b2 {2}Add b2 {2}12 ms\n {2}✓ c3 {2}Add c3 {2}1\.2 s\n2 revisions applied in \d+ ms: a1 → c3 \(head\)\n$/,
    );
    expect(stderr).toBe(HEADER + PLAN + LOGS);
    expect(aws.invokes).toEqual([
      { command: 'plan' },
      { command: 'upgrade', sliceSeconds: 5, requestedBy: `person ${userInfo().username}` },
    ]);
  });

  test('an upgrade says that a snapshot comes first, waits for it, and names it at the end', async () => {
    const first = answer({ command: 'plan', status: 'pending', from: ['a1'], to: ['a1'], pending });
    const source = { name: 'shop-api-r1', cluster: 'shop' };
    const { code, stdout, stderr } = await run(({ command: asked }, call) => {
      if (asked === 'plan') return { answer: { ...first, snapshot: { status: 'planned', cluster: 'shop' } } };
      const creating = { status: 'creating', percent: 43, ...source } as const;
      const waiting = { command: 'upgrade', status: 'partial', continueWith: 'head', snapshot: creating } as const;
      if (call === 2) return { answer: { ...first, ...waiting } };
      return { answer: { ...whole, snapshot: { status: 'available', ...source } } };
    }, '--snapshot');
    expect(code).toBe(0);
    expect(stderr).toBe(
      `${HEADER}${PLAN}  an RDS snapshot of the cluster shop is made first\n` +
        `  making the RDS snapshot shop-api-r1 of the cluster shop, 43 %; nothing is applied before\n${LOGS}`,
    );
    expect(stdout).toMatch(/a1 → c3 \(head\)\n {2}snapshot {3}shop-api-r1 of the cluster shop\n$/);
    expect(aws.invokes.slice(1).map(({ snapshot }) => snapshot)).toEqual([true, true]);
  });

  test('an upgrade of several slices prints each revision once', async () => {
    const { stdout } = await run(oneByOne());
    expect(stdout).toMatch(/^ {2}✓ b2 .*\n {2}✓ c3 .*\n2 revisions applied in .*: a1 → c3 \(head\)\n$/);
  });

  test('an upgrade with nothing to do does not start, and says so once', async () => {
    const { code, stdout, stderr } = await run({ answer: answer({ command: 'plan' }) });
    expect([code, stdout]).toEqual([0, 'nothing to do: the database is at c3 (head)\n']);
    expect(stderr).not.toContain('nothing to do');
    expect(aws.invokes).toEqual([{ command: 'plan' }]);
  });

  test('an upgrade does not start if the database is ahead, and the error names the unknown revision', async () => {
    const { code, stderr } = await run({ answer: answer({ command: 'plan', status: 'ahead', to: ['zz'], unknown: ['zz'] }) });
    expect(code).toBe(3);
    expect(stderr).toContain('database_ahead: the database is at zz, which this release does not have (its heads: c3)');
    expect(aws.invokes).toHaveLength(1);
  });

  test.each([
    ['nothing pending', ['--command', 'current'], answer({ command: 'current' }), 'the database is at c3 (head)\n'],
    ['a plan', ['--command', 'plan'], answer({ command: 'plan', status: 'pending', to: ['a1'], pending }), PLAN],
    ['a question', ['--command', 'current'], answer({ command: 'current', status: 'pending', to: ['a1'], pending }), PLAN],
    [
      'a database that is ahead',
      ['--command', 'current'],
      answer({ command: 'current', status: 'ahead', to: ['zz'], unknown: ['zz'] }),
      '! the database is at zz, ahead of the deployed code, whose head is c3\n' +
        '  not in the code: zz; deploy the release that has it\n',
    ],
    [
      'a history',
      ['--command', 'history'],
      answer({
        command: 'history',
        history: [
          { revision: 'b2', message: 'Add items', downRevisions: ['a1'], applied: false },
          { revision: 'a1', message: 'Add users', downRevisions: [], applied: true },
        ],
      }),
      '  • b2  Add items\n  ✓ a1  Add users\n2 revisions, 1 applied (✓), 1 not (•)\n',
    ],
    [
      'a history of which nothing is known, because the database is ahead',
      ['--command', 'history'],
      answer({
        command: 'history',
        status: 'ahead',
        to: ['zz'],
        unknown: ['zz'],
        history: [{ revision: 'a1', message: 'Add users', downRevisions: [], applied: false }],
      }),
      '  ? a1  Add users\n' +
        '! the database is at zz, ahead of the deployed code, whose head is c3\n' +
        '  not in the code: zz; deploy the release that has it\n',
    ],
    [
      'statistics',
      ['--command', 'statistics'],
      answer({ command: 'statistics' }),
      '1 table in 1.7 GB on PostgreSQL 18.4, the largest first\n' +
        '  table         rows    size  indexes    dead rows  writes/s\n' +
        '  orders  10 million  1.2 GB   400 MB  12 thousand        14\n',
    ],
    [
      'no drift',
      ['--command', 'drift'],
      answer({ command: 'drift', drift: { status: 'none', keptAt: '2026-01-01T00:00:00Z', objects: [] } }),
      'no drift since 2026-01-01T00:00:00Z\n',
    ],
    [
      'a history with runs',
      ['--command', 'history'],
      answer({
        command: 'history',
        runs: [
          {
            ...run1,
            runId: 'r2',
            from: ['a1'],
            to: ['a1'],
            outcome: 'running',
            endedAt: null,
            applied: [],
            requestedBy: 'ci github 7',
          },
          {
            ...run1,
            endedBlockers: [{ pid: 4711, kind: 'client backend', application: 'shop' }],
            restorePoint: { at: '2026-01-01T00:00:00.123Z', cluster: 'shop', snapshot: 'shop-api-r1' },
          },
        ],
      }),
      '0 revisions, 0 applied (✓), 0 not (•)\n\nlatest runs, newest first\n' +
        '  2026-01-01T00:00:00Z  running  upgrade a1 → a1  0 revisions  ci github 7\n' +
        '  2026-01-01T00:00:00Z  complete  upgrade base → a1  1 revision  4.0 s  deploy app-dev\n' +
        '  snapshot   shop-api-r1\n' +
        '  ended      client backend 4711, shop\n' +
        '\nto get back a copy of the database as it was before the run of 2026-01-01T00:00:00Z\n' +
        '  restore    aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier shop ' +
        '--db-cluster-identifier shop-at-20260101000000 --restore-to-time 2026-01-01T00:00:00.123Z ' +
        '# makes a new cluster, without instances\n' +
        '  or         aws rds restore-db-cluster-from-snapshot --snapshot-identifier shop-api-r1 --engine aurora-postgresql ' +
        '--db-cluster-identifier shop-at-20260101000000 # makes a new cluster, without instances\n',
    ],
    [
      'what a plan destroys, acknowledged or not, and what was edited',
      ['--command', 'plan'],
      answer({
        command: 'plan',
        status: 'pending',
        to: ['a1'],
        pending,
        dataLoss: [
          { ...loss, revision: 'b2' },
          { ...loss, revision: 'c3', acknowledgement: 'moved to orders' },
        ],
      }),
      'the database is at a1: 2 revisions pending to head (c3)\n' +
        '  • b2  Add items\n' +
        '      destroys data  b2.py:12  drop_table users\n' +
        '      if intended, add to that file:  # cdk-alembic: allow drop-table: <reason>\n' +
        '  • c3  Add notes\n' +
        '      destroys data  b2.py:12  drop_table users  acknowledged: moved to orders\n',
    ],
    [
      'a plan with its SQL, as a script',
      ['--command', 'plan', '--dry-run'],
      answer({
        command: 'plan',
        status: 'pending',
        to: ['a1'],
        pending,
        sql: [
          { revision: 'b2', sql: 'CREATE TABLE items (\n\tid integer\u001b[2J\n);' },
          { revision: 'c3', sql: null, reason: 'it reads the\ndatabase' },
        ],
      }),
      `${PLAN}\n-- b2\nCREATE TABLE items (\n  id integer[2J\n);\n\n-- c3\n-- no SQL: it reads the database\n`,
    ],
  ])('%s is explained in plain words', async (_, args, told, stdout) => {
    expect(await run({ answer: told }, ...args)).toEqual({ code: 0, stdout, stderr: HEADER });
  });

  test.each([
    [
      'a downgrade',
      ['--command', 'downgrade', '--revision', '-1'],
      answer({ command: 'downgrade', from: ['c3'], to: ['b2'], target: ['b2'], applied: [applied('c3')] }),
      /^ {2}↓ c3 {2}Add c3 {2}12 ms\n1 revision reverted in \d+ ms: c3 → b2\n$/,
    ],
    [
      'a stamp',
      ['--command', 'stamp', '--revision', 'head'],
      answer({ command: 'stamp', from: [] }),
      /^stamped: base → c3 \(head\)\n$/,
    ],
  ])('%s first shows the revision of the database', async (_, args, told, stdout) => {
    const result = await run(planned({ answer: told }), ...args);
    expect(result).toEqual({ code: 0, stdout: expect.stringMatching(stdout), stderr: HEADER + PLAN + LOGS });
    expect(aws.invokes[0]).toEqual({ command: 'current' });
  });

  test('drift shows what each object was and is, and the DDL that restores it, and fails', async () => {
    const lines = Array.from({ length: 26 }, (_, at) => `line ${at + 1}`);
    const drift: DriftReport = {
      status: 'drifted',
      keptAt: '2026-01-01T00:00:00Z',
      objects: [
        { change: 'removed', object: 'index ix_a', kept: 'CREATE INDEX\u001b[2J ix_a', ddl: 'CREATE INDEX ix_a ON a (id)' },
        { change: 'changed', object: 'type mood', kept: "ENUM ('good')", found: "ENUM ('good', 'fine')" },
        { change: 'added', object: 'function f()', found: lines.join('\n') },
      ],
      objectsLeftOut: 9_997,
    };
    expect(await run({ answer: answer({ command: 'drift', drift }) }, '--command', 'drift')).toEqual({
      code: 3,
      stdout: `10000 changed by hand since 2026-01-01T00:00:00Z
  - index ix_a  removed
      was      CREATE INDEX[2J ix_a
      restore  CREATE INDEX ix_a ON a (id)
  ~ type mood  changed
      was      ENUM ('good')
      is       ENUM ('good', 'fine')
  + function f()  added
      is       ${lines.slice(0, 24).join('\n               ')}
               and 2 more lines
  and 9997 more, which do not fit into the function's answer
`,
      stderr: HEADER,
    });
  });

  test('warnings go to stderr', async () => {
    const warnings = ['the run history could not be written: permission denied'];
    const { code, stdout, stderr } = await run({ answer: answer({ command: 'plan', edited: ['a1'], warnings }) });
    expect([code, stdout]).toEqual([0, 'nothing to do: the database is at c3 (head)\n']);
    expect(stderr).toContain(
      '! edited after they were applied: a1; the database still has the earlier version: undo the edit and add a revision\n' +
        '! the run history could not be written: permission denied\n',
    );
  });

  test.each([
    ['refused', false, 'you        could not be determined: not allowed'],
    ['without an answer', 'hang', 'you        could not be determined: STS did not answer within 2 s'],
  ] as const)('if the identity of the caller is %s, a line says so and the run continues', async (_, identity, line) => {
    const { code, stderr } = await runWith({ identity }, { answer: answer({ command: 'plan' }) });
    expect(code).toBe(0);
    expect(stderr).toContain(line);
  });

  test('a failed migration says what failed and why, what was kept, and what to do', async () => {
    const { code, stdout, stderr } = await run(planned({ failure: broken }));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `${HEADER + PLAN}${[
        '✗ migration_failed: revision b2 failed',
        '  revision   c3',
        '  SQLSTATE   42P07',
        '  statement  CREATE TABLE items',
        '  applied    b2',
        '  next       fix it',
      ].join('\n')}\n${LOGS}`,
    );
  });

  test('a blocked run shows each place that destroys data once, with the comment to write', async () => {
    const dataLoss = [{ ...loss, revision: 'b2' }];
    const { code, stderr } = await run(planned({ failure: failure({ code: 'blocked', dataLoss }) }, { dataLoss }));
    expect(code).toBe(3);
    expect(stderr.match(/^ {6}.*$/gm)).toEqual([
      '      destroys data  b2.py:12  drop_table users',
      '      if intended, add to that file:  # cdk-alembic: allow drop-table: <reason>',
    ]);
  });

  test('a table that stayed locked shows who held it', async () => {
    const reader = { pid: 4711, kind: 'client backend', role: 'app', application: 'shop', client: '10.0.3.7', table: 'users' };
    const blockers = [
      { ...reader, state: 'idle in transaction', since: '2026-01-01T00:00:00Z', lock: 'AccessShareLock', statement: 'SELECT ?' },
      { kind: 'prepared transaction', transaction: 'pay\u001b[31m 7', lock: 'RowExclusiveLock' },
      { pid: 4712, queued: true },
    ];
    const restorePoint = { at: '2026-01-01T00:00:00.123Z', instance: 'shop' };
    const { code, stderr } = await run(planned({ failure: failure({ code: 'lock_not_available', blockers, restorePoint }) }));
    expect(code).toBe(1);
    expect(stderr).toContain(
      '  restore    aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier shop ' +
        '--target-db-instance-identifier shop-at-20260101000000 --restore-time 2026-01-01T00:00:00.123Z # makes a new instance\n',
    );
    expect(stderr.match(/^ {2}(held by|queued).*$/gm)).toEqual([
      '  held by    client backend 4711, role app, shop, 10.0.3.7, idle in transaction since 2026-01-01T00:00:00Z, AccessShareLock on users: SELECT ?',
      '  held by    prepared transaction pay [31m 7, RowExclusiveLock on a row',
      '  queued     backend 4712',
    ]);
  });

  test('waiting for the function is reported once', async () => {
    const { code, stderr } = await run((_, call) =>
      call < 3 ? { status: 429, error: 'TooManyRequestsException', message: 'Rate Exceeded.' } : { answer: answer() },
    );
    expect(code).toBe(0);
    expect(stderr.match(/^!.*$/gm)).toEqual([
      '! waiting: Lambda throttled the call of template-saas-api-migrate-lambda-dev: TooManyRequestsException: Rate Exceeded.',
    ]);
  });

  test('a function that crashed shows the end of its log', async () => {
    const { code, stderr } = await run({
      crash: { errorMessage: 'Task timed out after 3.00 seconds' },
      log: 'about to migrate\n',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('Task timed out after 3.00 seconds');
    expect(stderr).toContain('  | about to migrate\n');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('the message of a revision cannot control the terminal', async () => {
    const { stdout } = await run(planned({ answer: answer({ applied: [applied('c3', 'Add\u001b[2J users\n')] }) }));
    expect(stdout).toContain('  ✓ c3  Add [2J users  12 ms\n');
  });
});

describe('exit codes', () => {
  test.each([
    [1, 'migration_failed'],
    [1, 'version_not_moved'],
    [1, 'lock_not_available'],
    [1, 'deadline_reached'],
    [1, 'internal_error'],
    [2, 'invalid_request'],
    [2, 'unknown_revision'],
    [3, 'not_allowed'],
    [3, 'invalid_settings'],
    [3, 'invalid_project'],
    [3, 'multiple_heads'],
    [3, 'database_ahead'],
    [3, 'locked'],
    [3, 'blocked'],
    [3, 'invalid_index'],
    [4, 'database_unreachable'],
    [4, 'database_refused'],
    [4, 'secret_unavailable'],
  ] as const)('%i: the runner says %s', async (code, error) => {
    const result = await run(planned({ failure: failure({ code: error }) }));
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`${error}: `) });
    expect(result.stderr).toContain('  next       fix it\n');
  });

  test.each([
    [1, 'function_crashed', { crash: { errorMessage: 'oops' } }],
    [1, 'unexpected_answer', { text: 'hello' }],
    [4, 'access_denied', { status: 403, error: 'AccessDeniedException' }],
    [4, 'function_not_found', { status: 404, error: 'ResourceNotFoundException' }],
    [4, 'function_not_ready', { status: 502, error: 'KMSDisabledException' }],
    [4, 'network', 'drop'],
  ] as [number, string, Reply][])('%i: %s', async (code, error, reply) => {
    const result = await run(reply);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`${error}: `) });
    expect(result.stderr).toContain('next');
    expect(aws.invokes).toHaveLength(1);
  });

  test('4: the function does not exist, and without --app-name the error names the default app', async () => {
    const missing: Reply = { status: 404, error: 'ResourceNotFoundException' };
    expect((await run(missing)).stderr).toContain(
      'check the stage, the app name (--app-name; without one it is "template-saas"), ',
    );
    expect((await run(missing, '--app-name', 'shop')).stderr).toContain('check the stage, the app name, the region');
  });

  test('4: no credentials', async () => {
    const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    expect(await command.run(['--stage', 'dev', '--endpoint-url', 'http://127.0.0.1:1'], nobody)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('no_credentials'),
    });
  });

  test('2: no region', async () => {
    const { code, stderr } = await command.run(['--stage', 'dev'], { AWS_REGION: undefined });
    expect([code, stderr]).toEqual([2, expect.stringContaining('pass --region')]);
  });

  test.each([
    ['0: at head', 0, answer({ command: 'current' }), 'the database is at c3 (head)\n', HEADER],
    [
      '3: something is pending',
      3,
      answer({ command: 'current', status: 'pending', to: ['a1'], pending }),
      PLAN,
      `${HEADER}  next       apply what is pending: run the same command without --command check, or deploy\n`,
    ],
    [
      '3: ahead of the code',
      3,
      answer({ command: 'current', status: 'ahead', to: ['zz'], unknown: ['zz'] }),
      expect.stringContaining('ahead of the deployed code'),
      `${HEADER}  next       deploy the release that has the database's revision, or a newer one\n`,
    ],
  ])('check is a gate for a release: %s', async (_, code, found, stdout, stderr) => {
    expect(await run({ answer: found }, '--command', 'check')).toEqual({ code, stdout, stderr });
    expect(aws.invokes).toEqual([{ command: 'current' }]);
  });

  test('every error code has an exit code', () => {
    for (const code of [...RUNNER_CODES, ...CLIENT_CODES]) expect([1, 2, 3, 4]).toContain(exitCodeOf(code));
  });
});

describe('the command line', () => {
  test('all mistakes are reported at once, and nothing is sent', async () => {
    const { code, stderr } = await run(
      { answer: answer() },
      'now',
      '--stage',
      'prod',
      '--stag',
      '--command',
      'drop',
      '--region',
      '--json=yes',
      '--app-name',
      'a b',
    );
    expect(code).toBe(2);
    for (const problem of [
      'unexpected argument "now"',
      '--stage is given twice',
      'unknown option --stag',
      'unknown command "drop": use upgrade, plan',
      '--region needs a value',
      'the app name "a b" is not a usable name',
    ]) {
      expect(stderr).toContain(problem);
    }
    expect(stderr).toContain('see migrate-invoke --help');
    expect(aws.invokes).toEqual([]);
  });

  test.each([
    [['--plan'], 'unknown option --plan: did you mean --command plan?'],
    [['--command', 'status'], 'unknown command "status": did you mean current?'],
    [['--command', 'curent'], 'unknown command "curent": did you mean current?'],
    [['migrate'], 'unexpected argument "migrate": did you mean --command upgrade?'],
    [['--rollback'], 'unknown option --rollback: did you mean --command downgrade?'],
    [['--tenants', 'all', '--command', 'status'], '"status" is not available for many tenants: use upgrade, plan, check'],
    [['check'], 'unexpected argument "check": did you mean --command check?'],
    [['--tenants', 'all', '--plan'], 'unknown option --plan: did you mean --command plan?'],
    [['--command', 'downgrade'], '"downgrade" needs a revision'],
    [['--command', 'current', '--revision', 'head'], '"current" takes no revision'],
    [['--revision', 'a b'], '"a b" is not a revision'],
    [['--allow', 'all'], 'allow[0] must be one of drop_invalid_indexes, drift, not "all"'],
    [['--command', 'plan', '--allow', 'drop_invalid_indexes'], '"plan" takes no allow'],
    [['--command', 'check', '--revision', 'a1'], '"check" takes no revision'],
    [['--revision', 'a1', '--to', 'b2'], '--to and --revision are the same: use one of them'],
    [['--command', 'stamp', '--to', 'b2'], '"stamp" takes no --to: use --revision'],
    [['--command', 'current', '--to', 'b2'], '"current" takes no revision'],
    [['--command', 'downgrade', '--to', '-1', '--dry-run'], '"downgrade" takes no --dry-run'],
    [['--command', 'plan', '--wait-lock', '5'], '"plan" takes no --wait-lock'],
    [['--dry-run', '--follow'], '"--dry-run" takes no --follow'],
    [['--wait-lock', 'long'], '--wait-lock long is not a number of seconds'],
    [['--yes=no'], '--yes takes no value'],
    [['--json=no'], '--json takes no value'],
    [['--endpoint-url', 'localhost:4566'], '--endpoint-url localhost:4566 is not an address such as http://localhost:4566'],
    [['--endpoint-url', 'here'], '--endpoint-url here is not an address such as http://localhost:4566'],
  ])('%j is rejected', async (args, problem) => {
    expect(await command.run(['--stage', 'dev', ...args])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(problem),
    });
  });

  test('an invalid AWS endpoint in the environment is rejected', async () => {
    expect(await command.run(['--stage', 'dev'], { AWS_ENDPOINT_URL: 'localhost:4566' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('AWS_ENDPOINT_URL localhost:4566 is not an address'),
    });
  });

  test.each([
    ['CDK_ALEMBIC_APP_NAME', [], { CDK_ALEMBIC_APP_NAME: 'shop' }, 'shop'],
    ['--app-name, before the variable', ['--app-name', 'blog'], { CDK_ALEMBIC_APP_NAME: 'shop' }, 'blog'],
    ['neither', [], { CDK_ALEMBIC_APP_NAME: '' }, 'template-saas'],
  ])('the app name comes from %s', async (_, args, environment, name) => {
    aws = await StageAws.start(() => ({ answer: answer() }));
    await command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args], environment);
    expect(aws.functions).toEqual([`${name}-api-migrate-lambda-dev`]);
  });

  test('--to -1 works without an equals sign', async () => {
    await run(planned({ answer: answer({ command: 'downgrade' }) }), '--command', 'downgrade', '--to', '-1');
    expect(aws.invokes[1]).toMatchObject({ command: 'downgrade', revision: '-1', sliceSeconds: 5 });
  });

  test('--allow is passed to the runner', async () => {
    await run(planned({ answer: whole }), '--allow', 'drop_invalid_indexes');
    expect(aws.invokes[1]).toMatchObject({ command: 'upgrade', allow: ['drop_invalid_indexes'] });
  });

  test('--to and --revision apply to the plan and the upgrade', async () => {
    await run(planned({ answer: answer({ to: ['b2'], target: ['b2'] }) }), '--to', 'b2');
    expect(aws.invokes).toMatchObject([
      { command: 'plan', revision: 'b2' },
      { command: 'upgrade', revision: 'b2' },
    ]);
  });

  test('--dry-run shows the SQL and changes nothing', async () => {
    await run({ answer: answer({ command: 'plan' }) }, '--dry-run', '--revision', 'b2');
    expect(aws.invokes).toEqual([{ command: 'plan', revision: 'b2', sql: true }]);
  });

  test('--function replaces --stage', async () => {
    aws = await StageAws.start(() => ({ answer: answer() }));
    const { code } = await command.run(['--function-name', 'mine', '--endpoint-url', aws.url]);
    expect([code, aws.functions]).toEqual([0, ['mine']]);
  });

  test('a profile supplies its region and its credentials', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'profile-'));
    const config = join(directory, 'config');
    await writeFile(config, '[profile ops]\nregion = eu-west-3\naws_access_key_id = a\naws_secret_access_key = b\n');
    aws = await StageAws.start(() => ({ status: 404, error: 'ResourceNotFoundException' }));
    const unset = { AWS_REGION: undefined, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const args = ['--stage', 'dev', '--profile', 'ops', '--endpoint-url', aws.url];
    const { stderr } = await command.run(args, { ...unset, AWS_CONFIG_FILE: config });
    await rm(directory, { recursive: true });
    expect(stderr).toContain('for stage "dev" in eu-west-3');
  });

  test('--help lists every command, option and exit code; --version prints the version of the package', async () => {
    const { code, stdout } = await command.run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/upgrade.*check.*--dry-run.*--endpoint-url.*Exit codes.*130/s);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(await command.run(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });
});

test('the command contains no CDK code', () => {
  const inputs = Object.keys(command.metafile.inputs);
  expect(inputs).toContain('lib/client/migrate.ts');
  expect(inputs.filter((path) => /node_modules\/(aws-cdk-lib|constructs)\//.test(path))).toEqual([]);
});

test('the first request does not wait for code that only some runs need', () => {
  const inputs = command.inputsOfFirstRequest();
  expect(inputs).toContain('lib/client/migrate.ts');
  const notYet = /\/(client-sts|client-cloudwatch-logs|credential-provider-(ini|sso|process|http|imds)|nested-clients)\//;
  expect(inputs.filter((path) => notYet.test(path))).toEqual([]);
});
