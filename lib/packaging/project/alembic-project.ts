import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { packagePath } from '../../package-root';
import { option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { findPython } from '../uv';
import { findAlembicConfig } from './alembic-config';

interface Head {
  readonly revision: string;
  readonly file: string;
  readonly labeled: boolean;
}

/** Facts of an Alembic project, from lib/packaging/alembic_project.py. */
export interface AlembicProject {
  readonly problems: readonly Pick<PackagingError, 'code' | 'text'>[];
  /** A folder above the project's, to which the location of the scripts is relative. */
  readonly above?: string;
  /** The scripts that are found from there, relative to the folder of the configuration. */
  readonly scripts?: string;
  /** Alembic's working directory, relative to the project's directory. */
  readonly folder?: string;
  /** Absolute paths of the folders that Alembic reads. */
  readonly paths: readonly string[];
  /** The folder of the scripts in site-packages, if a dependency has them. */
  readonly installed?: string;
  /** Null: could not be determined by reading. */
  readonly revisions: { readonly count: number; readonly heads: readonly Head[] } | null;
}

/** Reads the Alembic project of a directory; undefined without Python 3.11 or later on this machine. */
export function readAlembicProject(directory: string, config = findAlembicConfig(directory)): AlembicProject | undefined {
  const readBy = (python: string | undefined) => python && read(python, directory, config);
  // uv is the slowest to answer.
  return readBy('python3') || readBy('python') || readBy(findPython(directory, '>=3.11')) || undefined;
}

function read(python: string, directory: string, config: string): AlembicProject | undefined {
  const script = packagePath('lib', 'packaging', 'alembic_project.py');
  // The script requires tomllib, which was added in 3.11: an older Python fails here.
  const run = spawnSync(python, ['-I', '-S', script, directory, config], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return run.status === 0 ? (JSON.parse(run.stdout) as AlembicProject) : undefined;
}

/** The location of a project's Alembic. */
export interface AlembicFolders {
  /** Its configuration, relative to the project's directory. */
  readonly config: string;
  /** Alembic's working directory, relative to the project's directory: its relative paths start there. */
  readonly folder: string;
  /** Absolute paths of the folders that it reads. */
  readonly paths: readonly string[];
  /** The folder of the scripts in site-packages, if a dependency has them. */
  readonly installed?: string | undefined;
}

export interface ProjectFindings {
  readonly errors: readonly PackagingError[];
  readonly warnings: readonly string[];
}

/**
 * Warnings and errors of a project before it is packaged. `run` is the prefix of commands in its environment, such as `uv run
 * `; `files` determine what is installed.
 */
export function checkAlembicProject(
  directory: string,
  named?: string,
  run = '',
  files: readonly string[] = [],
): ProjectFindings & ({ readonly alembic?: undefined } | { readonly alembic: AlembicFolders }) {
  let config: string;
  try {
    config = findAlembicConfig(directory, named);
  } catch (error) {
    if (error instanceof PackagingError) return { errors: [error], warnings: [] };
    throw error;
  }
  const project = readAlembicProject(directory, config);
  if (!project) {
    const unread = `no Python 3.11 or later was found to check the revisions of ${directory} with: the function checks them when it runs`;
    return { errors: [], warnings: [unread], alembic: { config, folder: '.', paths: [] } };
  }
  const { folder = '.', paths, installed, revisions } = project;
  const next = project.above && calledAbove(project.above, `${project.scripts}`, directory, config, files);
  const errors = project.problems.map(({ code, text }) => new PackagingError(code, next ? `${text}: ${next}` : text));
  const warnings: string[] = [];
  if (revisions && revisions.heads.length > 1 && !revisions.heads.every(({ labeled }) => labeled)) {
    errors.push(severalHeads(directory, config, revisions.heads, run));
  }
  if (revisions?.count === 0 && !errors.length) {
    warnings.push(`${paths.slice(1).join(', ')} has no revisions yet: the deploy migrates nothing`);
  }
  return { errors, warnings, alembic: { config, folder, paths, installed } };
}

/** The next step for a project whose Alembic is called in a folder above. */
function calledAbove(above: string, scripts: string, directory: string, config: string, files: readonly string[]): string {
  // A lock belongs to its own folder.
  const isLocked = files[0] !== undefined && !isUnlocked(files[0]);
  return isLocked
    ? `set "script_location = %(here)s/${scripts}" there, which is right from everywhere`
    : `pass ${above}, ${optionsFrom(above, directory, config, files)}`;
}

/** The options with which a folder above a project is packaged instead. */
export function optionsFrom(folder: string, directory: string, config: string, files: readonly string[]): string {
  const own = files.filter(isUnlocked).map((file) => relative(folder, file));
  // Those that are found there anyway have no folder.
  const requirements = own.slice(0, 1).filter((file) => file.includes('/'));
  const also = requirements.map((file) => ` and ${option('requirements', [file])}`).join('');
  return `with ${option('alembicConfig', relative(folder, join(directory, config)))}${also}`;
}

/** Whether a file that determines what is installed may be named in `requirements`. */
export function isUnlocked(file: string): boolean {
  return /\.txt$|pyproject\.toml$/.test(file);
}

function severalHeads(directory: string, config: string, heads: readonly Head[], run: string): PackagingError {
  const names = heads.map(({ revision, file }) => `${revision} (${file})`).join(', ');
  const option = ['alembic.ini', 'pyproject.toml'].includes(config) ? '' : `-c ${config} `;
  const ids = heads.map(({ revision }) => revision).join(' ');
  return new PackagingError(
    'invalid_revisions',
    `the migrations in ${directory} have ${heads.length} heads: ${names}. ` +
      `Merge them there with "${run}alembic ${option}merge -m 'merge heads' ${ids}", or label each branch if they are intended`,
  );
}
