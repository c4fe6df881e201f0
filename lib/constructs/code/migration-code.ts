import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { BACKEND_DIRECTORY } from '../../contract';
import { directoryPackage, layoutProblems } from '../../packaging/layout/directory';
import { checkAlembicProject } from '../../packaging/project/alembic-project';
import { backendPackage } from '../../packaging/project/known-project';
import { preferredPython } from '../../packaging/project/python-version';
import { checkArgument, checkTypes, oneOf, optional, type PropTypes, text, textByName, texts } from '../function/prop-types';
import { adding, type CodeBinding } from './bound-code';
import { imageCode, type MigrationImageOptions } from './image-code';
import { zipCode } from './zip-code';

/** The part of a backend's dependencies to package. */
export enum PackageOnly {
  /**
   * The distributions that are loaded with `env.py` and the revisions, those that a function may import that they call, small
   * requirements of these, everything in `add`, and the PostgreSQL drivers. If the backend can't be loaded at synth, also what
   * all functions of its modules import, and all requirements. The package is loaded before it ships. If a revision imports
   * something else when it runs, its error names what to `add`.
   */
  IMPORTED = 'imported',
}

/** Options of {@link MigrationCode.fromProject}. */
export interface ProjectOptions {
  /**
   * Alembic's configuration, relative to the directory: an `alembic.ini`, or a `pyproject.toml` with `[tool.alembic]`.
   *
   * @default - `alembic.ini`, `[tool.alembic]` in `pyproject.toml` or `migrations/alembic.ini`; else the only `alembic.ini`
   */
  readonly alembicConfig?: string;

  /**
   * Requirements files to install instead of the lock, relative to the directory.
   *
   * @default - the lock; without one, `requirements.txt` or `requirements/requirements.txt`, `production.txt`, `prod.txt`, `main.txt`, `base.txt`
   */
  readonly requirements?: string[];

  /**
   * Groups of dependencies to package besides the main one, such as those of `[dependency-groups]`.
   *
   * @default - none
   */
  readonly groups?: string[];

  /**
   * Extras (optional dependencies) of the backend to package.
   *
   * @default - none
   */
  readonly extras?: string[];

  /**
   * Distributions that migrations do not need, such as `torch`. With a lock, packages that only they require are left out too. A
   * name that nothing requires is a warning.
   *
   * @default - none
   */
  readonly without?: string[];

  /**
   * Requirements to install in addition or instead of the locked version, such as `psycopg2-binary==2.9.10`, with everything that they
   * require. A lock has no hashes for them.
   *
   * @default - none
   */
  readonly add?: string[];

  /**
   * Package only a part of the dependencies: a migration imports little of a large backend.
   *
   * @default - all of them
   */
  readonly only?: PackageOnly;

  /**
   * A folder, relative to the directory, of wheels that the team built for the function's platform. They are used for the
   * distributions with their names.
   *
   * @default - none
   */
  readonly wheels?: string;

  /**
   * More files of the directory to exclude: names (`*.csv`, at any depth) or paths from the directory (`data/seed`).
   * The folders that Alembic reads are always included.
   *
   * @default - caches, locks, logs, names that start with a dot, virtual environments, and `tests` and `test` at the top are left out
   */
  readonly exclude?: string[];
}

const PROJECT_OPTIONS: PropTypes<ProjectOptions> = {
  alembicConfig: optional(text),
  requirements: optional(texts),
  groups: optional(texts),
  extras: optional(texts),
  without: optional(texts),
  add: optional(texts),
  only: optional(oneOf('PackageOnly', PackageOnly)),
  wheels: optional(text),
  exclude: optional(texts),
};

const IMAGE_OPTIONS: PropTypes<MigrationImageOptions> = {
  file: optional(text),
  target: optional(text),
  buildArgs: optional(textByName),
  alembicDirectory: optional(text),
};

/** The backend's Alembic project, as the function's code. */
export class MigrationCode {
  /**
   * A backend's development directory: it contains the Alembic project and declares its dependencies with `uv.lock` (there, or
   * at the root of the workspace above), `poetry.lock`, `pdm.lock`, `pylock.toml`, `Pipfile.lock`, `requirements.txt` or
   * `pyproject.toml`. It becomes a zip, without Docker: the dependencies for the function's platform (including workspace
   * members and path dependencies), the backend's own source and the runner. The machine needs only uv.
   *
   * @param directory Path of the backend.
   */
  static fromProject(directory: string, options: ProjectOptions = {}): MigrationCode {
    checkArgument('MigrationCode.fromProject', 'directory', directory, text);
    checkTypes('MigrationCode.fromProject', options, PROJECT_OPTIONS);
    const path = resolve(directory);
    const { alembicConfig, requirements = [], groups = [], extras = [], without = [], add = [], exclude = [] } = options;
    const wheels = options.wheels === undefined ? undefined : resolve(path, options.wheels);
    const all = {
      alembicConfig,
      requirements,
      groups,
      extras,
      without,
      add,
      wheels,
      exclude,
      onlyImported: options.only === PackageOnly.IMPORTED,
    };
    const binding = zipCode({
      directory: path,
      check: (scope, { platform, ...loadedWith }) =>
        backendPackage(path, { ...all, ...loadedWith }, platform, Stack.of(scope).bundlingRequired),
    });
    return new MigrationCode(adding({ groups, extras, without, add }, binding), path, requirements);
  }

  /**
   * A directory that your own build lays out: `backend/` (the Alembic project and the sources it imports) and
   * `site-packages/` (its dependencies for the function's platform, including Alembic). The runner is added.
   *
   * @param directory Path of that directory.
   */
  static fromDirectory(directory: string): MigrationCode {
    checkArgument('MigrationCode.fromDirectory', 'directory', directory, text);
    const path = resolve(directory);
    return new MigrationCode(
      zipCode({
        directory: path,
        check: (_, { platform, ...loadedWith }) => {
          const errors = layoutProblems(path);
          if (errors.length) return { errors, warnings: [] };
          const { alembic, ...found } = checkAlembicProject(join(path, BACKEND_DIRECTORY));
          return alembic ? { ...found, package: () => directoryPackage(path, alembic, platform, loadedWith) } : found;
        },
      }),
      join(path, BACKEND_DIRECTORY),
    );
  }

  /**
   * A container image, for backends larger than Lambda's limit for zips. The Dockerfile starts from
   * `public.ecr.aws/lambda/python`, lays out `backend/` and `site-packages/` in `${LAMBDA_TASK_ROOT}` and copies the runner
   * from the build context `cdk-alembic`: `COPY --from=cdk-alembic . ${LAMBDA_TASK_ROOT}/`. The construct sets the command.
   *
   * @param directory Docker's build directory.
   */
  static fromImage(directory: string, options: MigrationImageOptions = {}): MigrationCode {
    checkArgument('MigrationCode.fromImage', 'directory', directory, text);
    checkTypes('MigrationCode.fromImage', options, IMAGE_OPTIONS);
    return new MigrationCode(imageCode(resolve(directory), options), resolve(directory));
  }

  /** @internal */
  readonly _bind: CodeBinding;

  /**
   * The Python version that the code targets, such as `3.13`.
   *
   * @internal
   */
  readonly _pythonVersion: () => string;

  private constructor(binding: CodeBinding, directory: string, requirements: readonly string[] = []) {
    this._bind = binding;
    this._pythonVersion = () => preferredPython(directory, requirements);
  }
}
