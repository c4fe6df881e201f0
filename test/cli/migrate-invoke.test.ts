import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf } from '../../lib/cli/exit-codes';
import { CLIENT_CODES, type MigrateRequest, RUNNER_CODES, type RunRecord } from '../../lib/contract';
import packageJson from '../../package.json';
import { answer, applied, failure, type Reply, StandIn } from '../client/stand-in';
import { BuiltCommand, type Ended } from './built-command';

let command: BuiltCommand;
let standIn: StandIn;

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterAll(() => command.remove());
afterEach(() => standIn?.stop());

async function run(reply: Reply | ((request: MigrateRequest, call: number) => Reply), ...args: string[]): Promise<Ended> {
  standIn = await StandIn.start(typeof reply === 'function' ? reply : () => reply);
  return command.run(['--stage', 'dev', '--endpoint-url', standIn.url, ...args]);
}

const pending = [
  { revision: 'b2', message: 'Add items' },
  { revision: 'c3', message: 'Add notes' },
];
const whole = answer({ from: [], applied: [applied('a1'), { ...applied('c3'), durationMs: 1_234 }] });
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
const loss = { rule: 'drop-table', what: 'drop_table users', file: 'b2.py', line: 12 } as const;
const broken = failure({ revision: 'b2', sqlState: '42P07', statement: 'CREATE TABLE items' }, [applied('a1')]);

