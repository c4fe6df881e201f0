import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { Client } from 'pg';
import { type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import { type PostgresServer, withPostgresServer } from '../../lib/local/postgres/server';
import type { BackendOptions } from '../../lib/packaging/project/backend';
import { checked, filesBelow, host, packageOf, temporaryDirectory, writeFiles } from './support';

jest.setTimeout(600_000);

const PROJECTS = join(__dirname, '..', 'projects');
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

function packaged(directory: string, options: Partial<BackendOptions> = {}): string {
  const target = temporaryDirectory();
  packageOf(directory, host, options).build(target);
  return target;
}

/** Calls the function on a new database, in a Python that has nothing but the package. Returns the rows that it made. */
async function called(name: string, target: string): Promise<unknown[]> {
  await query('postgres', `CREATE DATABASE ${name}`);
  const settings: RunnerSettings = { stage: 'test', allow: [], database: { source: 'environment' } } as unknown as RunnerSettings;
  const url = server.url(name).replace(/^postgres(ql)?:/, 'postgresql+psycopg:');
  const env = {
    PATH: process.env.PATH,
    LAMBDA_TASK_ROOT: target,
    DATABASE_URL: url,
    [SETTINGS_VARIABLE]: JSON.stringify(settings),
  };
  const run = spawnSync('python3', ['-s', '-S', '-c', INVOKE, target], { cwd: target, env, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr + run.stdout);
  return customers(name);
}

function customers(name: string): Promise<unknown[]> {
  return query(name, 'SELECT name, (SELECT version_num FROM alembic_version) AS head FROM customer');
}

/** Distributions, with their files and requirements, and whether a package of what is imported keeps them. */
const WHEELS: readonly [string, Readonly<Record<string, string>>, readonly string[], boolean][] = [
  [
    'acme-loaded',
    { 'loaded/__init__.py': 'def later():\n    import of_its_function\n', 'loaded/other.py': 'import of_its_other_module\n' },
    ['acme-of-its-function', 'acme-of-its-other-module', 'acme-of-nothing'],
    true,
  ],
  ['acme-of-its-function', { 'of_its_function.py': '' }, [], true],
  ['acme-of-its-other-module', { 'of_its_other_module.py': '' }, [], false],
  ['acme-of-nothing', { 'of_nothing.py': 'small' }, [], true],
  ['acme-one', { 'team/one.py': '' }, [], true],
  ['acme-two', { 'team/two.py': '' }, [], false],
  ['acme-a-called-function', { 'of_a_called_function.py': '' }, [], true],
  ['acme-an-uncalled-function', { 'of_an_uncalled_function.py': '' }, [], false],
  ['acme-a-called-method', { 'of_a_called_method.py': '' }, [], true],
  ['acme-an-unmade-class', { 'of_an_unmade_class.py': '' }, [], false],
  ['acme-a-revision', { 'of_a_revision.py': '' }, [], true],
  ['acme-dynamic', { 'dynamic.py': '' }, [], false],
];

/** Writes a wheel. It has more than a megabyte, unless its only file says that it is small. */
function writeWheel(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
  requirements: readonly string[],
): void {
  const module = name.replaceAll('-', '_');
  const info = `${module}-1.0.dist-info`;
  const [[first = '', text = ''] = []] = Object.entries(files);
  const required = requirements.map((requirement) => `Requires-Dist: ${requirement}\n`).join('');
  const all = {
    ...files,
    ...(text === 'small'
      ? { [first]: '' }
      : { [`${first.split('/').slice(0, -1).concat(`${module}.data`).join('/')}`]: ' '.repeat(1.1 * 1024 * 1024) }),
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n${required}`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = [...Object.keys(all), `${info}/RECORD`].map((file) => `${file},,\n`).join('');
  writeFileSync(
    join(folder, `${module}-1.0-py3-none-any.whl`),
    zipSync(
      Object.fromEntries(
        Object.entries({ ...all, [`${info}/RECORD`]: record }).map(([file, content]) => [file, strToU8(content)]),
      ),
    ),
  );
}

const DONE = [{ name: 'Ada', head: 'b2' }];

type Kind = readonly [name: string, folder: string, prepare: (directory: string) => void];

/** Those that differ most. locks.test.ts reads the lock of each kind. */
const KINDS: readonly Kind[] = [
  ['uv', 'uv', (directory) => uv(directory, 'lock')],
  ['poetry', 'poetry', () => {}],
  ['requirements', 'requirements', () => {}],
];

/** For the soak tests: each is packaged in full. */
const OTHERS: readonly Kind[] = [
  ['pdm', 'pdm', () => {}],
  ['pipenv', 'pipenv', () => {}],
  ['pyproject', 'uv', () => {}],
  [
    'pylock',
    'uv',
    (directory) => {
      uv(directory, 'export', '--no-dev', '--no-emit-project', '--format', 'pylock.toml', '-o', 'pylock.toml');
      for (const name of ['uv.lock', 'pyproject.toml']) rmSync(join(directory, name));
    },
  ],
];

const PACKAGED = process.env.KINDS === 'all' ? [...KINDS, ...OTHERS] : KINDS;

test.each(PACKAGED)('a project of the kind %s is packaged and migrates a database', async (name, kind, prepare) => {
  const directory = project(kind);
  prepare(directory);
  const target = packaged(directory);
  expect(await called(name, target)).toEqual(DONE);
  expect(filesBelow(target).filter((file) => /iniconfig|\.pth$/.test(file))).toEqual([]);
});

test('onlyImported makes the package smaller, even for a backend that cannot be loaded without its settings', async () => {
  const directory = project('uv');
  uv(directory, 'add', 'boto3');
  const target = packaged(directory, { onlyImported: true });
  expect(await called('imported', target)).toEqual(DONE);
  expect(filesBelow(join(target, 'site-packages')).filter((file) => file.startsWith('boto'))).toEqual([]);
});

describe('onlyImported for a backend that loads', () => {
  const directory = () => {
    const backend = project('requirements');
    const wheels = temporaryDirectory();
    for (const [name, files, requirements] of WHEELS) writeWheel(wheels, name, files, requirements);
    const names = WHEELS.map(([name]) => name).filter((name) => !name.startsWith('acme-of-'));
    appendFileSync(join(backend, 'requirements.txt'), `--find-links ${wheels}\n${names.join('\n')}\n`);
    return writeFiles(backend, {
      'app/__init__.py': '',
      'app/models.py': 'import loaded\nimport team.one\n',
      'app/work.py':
        'def fill(connection):\n    prepare()\n    Worker().run()\n\n' +
        'def prepare():\n    import of_a_called_function\n\n' +
        'def serve():\n    import of_an_uncalled_function\n\n' +
        'class Worker:\n    def run(self):\n        import of_a_called_method\n\n' +
        'class Server:\n    def run(self):\n        import of_an_unmade_class\n',
      'migrations/versions/c3_fill.py':
        'import importlib\nfrom alembic import op\nfrom app import models\nfrom app.work import fill\n' +
        "revision, down_revision = 'c3', 'b2'\n" +
        "def upgrade():\n    import of_a_revision\n    fill(op.get_bind())\n    importlib.import_module('dynam' + 'ic')\n",
    });
  };
  const databaseVariables = { url: 'DATABASE_URL' };

  test('keeps what a revision may import, and an error at run time names what was left out', async () => {
    const target = packaged(directory(), { onlyImported: true, databaseVariables });
    const sitePackages = join(target, 'site-packages');
    const found = (name: string) => existsSync(join(sitePackages, ...name.split('/')));
    const expected = Object.fromEntries(WHEELS.map(([name, , , isKept]) => [name, isKept]));
    const actual = Object.fromEntries(WHEELS.map(([name, files]) => [name, found(Object.keys(files)[0] as string)]));
    expect(actual).toEqual(expected);
    await expect(called('left_out', target)).rejects.toThrow(
      /revision c3 .* failed: ModuleNotFoundError: .*; the package has only what the migrations import, without acme-dynamic==1\.0.*name acme-dynamic==1\.0 in the option `add`/,
    );
    expect(await customers('left_out')).toEqual(DONE);
  });

  test('keeps added requirements', async () => {
    const target = packaged(directory(), { onlyImported: true, databaseVariables, add: ['acme-dynamic==1.0'] });
    expect(await called('added', target)).toEqual([{ name: 'Ada', head: 'c3' }]);
  });
});

describe('an import that a setting avoids', () => {
  const backend = () => {
    const directory = project('requirements');
    const env = join(directory, 'migrations', 'env.py');
    const guarded = 'import os\nif os.environ.get("PROFILER", "on") == "on":\n    import profiler_of_the_team\n';
    writeFileSync(env, guarded + readFileSync(env, 'utf8'));
    return directory;
  };

  test('is rejected with the setting that the backend reads', () => {
    const found = checked(backend(), host);
    expect(() => found.package?.().build(temporaryDirectory())).toThrow(
      /^migrations\/env\.py:3 imports profiler_of_the_team, .*set it with environment: the backend reads PROFILER, not set here$/,
    );
  });

  test('is not needed if the function has that setting', () => {
    packageOf(backend(), host, { environment: { PROFILER: 'off' } }).build(temporaryDirectory());
  });
});

test('a package that lacks what a revision imports is rejected at build time', () => {
  const directory = project('requirements');
  rmSync(join(directory, 'shared'), { recursive: true });
  const found = checked(directory, host, { requirements: ['database.txt', 'alembic.txt'] });
  expect(() => found.package?.().build(temporaryDirectory())).toThrow(
    /^migrations\/versions\/a1_customers\.py:5 imports shared, which the package of .* does not have: add the distribution of shared to /,
  );
});
