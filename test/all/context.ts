import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import path from 'node:path';
import {
  commandDirectory,
  neutralEnvironment,
  type Postgres,
  projectDirectory,
  startPostgres,
  toolPython,
} from '../../examples/local-aws';
import { type Check, type CheckContext, pytestCheck } from './checks';
import { withoutShims } from './python-path';
import { systemTools } from './system-tools';

/** Processes of each test runner, more than there are processors: tests wait for servers and processes about a quarter of their time. */
export const WORKERS = Math.max(2, availableParallelism()) + 1;

/** What the tests run with. */
export interface TestContext extends CheckContext {
  /** The Python of the runner's tests. */
  readonly python: string;
  readonly postgres: Postgres;
  /** The time for all checks. */
  readonly minutes: number;
}

/** Installs the tools of the tests and starts their PostgreSQL. @param folder is removed at the end */
export async function testContext(folder: string, minutes: number): Promise<TestContext> {
  const onInstall = (tool: string): void => console.log(`installing ${tool} into .cache/tools (only the first time)`);
  // It installs the others.
  const uv = await commandDirectory('uv', onInstall);
  const [tools, python, cfnLint] = await Promise.all([
    systemTools(folder, (tool) => console.log(`installing ${tool} by apt-get (only the first time)`)),
    toolPython('python-tests', onInstall),
    commandDirectory('cfn-lint', onInstall),
    toolPython('ministack', onInstall),
  ]);
  const postgres = await startPostgres(folder);
  await useMd5(postgres);

  return {
    folder,
    python,
    postgres,
    minutes,
    env: {
      ...neutralEnvironment(process.env),
      TMPDIR: folder,
      // No test depends on what this machine keeps from earlier runs, except the packages that uv has fetched.
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      UV_CACHE_DIR: process.env.UV_CACHE_DIR ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'uv'),
      // The packages of the tests are the same whether or not this machine may download a Python.
      UV_PYTHON_DOWNLOADS: 'never',
      PATH: [uv, cfnLint, await withoutShims(process.env.PATH ?? '')].join(path.delimiter),
      RUNNER_PYTHON: python,
      ...tools,
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.user,
      PGPASSWORD: postgres.password,
    },
  };
}

/** SCRAM's thousands of hashes take most of the time of a connection, and the tests open tens of thousands. */
async function useMd5({ data, user, password, query }: Postgres): Promise<void> {
  const rules = path.join(data, 'pg_hba.conf');
  writeFileSync(rules, readFileSync(rules, 'utf8').replaceAll('scram-sha-256', 'md5'));
  for (const statement of [
    `ALTER SYSTEM SET password_encryption = 'md5'`,
    'SELECT pg_reload_conf()',
    `SET password_encryption = 'md5'; ALTER ROLE ${user} PASSWORD '${password}'`,
  ])
    await query('postgres', statement);
}

/**
 * Runs Python tests with the runner on their path. A file's tests run in one process, in their order: those of TLS change the server. A
 * test that takes an eighth of the time hangs: the longest takes a minute on a quiet machine.
 */
export function runnerCheck(context: TestContext, name: string, targets: readonly string[], variables = {}): Check {
  const env = { ...context.env, ...variables, PYTHONPATH: path.join(projectDirectory, 'lambda/migrate') };
  const timeout = context.minutes * 7.5;
  const options = `-m pytest -q -rs -n ${WORKERS} --dist loadfile --no-loadscope-reorder --timeout ${timeout}`.split(' ');
  return pytestCheck({ ...context, env }, name, context.python, [...options, ...targets]);
}
