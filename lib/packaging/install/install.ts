import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dependencies, requirementsText } from '../dependencies/requirement';
import type { DependencySource } from '../dependencies/source';
import { PackagingError } from '../errors';
import { type FunctionPlatform, uvPlatform } from '../platform';
import { uv } from '../uv';
import { projectWheel } from './project-wheel';

/** Installs what a source says into a folder, for the function's platform. */
export function installDependencies(
  directory: string,
  source: DependencySource,
  target: string,
  platform: FunctionPlatform,
  python: string | undefined,
): void {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  try {
    const dependencies = source.resolve(platform);
    const install = (options: readonly string[]) => uvInstall(directory, target, platform, options);
    if (!installed(source, folder, target, install)) {
      const requirements = join(folder, 'requirements.txt');
      writeFileSync(requirements, requirementsText(dependencies));
      installAll(install, target, requirements, python);
    }
    installProjects(install, dependencies, python, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** uv's own lock names every wheel: when uv has them all in its cache, there is nothing to ask an index for. */
function installed(source: DependencySource, folder: string, target: string, install: Install): boolean {
  if (!source.pylock) return false;
  const lock = join(folder, 'pylock.toml');
  writeFileSync(lock, source.pylock());
  try {
    install(['--offline', '--only-binary', ':all:', '--verify-hashes', '--requirement', lock]);
    return true;
  } catch (error) {
    if (!(error instanceof PackagingError)) throw error;
    rmSync(target, { recursive: true, force: true });
    return false;
  }
}

/** Wheels where there are some; where one is missing, uv builds it from its source, in isolation, and keeps it in its cache. */
function installAll(install: Install, target: string, requirements: string, python: string | undefined): void {
  const all = ['--verify-hashes', '--requirement', requirements];
  try {
    install(['--only-binary', ':all:', ...all]);
  } catch (error) {
    if (!(error instanceof PackagingError) || !/no usable wheels|no wheels|binary|source distribution/i.test(error.message))
      throw error;
    rmSync(target, { recursive: true, force: true });
    install([...(python ? ['--python', python] : []), ...all]);
  }
}

function installProjects(install: Install, { projects }: Dependencies, python: string | undefined, folder: string): void {
  const wheels = projects.map((project) => projectWheel(project, python, folder));
  if (wheels.length) install(['--offline', '--no-index', ...wheels]);
}

type Install = (options: readonly string[]) => void;

function uvInstall(directory: string, target: string, platform: FunctionPlatform, options: readonly string[]): void {
  const where = ['--python-platform', uvPlatform(platform), '--python-version', platform.pythonVersion, '--target', target];
  uv(directory, ['pip', 'install', '--quiet', '--no-deps', ...where, ...options]);
}
