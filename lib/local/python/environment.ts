import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

/** Usual names of a virtual environment's folder. */
const FOLDERS = ['.venv', 'venv', 'env'];

/** The interpreter of the virtual environment in a project's folder, if it has one. */
export function environmentIn(folder: string): string | undefined {
  const found = FOLDERS.find((name) => existsSync(path.join(folder, name, 'pyvenv.cfg')));
  return found && interpreterOf(path.join(folder, found));
}

/** The interpreter of an environment that venv, virtualenv or uv made. */
export function interpreterOf(environment: string): string {
  return process.platform === 'win32' ? path.join(environment, 'Scripts', 'python.exe') : path.join(environment, 'bin', 'python');
}

/** Files of a name on the PATH that can be run, or the one that a path names. */
export function executables(name: string, env: NodeJS.ProcessEnv): string[] {
  const folders = name === path.basename(name) ? (env.PATH ?? '').split(path.delimiter).filter(Boolean) : [''];
  const file = process.platform === 'win32' && !path.extname(name) ? `${name}.exe` : name;
  return [...new Set(folders)].map((folder) => path.resolve(folder, file)).filter(isExecutable);
}

/** Python code that fails without Alembic. A folder `alembic` with migrations is not the package, and has no origin. */
const HAS_ALEMBIC = `
import sys
from importlib.machinery import PathFinder
spec = PathFinder.find_spec("alembic", [entry for entry in sys.path if entry])
sys.exit(spec is None or spec.origin is None)
`;

/** Whether an interpreter runs and has Alembic. Does not import it. */
export function hasAlembic(python: string, project: string, env: NodeJS.ProcessEnv): boolean {
  return spawnSync(python, ['-c', HAS_ALEMBIC], { cwd: project, env, stdio: 'ignore' }).status === 0;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