describe('what is printed', () => {
  test('an upgrade prints each revision with its time, and the way it went', async () => {
    expect(await run({ answer: whole })).toEqual({
      code: 0,
      stdout: '  ✓ a1  Add a1  12 ms\n  ✓ c3  Add c3  1.2 s\n2 revisions applied: base → c3 (head)\n',
      stderr: '',
    });
    expect(standIn.invokes).toEqual([{ command: 'upgrade', sliceSeconds: 5, requestedBy: `person ${userInfo().username}` }]);
  });

  test('an upgrade of several slices prints each revision once', async () => {
    const slice = answer({ status: 'partial', from: [], to: ['a1'], applied: [applied('a1')], pending });
    const { stdout } = await run((_, call) => ({
      answer: call === 1 ? slice : answer({ from: ['a1'], applied: [applied('c3')] }),
    }));
    expect(stdout).toBe('  ✓ a1  Add a1  12 ms\n  ✓ c3  Add c3  12 ms\n2 revisions applied: base → c3 (head)\n');
  });

  test.each([
    ['nothing to do', [], answer(), 'nothing to do: the database is at c3 (head)\n'],
    [
      'a plan',
      ['--command', 'plan'],
      answer({ command: 'plan', status: 'pending', to: ['a1'], pending }),
      'the database is at a1: 2 revisions pending to head (c3)\n  • b2  Add items\n  • c3  Add notes\n',
    ],
    [
      'a question',
      ['--command', 'current'],
      answer({ command: 'current', status: 'pending', to: ['a1'], pending }),
      'the database is at a1: 2 revisions pending to head (c3)\n',
    ],
    [
      'a database that is ahead',
      ['--command', 'current'],
      answer({ command: 'current', status: 'ahead', to: ['zz'], unknown: ['zz'] }),
      '! the database is at zz, ahead of the deployed code, which ends at c3\n' +
        '  not known to the code: zz; deploy the version that has it\n',
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
          run1,
        ],
      }),
      '0 revisions, 0 applied (✓), 0 not (•)\n\nlatest runs, newest first\n' +
        '  2026-01-01T00:00:00Z  running  upgrade a1 → a1  0 revisions  ci github 7\n' +
        '  2026-01-01T00:00:00Z  complete  upgrade base → a1  1 revision  4.0 s  deploy app-dev\n',
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
        edited: ['a1'],
      }),
      'the database is at a1: 2 revisions pending to head (c3)\n' +
        '  • b2  Add items\n' +
        '      destroys data  b2.py:12  drop_table users\n' +
        '      if it is meant, write into that file:  # cdk-alembic: allow drop-table: <reason>\n' +
        '  • c3  Add notes\n' +
        '      destroys data  b2.py:12  drop_table users  acknowledged: moved to orders\n' +
        '! edited since applied: a1; the database has what the file was then: undo the edit, add a revision\n',
    ],
    [
      'a warning',
      [],
      answer({ warnings: ["the run history can't be written: permission denied"] }),
      "nothing to do: the database is at c3 (head)\n! the run history can't be written: permission denied\n",
    ],
    [
      'a downgrade',
      ['--command', 'downgrade', '--revision', '-1'],
      answer({ command: 'downgrade', from: ['c3'], to: ['b2'], target: ['b2'], applied: [applied('c3')] }),
      '  ↓ c3  Add c3  12 ms\n1 revision taken back: c3 → b2\n',
    ],
    [
      'a stamp',
      ['--command', 'stamp', '--revision', 'head'],
      answer({ command: 'stamp', from: [] }),
      'stamped: base → c3 (head)\n',
    ],
  ])('%s is told in plain words', async (_, args, told, stdout) => {
    expect(await run({ answer: told }, ...args)).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('a failed migration tells what failed, why, what stays and what to do', async () => {
    const { code, stdout, stderr } = await run({ failure: broken });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      [
        '✗ migration_failed: revision b2 failed',
        '  revision   b2',
        '  SQLSTATE   42P07',
        '  statement  CREATE TABLE items',
        '  applied    a1',
        '  next       mend it',
        '',
      ].join('\n'),
    );
  });

  test('a run that is blocked shows each place and the comment to write', async () => {
    const { code, stderr } = await run({ failure: failure({ code: 'blocked', dataLoss: [{ ...loss, revision: 'b2' }] }) });
    expect(code).toBe(3);
    expect(stderr).toContain(
      '      destroys data  b2.py:12  drop_table users\n' +
        '      if it is meant, write into that file:  # cdk-alembic: allow drop-table: <reason>\n',
    );
  });

  test('a function that has to be waited for is told, once', async () => {
    const { code, stdout } = await run((_, call) =>
      call < 3 ? { status: 429, error: 'TooManyRequestsException', message: 'Rate Exceeded.' } : { answer: answer() },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(
      '! waiting: Lambda had no room for template-saas-api-migrate-lambda-dev: Rate Exceeded.\n' +
        'nothing to do: the database is at c3 (head)\n',
    );
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

  test('what a revision calls itself can not drive the terminal', async () => {
    const { stdout } = await run({ answer: answer({ applied: [applied('c3', 'Add\u001b[2J users\n')] }) });
    expect(stdout).toContain('  ✓ c3  Add [2J users  12 ms\n');
  });
});

describe('--json', () => {
  test('a success is one document on stdout, and what people read goes to stderr', async () => {
    const { code, stdout, stderr } = await run({ answer: whole }, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(whole);
    expect(stderr).toContain('2 revisions applied');
  });

  test('a failure is one document on stdout with all that is known', async () => {
    const { code, stdout, stderr } = await run({ failure: broken }, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ status: 'failed', error: broken.error, applied: broken.applied });
    expect(stderr).toContain('migration_failed');
  });

  test('a run that is blocked is a document with each place', async () => {
    const dataLoss = [{ ...loss, revision: 'b2' }];
    const { stdout } = await run({ failure: failure({ code: 'blocked', dataLoss }) }, '--json');
    expect(JSON.parse(stdout).error.dataLoss).toEqual(dataLoss);
  });

  test('a wrong command line is a document too', async () => {
    const { code, stdout } = await command.run(['--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_usage', message: '--stage is missing' },
    });
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
    const result = await run({ failure: failure({ code: error }) });
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`${error}: `) });
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
    expect(standIn.invokes).toHaveLength(1);
  });

  test('4: nobody is signed in', async () => {
    const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    expect(await command.run(['--stage', 'dev'], nobody)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('no_credentials'),
    });
  });

  test('2: no region', async () => {
    const { code, stderr } = await command.run(['--stage', 'dev'], { AWS_REGION: undefined });
    expect([code, stderr]).toEqual([2, expect.stringContaining('give --region')]);
  });

  test('every code has one', () => {
    for (const code of [...RUNNER_CODES, ...CLIENT_CODES]) expect([1, 2, 3, 4]).toContain(exitCodeOf(code));
  });
});

