import { MigrateError } from '../../contract/failure';
import { installation } from '../installation';
import { foldersUp } from '../settings';
import { environmentIn, executables, interpreterOf, lookInto } from './environment';
import { MANAGERS, type Manager, UV } from './managers';

/**
 * The command that starts the backend's Python: the first of these that exists:
 *
 * 1. the Python that `safe-alembic` was installed into together with Alembic;
 * 2. `uv run`, if the project has a `uv.lock`;
 * 3. the project's own virtual environment, such as `.venv`;
 * 4. the active virtual environment, or conda's (but not its base), if it has Alembic;
 * 5. the environment that Poetry, PDM or Pipenv keeps for the project elsewhere;
 * 6. the first Python on the PATH that has Alembic.
 *
 * Only `uv run` may create or install something. Throws a {@link MigrateError} that lists where it looked.
 *
 * @param project the folder with alembic.ini, from which folders are searched up to the repository's root
 * @param environment the settings' variables
 */
export function findPython(project: string, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const { python: beside } = installation();
  if (beside) return [beside];

  const env = { ...process.env, ...environment };
  const { folder, manager, interpreter } = owner(project);

  const uv = manager === UV ? executables(env.UV || UV.command, env)[0] : undefined;
  if (uv) return UV.python(project, uv, env) as readonly string[];
  if (interpreter) return [interpreter];

  const reasons: string[] = [];
  for (const tried of attempts(project, folder, manager, env)) {
    if (typeof tried !== 'string') return tried;
    reasons.push(tried);
  }
  const hasTool = manager !== undefined && executables(manager.command, env).length > 0;
  const install = `install ${hasTool || !manager ? '' : `${manager.name}, then `}the backend's dependencies${manager ? ` with \`${manager.install}\`` : ' into its .venv'}`;
  throw new MigrateError(
    'python_not_found',
    `no Python with Alembic was found for ${project}: ${reasons.join('; ')}`,
    `${install}, or pass the Python that has them with --python or the setting "python"`,
  );
}

/** Searches the places in order. Yields the command of a Python with Alembic, or the reason why a place has none. */
function* attempts(
  project: string,
  folder: string,
  manager: Manager | undefined,
  env: NodeJS.ProcessEnv,
): Generator<string | readonly string[]> {
  const seen = new Set<string>();
  function* look(python: string, name: string) {
    const { hasAlembic, packages } = lookInto(python, project, env);
    if (hasAlembic) yield [python];
    else if (!seen.has(packages)) yield `${name} has no Alembic`;
    seen.add(packages);
  }
  for (const active of activeEnvironments(env)) yield* look(interpreterOf(active), `the active environment ${active}`);
  yield manager ? managedPython(manager, folder, env) : 'it has no .venv';
  const onPath = ['python3', 'python'].flatMap((name) => executables(name, env));
  for (const python of onPath) yield* look(python, python);
  if (!onPath.length) yield 'there is no python3 on the PATH';
}

function managedPython(manager: Manager, folder: string, env: NodeJS.ProcessEnv): string | readonly string[] {
  const [tool] = executables(manager.command, env);
  if (!tool) return `${manager.command} is not on the PATH`;
  // Poetry and Pipenv would mistake an active environment for the project's.
  const inactive = { ...env, VIRTUAL_ENV: undefined, CONDA_PREFIX: undefined };
  return manager.python(folder, tool, inactive) ?? `${manager.name} has no environment for ${folder}`;
}

/** The tool that manages the project's environment, found in the nearest folder up to the repository's root. */
function owner(project: string): { readonly folder: string; readonly manager?: Manager; readonly interpreter?: string } {
  for (const folder of foldersUp(project)) {
    const manager = MANAGERS.find(({ isIn }) => isIn(folder));
    const interpreter = environmentIn(folder);
    if (manager || interpreter) return { folder, manager, interpreter: interpreter };
  }
  return { folder: project };
}

function activeEnvironments({ VIRTUAL_ENV, CONDA_PREFIX, CONDA_DEFAULT_ENV }: NodeJS.ProcessEnv): string[] {
  // Every new shell may activate conda's base, which belongs to no backend.
  const conda = CONDA_DEFAULT_ENV === 'base' ? undefined : CONDA_PREFIX;
  return [...new Set([VIRTUAL_ENV, conda])].filter((folder): folder is string => !!folder);
}
