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

/** Prints whether Alembic is there. A folder `alembic` with migrations is not the package, and has no origin. */
const LOOK = `
import json, sys
from importlib.machinery import PathFinder
spec = PathFinder.find_spec("alembic", [entry for entry in sys.path if entry])
has = spec is not None and spec.origin is not None
print(json.dumps({"hasAlembic": has, "packages": f"{sys.prefix} {sys.version_info[:2]}"}))
`;

/** Whether an interpreter runs and has Alembic, and which packages it has: several commands may start the same Python. */
export interface Look {
  readonly hasAlembic: boolean;
  readonly packages: string;
}

/** Does not import Alembic. */
export function lookInto(python: string, project: string, env: NodeJS.ProcessEnv): Look {
  const { status, stdout } = spawnSync(python, ['-c', LOOK], {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? JSON.parse(stdout) : { hasAlembic: false, packages: python };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
