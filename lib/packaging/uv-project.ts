import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../contract';
import { compileBytecode } from './bytecode';
import { PackagingError } from './errors';
import { writeManifest } from './manifest';
import { checkSize, copyRunner, hashPackage, type Package } from './package';
import { type FunctionPlatform, tooNew, uvPlatform } from './platform';
import { prune } from './prune';
import { reachedModules } from './reached';
import { copyFiles, hashFiles, listSources } from './sources';
import { findPython, hasUv, uv, uvMissing } from './uv';

/** Why a project can't be packaged by uv; empty when it can be tried. */
export function uvProjectProblems(directory: string): string[] {
  const problems: string[] = [];
  if (!existsSync(join(directory, 'uv.lock'))) {
    problems.push(`${directory} has no uv.lock, so the versions to package are not known: run "uv lock" in ${directory}`);
  }
  if (!hasUv()) problems.push(uvMissing());
  return problems;
}

/** The package of a backend that uv manages: locked dependencies for the function's platform, sources, runner, bytecode. */
export function uvProjectPackage(
  directory: string,
  alembicPaths: readonly string[],
  exclude: readonly string[],
  platform: FunctionPlatform,
): Package {
  const python = findPython(directory, platform.pythonVersion);
  const sources = listSources(directory, alembicPaths, exclude);
  return {
    hash: hashPackage(platform, {
      // It may be missing when nothing is to be packaged, as for `cdk list`.
      lock: hashFiles(
        directory,
        ['uv.lock'].filter((file) => existsSync(join(directory, file))),
      ),
      sources: hashFiles(directory, sources),
      bytecode: String(python !== undefined),
    }),
    warnings: python ? [] : [withoutBytecode(platform.pythonVersion)],
    build: (target) => {
      const dependencies = join(target, DEPENDENCIES_DIRECTORY);
      installDependencies(directory, dependencies, platform);
      copyFiles(directory, sources, join(target, BACKEND_DIRECTORY));
      const runner = copyRunner(target);
      writeManifest(target, sources);
      const reached = reachedModules(directory, alembicPaths, dependencies).map((file) => `${DEPENDENCIES_DIRECTORY}/${file}`);
      prune(dependencies);
      const files = [...runner, ...sources.map((file) => `${BACKEND_DIRECTORY}/${file}`), ...reached].filter(
        (file) => /\.py$/.test(file) && existsSync(join(target, file)),
      );
      if (python) compileBytecode({ python, pythonVersion: platform.pythonVersion }, target, files);
      checkSize(target, directory);
    },
  };
}

function withoutBytecode(version: string): string {
  return (
    `this machine has no Python ${version} to compile the package with, so the function starts about a second slower: ` +
    `"uv python install ${version}" mends it`
  );
}

function installDependencies(directory: string, target: string, platform: FunctionPlatform): void {
  try {
    // A lock names every wheel: when uv has them all, there is nothing to ask an index for.
    installLocked(directory, target, platform, 'pylock.toml', ['--offline']);
  } catch {
    rmSync(target, { recursive: true, force: true });
    installLocked(directory, target, platform, 'requirements.txt', []);
  }
  if (!existsSync(join(target, 'alembic'))) {
    throw new PackagingError(
      'no_alembic',
      `the locked dependencies of ${directory} hold no Alembic outside of the dev group: run "uv add alembic" there`,
    );
  }
  const unfit = tooNew(target, platform);
  if (unfit.length) {
    throw new PackagingError(
      'wrong_platform',
      `${unfit.join(', ')} can't run on Lambda's Python ${platform.pythonVersion}, whose Linux is too old: use Python 3.12 or later`,
    );
  }
}

function installLocked(
  directory: string,
  target: string,
  platform: FunctionPlatform,
  format: 'pylock.toml' | 'requirements.txt',
  options: readonly string[],
): void {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const requirements = join(folder, format);
  try {
    const quiet = ['--quiet', '--no-header', '--no-annotate', '--format', format];
    uv(directory, ['export', '--frozen', '--no-dev', '--no-emit-project', ...quiet, '--output-file', requirements]);
    // The hashes of the export are checked. Requiring them would make uv refuse the project's own constraint-dependencies.
    const wheels = ['--only-binary', ':all:', '--verify-hashes', '--no-deps'];
    const where = ['--python-platform', uvPlatform(platform), '--python-version', platform.pythonVersion, '--target', target];
    uv(directory, ['pip', 'install', '--quiet', ...options, ...wheels, ...where, '--requirement', requirements]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
