import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { interpreterOf } from './environment';

/** A tool that manages the environment of a project. */
export interface Manager {
  readonly name: string;
  readonly command: string;
  /** What a person runs to create the environment. */
  readonly install: string;
  /** Whether it manages the environment of the project in a folder. */
  isIn(folder: string): boolean;
  /**
   * The command that starts Python in the environment of the project in a folder; undefined if there is none. Creates nothing.
   *
   * @param tool path of its command
   */
  python(folder: string, tool: string, env: NodeJS.ProcessEnv): readonly string[] | undefined;
}

export const UV: Manager = {
  name: 'uv',
  command: 'uv',
  install: 'uv sync',
  isIn: (folder) => has(folder, 'uv.lock'),
  python: (folder, uv) => [uv, 'run', '--project', folder, 'python'],
};

/** What a person runs until a command of {@link Manager.python} starts Python; undefined for any other command. */
export function untilItStarts([tool = '', run, option, folder]: readonly string[]): string | undefined {
  const manager = [UV, PDM].find(({ command }) => path.parse(tool).name === command);
  return manager && run === 'run' && option === '--project'
    ? `run \`${manager.install}\` in ${folder} until it works`
    : undefined;
}

const POETRY: Manager = {
  name: 'Poetry',
  command: 'poetry',
  install: 'poetry install',
  isIn: (folder) => has(folder, 'poetry.lock') || hasTable(folder, 'poetry'),
  python: (folder, poetry, env) => only(ask(poetry, ['env', 'info', '--executable'], folder, env)),
};

const PDM: Manager = {
  name: 'PDM',
  command: 'pdm',
  install: 'pdm install',
  isIn: (folder) => has(folder, 'pdm.lock', '.pdm-python') || hasTable(folder, 'pdm'),
  // Its own command `pdm info --python` creates an environment.
  python(folder, pdm) {
    const file = path.join(folder, '.pdm-python');
    const python = existsSync(file) ? lastLine(readFileSync(file, 'utf8')) : undefined;
    if (!python || !existsSync(python)) return undefined;
    const isEnvironment = existsSync(path.join(path.dirname(path.dirname(python)), 'pyvenv.cfg'));
    // The other place for packages is __pypackages__ (PEP 582), which only PDM puts on the path.
    return isEnvironment ? [python] : [pdm, 'run', '--project', folder, 'python'];
  },
};

const PIPENV: Manager = {
  name: 'Pipenv',
  command: 'pipenv',
  install: 'pipenv install --dev',
  isIn: (folder) => has(folder, 'Pipfile', 'Pipfile.lock'),
  python(folder, pipenv, env) {
    const environment = ask(pipenv, ['--venv'], folder, env);
    if (!environment) return undefined;
    // Only Pipenv loads the variables in .env. Its command creates an environment, so it runs only where there is one.
    return existsSync(path.join(folder, '.env')) ? [pipenv, 'run', 'python'] : only(interpreterOf(environment));
  },
};

export const MANAGERS = [UV, POETRY, PDM, PIPENV];

function has(folder: string, ...names: readonly string[]): boolean {
  return names.some((name) => existsSync(path.join(folder, name)));
}

/** Whether pyproject.toml has a tool's table: a library may not commit its lock. */
function hasTable(folder: string, tool: string): boolean {
  const file = path.join(folder, 'pyproject.toml');
  return existsSync(file) && new RegExp(`^\\s*\\[\\s*tool\\s*\\.\\s*${tool}\\s*[\\].]`, 'm').test(readFileSync(file, 'utf8'));
}

function only(python: string | undefined): readonly string[] | undefined {
  return python && existsSync(python) ? [python] : undefined;
}

/** The last line that a command prints; undefined if it fails. */
function ask(command: string, args: readonly string[], folder: string, env: NodeJS.ProcessEnv): string | undefined {
  const { status, stdout } = spawnSync(command, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? lastLine(stdout) : undefined;
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split(/\r?\n/).at(-1)?.trim() || undefined;
}
