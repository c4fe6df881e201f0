import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { recall, remember } from '../../cache';
import { packagePath } from '../../package-root';
import type { PackagingError } from '../errors';
import { hashGuard, hashRunner, type Package } from '../layout/package';
import { hashDependencies, projectPackage } from '../layout/project-package';
import { recallProof } from '../layout/proof-cache';
import type { FunctionPlatform } from '../platform';
import type { ProjectFindings } from './alembic-project';
import { type Backend, type BackendOptions, checkBackend, decisive } from './backend';
import { FLASK_VARIABLES, hashFiles, listFiles, listSources } from './sources';

/** What uv and Python reported about a backend, cached until something changes. */
interface Known {
  readonly hash: string;
  readonly found: string;
  readonly warnings: readonly string[];
  /** Files and projects outside of the backend's directory, and their hash at that time. */
  readonly outside: { readonly files: readonly string[]; readonly projects: readonly string[]; readonly hash: string };
}

/** A checked backend and its package. */
export interface CheckedBackend extends ProjectFindings {
  /** What was found, for a message. */
  readonly found?: string;
  package(): Package;
}

/** Checks a backend and determines its package. For an unchanged backend, uses the cached result without starting a process. */
export function backendPackage(
  directory: string,
  options: BackendOptions,
  platform: FunctionPlatform,
  isPackaged: boolean,
): CheckedBackend {
  const read = listFiles(directory, isGenerated);
  const entry = `${keyOf(directory, read, options, platform)}.json`;
  const check = () => checkBackend(directory, options, platform.pythonVersion, isPackaged);
  const known = parse(recall(entry));
  if (known && hashDependencies(known.outside) === known.outside.hash) {
    const { hash, found, warnings } = known;
    const packaged = () => {
      const { project, errors } = check();
      // Since synthesis began, a file changed, or uv is gone.
      return project ? projectPackage(project, platform) : fail(errors);
    };
    const build = (target: string) => packaged().build(target);
    const prove = (target: string) => recallProof({ ...options, hash, directory }) ?? packaged().prove(target);
    return { errors: [], warnings, found, package: () => ({ hash, warnings: [], build, prove }) };
  }
  const { project, errors, warnings, isUnchecked } = check();
  if (!project) return { errors, warnings, package: () => fail(errors) };
  const found = describe(project);
  return {
    errors,
    warnings,
    found,
    package: () => {
      const packaged = projectPackage(project, platform);
      const all = listSources(directory, project.paths, options.exclude).every((source) => read.includes(source));
      // Warnings about this machine must be repeated.
      if (all && isPackaged && !isUnchecked && !packaged.warnings.length) {
        remember(entry, JSON.stringify({ hash: packaged.hash, found, warnings, outside: outsideOf(project) } satisfies Known));
      }
      return packaged;
    },
  };
}

function fail([error]: readonly PackagingError[]): never {
  throw error;
}

function describe({ source, config }: Backend): string {
  return `packaged ${source.found}, with Alembic's ${config}`;
}

function outsideOf({ directory, source }: Backend): Known['outside'] {
  const isOutside = (path: string) => !path.startsWith(`${directory}/`);
  const outside = { files: source.files.filter(isOutside), projects: source.projects.filter(isOutside) };
  return { ...outside, hash: hashDependencies(outside) };
}

/** Whether a folder is generated: reading it would take longer than starting uv. */
function isGenerated(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.')) return name !== FLASK_VARIABLES;
  return ['__pycache__', 'node_modules', 'cdk.out', 'venv', 'site-packages'].includes(name);
}

function keyOf(directory: string, files: readonly string[], options: BackendOptions, platform: FunctionPlatform): string {
  const scripts = listFiles(packagePath('lib', 'packaging')).filter((file) => file.endsWith('.py'));
  const { environment, databaseVariables, hasUnknownVariables, isAssumed, ...others } = options;
  const what = [
    directory,
    hashFiles(directory, files),
    others,
    decisive(options),
    platform,
    hashRunner(),
    hashGuard(),
    hashFiles(packagePath('lib', 'packaging'), scripts),
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
