import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dependencies, normalized, pinned, requirementsText } from '../dependencies/parsing/requirement';
import type { DependencySource } from '../dependencies/source';
import { PackagingError } from '../errors';
import { type FunctionPlatform, tooNew, uvTarget } from '../platform';
import { UvFailed, uv } from '../uv';
import { BUILD_OPTIONS, failureOf, refuseCompiled, WITHOUT_COMPILERS } from './compiled';
import { gitFailure, notFetched } from './from-git';
import { projectWheel } from './project-wheel';
import { type BuiltWheel, refusedWheel, renamedWheel } from './renamed-wheel';

/** Source and target of an installation. */
export interface Installation {
  readonly directory: string;
  readonly source: DependencySource;
  /** The source's dependencies. */
  readonly dependencies: Dependencies;
  /** Additional requirements. */
  readonly add: readonly string[];
  readonly platform: FunctionPlatform;
  readonly python: string | undefined;
  /** A folder of wheels that the team built. */
  readonly wheels?: string | undefined;
}

/** Installs a source's dependencies into a folder, for the function's platform. Throws NeedsCompiling if a wheel is missing. */
export function installDependencies(installation: Installation, target: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const renamed = join(folder, 'renamed');
  mkdirSync(renamed);
  try {
    for (;;) {
      try {
        installWith(renamed, installation, target, folder);
        return;
      } catch (error) {
        const refused = refusedWheel(error);
        if (!refused || namesOfWheels(renamed).includes(refused.name)) throw error;
        renamedWheel(refused, (alone) => installForThisMachine(refused, installation, alone, folder), renamed);
        rmSync(target, { recursive: true, force: true });
      }
    }
  } catch (error) {
    const fromGit = notFetched(error);
    throw fromGit
      ? gitFailure(fromGit, othersNotFetched(fromGit.name, installation, folder))
      : (failureOf(error, installation.platform) ?? error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param renamed a folder of wheels that were built before */
function installWith(renamed: string, installation: Installation, target: string, folder: string): void {
  const { directory, source, dependencies, add, platform, python, wheels } = installation;
  // Builds for the function's Python. Elsewhere, a build without its compiled part is named after this machine's.
  const builder = python ? ['--python', python] : [];
  const install: Install = (options, environment) =>
    uvInstall(directory, target, platform, [...builder, ...options], environment);
  const folders = (wheels ? [wheels, renamed] : [renamed]).filter((one) => namesOfWheels(one).length);
  const built = folders.flatMap(namesOfWheels);
  const links = folders.flatMap((one) => ['--find-links', one]);
  if (built.length || !installed(source, folder, target, install)) {
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, requirementsText(withoutHashes(dependencies, built)));
    installAll(install, target, ['--no-deps', ...links, '--requirement', requirements]);
  }
  installProjects(install, dependencies, python, folder);
  if (add.length) {
    // Their indexes apply, and missing requirements of the added ones are installed too.
    const added = join(folder, 'added.txt');
    writeFileSync(added, requirementsText({ requirements: [], options: dependencies.options }));
    install([...BUILD_OPTIONS, ...links, '--requirement', added, ...add], WITHOUT_COMPILERS);
  }
  reinstallForOlderLinux(installation, target, folder);
  refuseCompiled(target, platform, built, (name, version) => hasWheel(installation, name, version, folder));
}

/** Builds a distribution without a compiler and installs it alone. Throws NeedsCompiling if it has compiled files all the same. */
function installForThisMachine(
  { name, version }: BuiltWheel,
  { directory, dependencies, platform, python }: Installation,
  target: string,
  folder: string,
): void {
  const file = join(folder, 'alone.txt');
  writeFileSync(file, lockedAlone(dependencies, name, version));
  const builder = python ? ['--python', python] : [];
  const options = [...builder, '--no-deps', '--verify-hashes', ...BUILD_OPTIONS, '--target', target, '--requirement', file];
  uv(directory, ['pip', 'install', '--quiet', ...options], WITHOUT_COMPILERS);
  refuseCompiled(target, platform, [], () => false);
}

/** The other distributions that uv can't fetch from git. */
function othersNotFetched(
  first: string | undefined,
  { directory, dependencies, platform }: Installation,
  folder: string,
): string[] {
  const fromGit = dependencies.requirements.filter(({ name, text }) => text.includes('git+') && name !== first);
  return fromGit.flatMap((requirement) => {
    const file = join(folder, 'from-git.txt');
    writeFileSync(file, requirementsText({ requirements: [requirement], options: [] }));
    try {
      const options = ['--dry-run', '--no-deps', '--requirement', file];
      uvInstall(directory, join(folder, 'from-git'), platform, options, WITHOUT_COMPILERS);
      return [];
    } catch (error) {
      if (!(error instanceof PackagingError)) throw error;
      return notFetched(error)?.name ?? [];
    }
  });
}

/** Whether the index has a wheel for the function, with a hash of the lock. */
function hasWheel({ directory, dependencies, platform }: Installation, name: string, version: string, folder: string): boolean {
  const file = join(folder, 'alone.txt');
  writeFileSync(file, lockedAlone(dependencies, name, version));
  const options = ['--dry-run', '--no-deps', '--only-binary', ':all:', '--verify-hashes', '--requirement', file];
  try {
    uvInstall(directory, join(folder, 'alone'), platform, options);
    return true;
  } catch (error) {
    if (error instanceof UvFailed && !error.isUnanswered) return false;
    throw error;
  }
}

/** A requirements file with one distribution and the hashes that the lock has for it. */
function lockedAlone({ requirements, options }: Dependencies, name: string, version: string): string {
  const hashes = requirements.filter((requirement) => requirement.name === normalized(name)).flatMap((one) => one.hashes);
  return requirementsText({ requirements: [pinned(name, version, undefined, hashes)], options });
}

/** A lock has no hashes for wheels that a team builds. */
function withoutHashes({ requirements, options }: Dependencies, names: readonly string[]) {
  const all = requirements.map((requirement) =>
    names.includes(requirement.name) ? { ...requirement, hashes: [] } : requirement,
  );
  return { requirements: all, options };
}

function namesOfWheels(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => (name.endsWith('.whl') ? normalized(name.split('-', 1)[0] as string) : []));
}

/** uv's lock names every wheel: if uv's cache has all of them, no index is queried. */
function installed(source: DependencySource, folder: string, target: string, install: Install): boolean {
  if (!source.pylock) return false;
  const lock = join(folder, 'pylock.toml');
  writeFileSync(lock, source.pylock());
  try {
    install(['--no-deps', '--offline', '--only-binary', ':all:', '--verify-hashes', '--requirement', lock]);
    return true;
  } catch (error) {
    if (!(error instanceof PackagingError)) throw error;
    rmSync(target, { recursive: true, force: true });
    return false;
  }
}

/** Prefers wheels; if one is missing, uv builds it from source in isolation and caches it. */
function installAll(install: Install, target: string, requirements: readonly string[]): void {
  const all = ['--verify-hashes', ...requirements];
  try {
    install(['--only-binary', ':all:', ...all]);
  } catch (error) {
    if (!(error instanceof PackagingError) || !/wheels|binary|source distribution/i.test(error.message)) throw error;
    rmSync(target, { recursive: true, force: true });
    install([...BUILD_OPTIONS, ...all], WITHOUT_COMPILERS);
  }
}

function installProjects(install: Install, { projects }: Dependencies, python: string | undefined, folder: string): void {
  const wheels = projects.map((project) => projectWheel(project, python, folder));
  if (wheels.length) install(['--no-deps', '--offline', '--no-index', ...wheels]);
}

/**
 * Replaces wheels that the function's Linux is too old for, if the same version has others: uv prefers the newest. Those that
 * have none stay, and the check of what is installed names them.
 */
function reinstallForOlderLinux({ directory, dependencies, platform }: Installation, target: string, folder: string): void {
  const file = join(folder, 'older-linux.txt');
  for (const [name = '', version] of tooNew(target, platform).map((unfit) => unfit.split('-'))) {
    writeFileSync(file, lockedAlone(dependencies, name, version as string));
    const options = ['--reinstall', '--no-deps', '--only-binary', ':all:', '--verify-hashes', '--requirement', file];
    try {
      uvInstall(directory, target, platform, options, undefined, true);
    } catch (error) {
      if (!(error instanceof PackagingError)) throw error;
    }
  }
}

type Install = (options: readonly string[], environment?: NodeJS.ProcessEnv) => void;

function uvInstall(
  directory: string,
  target: string,
  platform: FunctionPlatform,
  options: readonly string[],
  environment?: NodeJS.ProcessEnv,
  older = false,
): void {
  uv(directory, ['pip', 'install', '--quiet', ...uvTarget(platform, older), '--target', target, ...options], environment);
}
