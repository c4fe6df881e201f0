import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { forgetOld, recall, remember } from '../cache';
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

/** Checks a backend and knows its package; of an unchanged one from the last time, without starting a process. */
export function uvProject(
  directory: string,
  exclude: readonly string[],
  platform: FunctionPlatform,
  isPackaged: boolean,
): UvProject {
  const read = listFiles(directory, isOfNoProject);
  const entry = `${keyOf(directory, read, exclude, platform)}.json`;
  const known = parse(recall(entry));
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
      if (all && isPackaged && ![...found.warnings, ...built.warnings].length) {
        remember(entry, JSON.stringify({ paths: found.paths, hash: built.hash } satisfies Known));
        forgetOld();
      }
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
  const reader = hashFiles(packagePath('lib', 'packaging'), ['alembic_project.py', 'compile.py']);
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

function parse(entry: Buffer | undefined): Known | undefined {
  try {
    return entry && (JSON.parse(entry.toString('utf8')) as Known);
  } catch {
    return undefined;
  }
}
