import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../package-root';
import { checkAlembicProject, type ProjectFindings } from './alembic-project';
import { hashRunner, type Package } from './package';
import type { FunctionPlatform } from './platform';
import { hashFiles, listFiles, listSources } from './sources';
import { uvProjectPackage, uvProjectProblems } from './uv-project';

/** What was found out about a backend by starting uv and Python; as long as nothing has changed it need not be found out again. */
interface Known {
  readonly paths: readonly string[];
  readonly hash: string;
}

/** A backend that uv manages, checked; `package` tells what it becomes. */
export interface UvProject extends ProjectFindings {
  package(): Package;
}

const FORGET_AFTER_MS = 30 * 24 * 60 * 60 * 1000;

/** Checks a backend and knows its package; of an unchanged one from the last time, without starting a process. */
export function uvProject(
  directory: string,
  exclude: readonly string[],
  platform: FunctionPlatform,
  isPackaged: boolean,
): UvProject {
  const read = listFiles(directory, isOfNoProject);
  const file = join(cacheDirectory(), `${keyOf(directory, read, exclude, platform)}.json`);
  const known = recall(file);
  if (known) {
    const build = (target: string) => uvProjectPackage(directory, known.paths, exclude, platform).build(target);
    return { errors: [], warnings: [], paths: known.paths, package: () => ({ hash: known.hash, warnings: [], build }) };
  }
  const found = checkAlembicProject(directory);
  // `cdk list` and `cdk destroy` package nothing and need no uv.
  const errors = [...found.errors, ...(isPackaged ? uvProjectProblems(directory) : [])];
  return {
    ...found,
    errors,
    package: () => {
      const built = uvProjectPackage(directory, found.paths, exclude, platform);
      const all = listSources(directory, found.paths, exclude).every((source) => read.includes(source));
      // A warning is about this machine, and has to come again.
      if (all && isPackaged && ![...found.warnings, ...built.warnings].length)
        remember(file, { paths: found.paths, hash: built.hash });
      return built;
    },
  };
}

/** Folders that are made from others: to read them would take longer than to start uv. */
function isOfNoProject(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.startsWith('.') || ['__pycache__', 'node_modules', 'cdk.out', 'venv', 'site-packages'].includes(name);
}

function keyOf(directory: string, files: readonly string[], exclude: readonly string[], platform: FunctionPlatform): string {
  const reader = hashFiles(packagePath('lib', 'packaging'), ['alembic_project.py']);
  const what = [
    directory,
    hashFiles(directory, files),
    exclude,
    platform,
    hashRunner(),
    reader,
    packageVersion(),
    process.env.UV ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

function packageVersion(): string {
  return JSON.parse(readFileSync(packagePath('package.json'), 'utf8')).version;
}

function cacheDirectory(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const ofSystem =
    process.platform === 'win32' ? LOCALAPPDATA : process.platform === 'darwin' && join(homedir(), 'Library', 'Caches');
  return join(XDG_CACHE_HOME || ofSystem || join(homedir(), '.cache'), 'cdk-alembic');
}

function recall(file: string): Known | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Known;
  } catch {
    return undefined;
  }
}

/** Written beside and moved into place: whoever reads meanwhile finds nothing or all of it. A cache that can't be written is none. */
function remember(file: string, known: Known): void {
  try {
    mkdirSync(cacheDirectory(), { recursive: true });
    forgetOld(cacheDirectory());
    const written = `${file}.${process.pid}`;
    writeFileSync(written, JSON.stringify(known));
    renameSync(written, file);
  } catch {
    // The next synth finds it out again.
  }
}

function forgetOld(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > FORGET_AFTER_MS) rmSync(path, { force: true });
  }
}
