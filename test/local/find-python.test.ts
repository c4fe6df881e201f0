import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPython } from '../../lib/local/python/find';
import { needed } from '../production/environment';

/* Environments and commands that only stand in their places: what runs them is test/local/managers.test.ts. */

let root: string;
let project: string;
const variables = process.env;
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'find-python-')));
  project = path.join(root, 'repository/back');
  for (const folder of ['repository/.git', 'repository/back/alembic', 'bin'])
    mkdirSync(path.join(root, folder), { recursive: true });
  // Only what a test puts there is on the PATH.
  process.env = { PATH: path.join(root, 'bin'), RUNNER_PYTHON: variables.RUNNER_PYTHON };
});
afterEach(() => {
  process.env = variables;
  rmSync(root, { recursive: true });
});

/** A Python with Alembic, or without. */
function python(file: string, hasAlembic = true): string {
  const at = path.join(root, file);
  mkdirSync(path.dirname(at), { recursive: true });
  const real = hasAlembic ? needed('RUNNER_PYTHON') : `${needed('RUNNER_PYTHON')} -S`;
  writeFileSync(at, `#!/bin/sh\nexec ${real} "$@"\n`);
  chmodSync(at, 0o755);
  return at;
}

function environment(folder: string, hasAlembic = true): string {
  const interpreter = python(`${folder}/bin/python`, hasAlembic);
  writeFileSync(path.join(root, folder, 'pyvenv.cfg'), '');
  return interpreter;
}

const write = (file: string) => writeFileSync(path.join(root, file), '');
const found = (settings?: Record<string, string>) => findPython(project, settings);

it('is run by uv only if there is a uv.lock, here or in a workspace above', () => {
  python('bin/uv');
  const own = environment('repository/back/.venv');
  expect(found()).toEqual([own]);
  write('repository/back/uv.lock');
  const uv = [path.join(root, 'bin/uv'), 'run', '--project', project, 'python'];
  expect(found()).toEqual(uv);
  rmSync(path.join(project, 'uv.lock'));
  rmSync(path.join(project, '.venv'), { recursive: true });
  write('repository/uv.lock');
  expect(found()).toEqual(uv);
});

it('is that of the environment beside uv.lock if uv is missing', () => {
  write('repository/back/uv.lock');
  const own = environment('repository/back/.venv');
  expect(found()).toEqual([own]);
});

it.each(['.venv', 'venv', 'env'])('is that of %s, even if another environment is active', (folder) => {
  const own = environment(`repository/back/${folder}`);
  environment('active');
  process.env.VIRTUAL_ENV = path.join(root, 'active');
  expect(found()).toEqual([own]);
});

it.each(['VIRTUAL_ENV', 'CONDA_PREFIX'])('is that of the active environment in %s', (name) => {
  const active = environment('active');
  python('bin/python3');
  process.env[name] = path.join(root, 'active');
  expect(found()).toEqual([active]);
});

it('is never that of an active environment without Alembic, nor of the base of conda', () => {
  environment('active', false);
  environment('conda');
  const onPath = python('bin/python3');
  Object.assign(process.env, { VIRTUAL_ENV: path.join(root, 'active'), CONDA_PREFIX: path.join(root, 'conda') });
  process.env.CONDA_DEFAULT_ENV = 'base';
  expect(found()).toEqual([onPath]);
});

it('is the first one on the PATH that has Alembic', () => {
  python('bin/python3', false);
  const second = python('usr/bin/python3');
  process.env.PATH = ['bin', 'usr/bin'].map((folder) => path.join(root, folder)).join(path.delimiter);
  expect(found()).toEqual([second]);
});

it('may get Alembic from the PYTHONPATH of the settings', () => {
  const bare = python('bin/python3', false);
  const packages = execFileSync(needed('RUNNER_PYTHON'), ['-c', 'import alembic; print(alembic.__path__[0])'], {
    encoding: 'utf8',
  });
  expect(found({ PYTHONPATH: path.dirname(packages.trim()) })).toEqual([bare]);
});

it('is that of the environment that PDM names, and is started by PDM if its packages are in the project', () => {
  write('repository/back/pdm.lock');
  const own = environment('elsewhere');
  const pdm = python('bin/pdm');
  writeFileSync(path.join(project, '.pdm-python'), `${own}\n`);
  expect(found()).toEqual([own]);
  rmSync(path.join(root, 'elsewhere/pyvenv.cfg'));
  expect(found()).toEqual([pdm, 'run', '--project', project, 'python']);
});

it('is started by Pipenv if Pipenv must load the variables in .env', () => {
  write('repository/back/Pipfile');
  const own = environment('elsewhere');
  const pipenv = path.join(root, 'bin/pipenv');
  writeFileSync(pipenv, `#!/bin/sh\necho ${path.join(root, 'elsewhere')}\n`);
  chmodSync(pipenv, 0o755);
  expect(found()).toEqual([own]);
  write('repository/back/.env');
  expect(found()).toEqual([pipenv, 'run', 'python']);
});

it('is an error that lists each Python once if there is none, and says to install the missing tool', () => {
  for (const name of ['bin/python3', 'bin/python', 'shims/python3']) python(name, false);
  process.env.PATH = ['bin', 'shims'].map((folder) => path.join(root, folder)).join(path.delimiter);
  environment('active', false);
  writeFileSync(path.join(root, 'active/bin/python'), '#!/bin/sh\nexit 1\n');
  process.env.VIRTUAL_ENV = path.join(root, 'active');
  write('repository/back/poetry.lock');
  expect(found).toThrow(
    expect.objectContaining({
      code: 'python_not_found',
      message:
        `no Python with Alembic was found for ${project}: the active environment ${root}/active has no Alembic; ` +
        `poetry is not on the PATH; ${root}/bin/python3 has no Alembic`,
      next: expect.stringMatching(/^install Poetry, then the backend's dependencies with `poetry install`.*--python/),
    }),
  );
});