describe('the command line', () => {
  test('all that is wrong is said at once, and nothing is sent', async () => {
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
    expect(standIn.invokes).toEqual([]);
  });

  test.each([
    [['--command', 'downgrade'], '"downgrade" needs a revision'],
    [['--command', 'current', '--revision', 'head'], '"current" takes no revision'],
    [['--revision', 'a b'], '"a b" is not a revision'],
    [['--allow', 'all'], 'allow must be a list of drop_invalid_indexes'],
    [['--command', 'plan', '--allow', 'drop_invalid_indexes'], '"plan" takes no allow'],
    [['--command', 'check'], 'unknown command "check"'],
    [['--json=no'], '--json takes no value'],
    [['--endpoint-url', 'here'], '--endpoint-url here is not an address'],
  ])('%j is refused', async (args, problem) => {
    expect(await command.run(['--stage', 'dev', ...args])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(problem),
    });
  });

  test('a step back needs no special spelling', async () => {
    await run({ answer: answer({ command: 'downgrade' }) }, '--command', 'downgrade', '--revision', '-1');
    expect(standIn.invokes).toMatchObject([{ command: 'downgrade', revision: '-1', sliceSeconds: 5 }]);
  });

  test('--allow goes to the runner', async () => {
    await run({ answer: answer() }, '--allow', 'drop_invalid_indexes');
    expect(standIn.invokes).toMatchObject([{ command: 'upgrade', allow: ['drop_invalid_indexes'] }]);
  });

  test('a function can be named in place of the stage', async () => {
    standIn = await StandIn.start(() => ({ answer: answer() }));
    const { code } = await command.run(['--function-name', 'mine', '--endpoint-url', standIn.url]);
    expect([code, standIn.functions]).toEqual([0, ['mine']]);
  });

  test('a profile brings its region and its credentials', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'profile-'));
    const config = join(directory, 'config');
    await writeFile(config, '[profile ops]\nregion = eu-west-3\naws_access_key_id = a\naws_secret_access_key = b\n');
    standIn = await StandIn.start(() => ({ status: 404, error: 'ResourceNotFoundException' }));
    const unset = { AWS_REGION: undefined, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const args = ['--stage', 'dev', '--profile', 'ops', '--endpoint-url', standIn.url];
    const { stderr } = await command.run(args, { ...unset, AWS_CONFIG_FILE: config });
    await rm(directory, { recursive: true });
    expect(stderr).toContain('for stage "dev" in eu-west-3');
  });

  test('--help names every command, option and exit code; --version the version of the package', async () => {
    const { code, stdout } = await command.run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/upgrade.*--endpoint-url.*Exit codes.*130/s);
    expect(await command.run(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });
});

describe('a person at a terminal', () => {
  test('sees colours', async () => {
    standIn = await StandIn.start(() => ({ answer: whole }));
    const { code, stdout } = await command.runOnTerminal(['--stage', 'dev', '--endpoint-url', standIn.url]);
    expect(code).toBe(0);
    expect(stdout).toContain('\u001b[32m✓\u001b[39m');
  });

  test('sees none with NO_COLOR', async () => {
    standIn = await StandIn.start(() => ({ answer: whole }));
    const { stdout } = await command.runOnTerminal(['--stage', 'dev', '--endpoint-url', standIn.url], { NO_COLOR: '1' });
    expect(stdout).toContain('✓ a1');
    expect(stdout).not.toContain('\u001b[');
  });

  test('who presses Ctrl-C learns what goes on and how to look', async () => {
    standIn = await StandIn.start(() => 'hang');
    const { code, stdout, stderr } = await command.run(
      ['--stage', 'dev', '--endpoint-url', standIn.url],
      {},
      standIn.nextInvoke(),
    );
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain('goes on to the end of its slice');
    expect(stderr).toContain('npx migrate-invoke --stage dev --command current');
  });
});

test('the command is one file that holds no CDK', () => {
  const inputs = Object.keys(command.metafile.inputs);
  expect(inputs).toContain('lib/client/migrate.ts');
  expect(inputs.filter((path) => /node_modules\/(aws-cdk-lib|constructs)\//.test(path))).toEqual([]);
});
