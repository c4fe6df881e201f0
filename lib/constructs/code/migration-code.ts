import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { BACKEND_DIRECTORY } from '../../contract';
import { checkAlembicProject } from '../../packaging/alembic-project';
import { directoryPackage, layoutProblems } from '../../packaging/directory';
import { uvProject } from '../../packaging/known-project';
import type { CodeBinding } from './bound-code';
import { imageCode } from './image-code';
import { zipCode } from './zip-code';

/** Options of {@link MigrationCode.fromUvProject}. */
export interface UvProjectOptions {
  /**
   * What else of the directory to leave out: names (`*.csv`, at any depth) or paths from the directory (`data/seed`).
   * The folders that Alembic reads are never left out.
   *
   * @default - caches, names that start with a dot, virtual environments, and `tests` and `test` at the top are left out
   */
  readonly exclude?: string[];
}

/** Options of {@link MigrationCode.fromImage}. */
export interface MigrationImageOptions {
  /**
   * The Dockerfile, relative to the directory.
   *
   * @default 'Dockerfile'
   */
  readonly file?: string;

  /**
   * The Dockerfile's stage to build.
   *
   * @default - the last one
   */
  readonly target?: string;

  /**
   * Build arguments. They can be read from the image: no secrets.
   *
   * @default - none
   */
  readonly buildArgs?: { [name: string]: string };

  /**
   * The folder of the Alembic project, relative to the directory; its revisions are checked at synth.
   *
   * @default '.'
   */
  readonly alembicDirectory?: string;
}

/** The backend's Alembic project, as the function's code. */
export class MigrationCode {
  /**
   * A backend that uv manages: the directory holds `pyproject.toml`, `uv.lock` and the Alembic project. It becomes a zip, without
   * Docker: the locked dependencies (without the dev group) as wheels for the function's platform, the backend's own source and the
   * runner. Every dependency must have such a wheel; workspace members and path dependencies have none.
   *
   * @param directory Path of the backend.
   */
  static fromUvProject(directory: string, options: UvProjectOptions = {}): MigrationCode {
    const path = resolve(directory);
    return new MigrationCode(
      zipCode({
        directory: path,
        check: (scope, platform) => uvProject(path, options.exclude ?? [], platform, Stack.of(scope).bundlingRequired),
      }),
    );
  }

  /**
   * A directory that the user's own build has laid out: `backend/` (the Alembic project and the sources it imports) and
   * `site-packages/` (its dependencies for the function's platform, Alembic among them). The runner is added.
   *
   * @param directory Path of that directory.
   */
  static fromDirectory(directory: string): MigrationCode {
    const path = resolve(directory);
    return new MigrationCode(
      zipCode({
        directory: path,
        check: (_, platform) => {
          const errors = layoutProblems(path);
          const found = errors.length ? { errors, warnings: [], paths: [] } : checkAlembicProject(join(path, BACKEND_DIRECTORY));
          return { ...found, package: () => directoryPackage(path, platform) };
        },
      }),
    );
  }

  /**
   * A container image, for backends over Lambda's limit for zips. The Dockerfile starts from `public.ecr.aws/lambda/python`, lays
   * out `backend/` and `site-packages/` in `${LAMBDA_TASK_ROOT}` and takes the runner from the build context `cdk-alembic`:
   * `COPY --from=cdk-alembic . ${LAMBDA_TASK_ROOT}/`. The command is set here.
   *
   * @param directory Docker's build directory.
   */
  static fromImage(directory: string, options: MigrationImageOptions = {}): MigrationCode {
    return new MigrationCode(imageCode(resolve(directory), options));
  }

  /** @internal */
  readonly _bind: CodeBinding;

  private constructor(binding: CodeBinding) {
    this._bind = binding;
  }
}
