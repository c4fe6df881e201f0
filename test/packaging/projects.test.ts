import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import { type PostgresServer, withPostgresServer } from '../../lib/local/postgres/server';
import type { FunctionPlatform } from '../../lib/packaging/platform';
import type { BackendOptions } from '../../lib/packaging/project/backend';
import { checked, filesBelow, hostPython, packageOf, temporaryDirectory } from './support';

jest.setTimeout(600_000);

const PROJECTS = join(__dirname, '..', 'projects');
const host: FunctionPlatform = { architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64', pythonVersion: hostPython() };
const INVOKE = `import json, sys
sys.path[0] = sys.argv[1]
from cdk_alembic.handler import handler
class Context:
    aws_request_id = function_name = "test"
    def get_remaining_time_in_millis(self): return 600_000
print(json.dumps(handler({}, Context())))`;

let server: PostgresServer;
let stop: () => void;
let stopped: Promise<void>;
beforeAll(async () => {
  await new Promise<void>((started, failed) => {
    const running = withPostgresServer(join(__dirname, '../../node_modules'), async (found) => {
      server = found;
      started();
      await new Promise<void>((end) => {
        stop = end;
      });
    });
    stopped = running.catch(failed);
  });
});
afterAll(async () => {
  stop();
  await stopped;
});

/** The backend that all kinds share, with the files of one kind. */
function project(kind: string): string {
  const directory = temporaryDirectory();
  cpSync(join(PROJECTS, 'backend'), directory, { recursive: true });
  cpSync(join(PROJECTS, kind), directory, { recursive: true });
  return directory;
}

function uv(directory: string, ...args: string[]): void {
  const run = spawnSync('uv', [...args, '--quiet'], { cwd: directory, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`uv ${args.join(' ')}: ${run.stderr}`);
}

async function query(database: string, text: string): Promise<unknown[]> {
  const client = new Client(server.url(database));
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Packages a backend, calls its function in a Python that has nothing but the package, and returns the rows that it made. */
async function migrated(name: string, directory: string, options: Partial<BackendOptions> = {}) {
  const target = temporaryDirectory();
  packageOf(directory, host, options).build(target);
  await query('postgres', `CREATE DATABASE ${name}`);
  const settings: RunnerSettings = { stage: 'test', allow: [], database: { source: 'environment' } } as unknown as RunnerSettings;
  const url = server.url(name).replace(/^postgres(ql)?:/, 'postgresql+psycopg:');
  const env = {
    PATH: '/usr/bin:/bin',
    LAMBDA_TASK_ROOT: target,
    DATABASE_URL: url,
    [SETTINGS_VARIABLE]: JSON.stringify(settings),
  };
  const run = spawnSync('python3', ['-s', '-S', '-c', INVOKE, target], {
    cwd: target,
    env: { ...env, PATH: process.env.PATH },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr + run.stdout);
  return { target, rows: await query(name, 'SELECT name, (SELECT version_num FROM alembic_version) AS head FROM customer') };
}

const DONE = [{ name: 'Ada', head: 'b2' }];

test.each<[string, string, (directory: string) => void]>([
  ['uv', 'uv', (directory) => uv(directory, 'lock')],
  ['poetry', 'poetry', () => {}],
  ['pdm', 'pdm', () => {}],
  ['pipenv', 'pipenv', () => {}],
  ['requirements', 'requirements', () => {}],
  ['pyproject', 'uv', () => {}],
  [
    'pylock',
    'uv',
    (directory) => {
      uv(directory, 'export', '--no-dev', '--no-emit-project', '--format', 'pylock.toml', '-o', 'pylock.toml');
      for (const name of ['uv.lock', 'pyproject.toml']) rmSync(join(directory, name));
    },
  ],
])('a project of the kind %s is packaged and migrates a database', async (name, kind, prepare) => {
  const directory = project(kind);
  prepare(directory);
  const { rows, target } = await migrated(name, directory);
  expect(rows).toEqual(DONE);
  expect(filesBelow(target).filter((file) => /iniconfig|\.pth$/.test(file))).toEqual([]);
});

test('a package of what is imported migrates as the whole one does, and is smaller', async () => {
  const directory = project('uv');
  uv(directory, 'add', 'boto3');
  const { rows, target } = await migrated('imported', directory, { onlyImported: true });
  expect(rows).toEqual(DONE);
  expect(filesBelow(join(target, 'site-packages')).filter((file) => file.startsWith('boto'))).toEqual([]);
});

describe('an import that a setting avoids', () => {
  const backend = () => {
    const directory = project('requirements');
    const env = join(directory, 'migrations', 'env.py');
    const guarded = 'import os\nif os.environ.get("PROFILER", "on") == "on":\n    import profiler_of_the_team\n';
    writeFileSync(env, guarded + readFileSync(env, 'utf8'));
    return directory;
  };

  test('is refused with the setting that the backend reads', () => {
    const found = checked(backend(), host);
    expect(() => found.package?.().build(temporaryDirectory())).toThrow(
      /^migrations\/env\.py:3 imports profiler_of_the_team, .*set it in environment: the backend reads PROFILER, not set here$/,
    );
  });

  test('is not missed when the function has that setting', () => {
    packageOf(backend(), host, { environment: { PROFILER: 'off' } }).build(temporaryDirectory());
  });
});

test('a package that lacks what a revision imports is refused before it is shipped', () => {
  const directory = project('requirements');
  rmSync(join(directory, 'shared'), { recursive: true });
  const found = checked(directory, host, { requirements: ['database.txt', 'alembic.txt'] });
  expect(() => found.package?.().build(temporaryDirectory())).toThrow(
    /^migrations\/versions\/a1_customers\.py:5 imports shared, which the package of .* does not have: add the distribution of shared to /,
  );
});
