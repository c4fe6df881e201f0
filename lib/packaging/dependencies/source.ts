import { basename, dirname } from 'node:path';
import { PackagingError } from '../errors';
import type { FunctionPlatform } from '../platform';
import type { Dependencies } from './parsing/requirement';

/** Which of the project's dependencies a package needs. */
export interface Selection {
  readonly groups: readonly string[];
  readonly extras: readonly string[];
  readonly without: readonly string[];
  /**
   * Requirements to install in addition, such as `psycopg2-binary==2.9.10`; they replace distributions with the same modules.
   */
  readonly add: readonly string[];
  /** Requirements files, relative to the directory, if the project names them. */
  readonly requirements: readonly string[];
  /** A folder of wheels that the team built; absolute. */
  readonly wheels?: string | undefined;
}

/** The source of a project's dependencies. */
export interface DependencySource {
  /** What was found, for a message: `uv.lock of the workspace ../app`. */
  readonly found: string;
  /** How to add the distribution `{}`, such as `run "uv add {}" in ../app`. */
  readonly add: string;
  /** The prefix of a command in the project's environment, such as `uv run `. */
  readonly run: string;
  /** Absolute paths of the files that determine what is installed. */
  readonly files: readonly string[];
  /** Absolute paths of directories whose code is installed. */
  readonly projects: readonly string[];
  readonly errors: readonly PackagingError[];
  readonly warnings: readonly string[];
  /** Compares the lock with the project, if only a process can: an error if it is outdated, a warning if that is unknown. */
  readonly checkLock?: (python: string | undefined) => { readonly error?: PackagingError; readonly warning?: string };
  /** The versions that it pins, as lines of a requirements file with the index's options, if its files list no wheels. */
  readonly pins?: () => readonly string[];
  /** What to install. May start uv and query an index. */
  resolve(platform: FunctionPlatform): Dependencies;
  /** The lock in a format that uv installs without querying an index; undefined if there is none. */
  readonly pylock?: () => string;
}

/** The error for a lock that does not match the project's dependencies. `command` recreates it, such as `poetry lock`. */
export function outdatedLock(lock: string, project: string, command: string): PackagingError {
  const text = `${lock} is older than ${project}: the dependencies have changed since. Run "${command}" in ${dirname(lock)}`;
  return new PackagingError('outdated_lock', text);
}

/** The error for a lock without some of the project's dependencies. `command` adds them, such as `poetry lock`. */
export function incompleteLock(lock: string, missing: readonly string[], project: string, command: string): PackagingError {
  const text = `${lock} does not have ${missing.join(', ')}, which ${basename(project)} requires: run "${command}" in ${dirname(lock)}`;
  return new PackagingError('outdated_lock', text);
}

/** The warning for a lock that this machine could not compare with the project. `command` does that. */
export function uncheckedLock(lock: string, command: string): string {
  return `this machine could not check whether ${lock} is up to date: run "${command}" in ${dirname(lock)}`;
}

/** Requirements with exactly one version. */
export function pinsAmong({ requirements, options }: Pick<Dependencies, 'requirements' | 'options'>): string[] {
  const pins = requirements.filter(({ text }) => /^[^@]*==\s*[^\s*,;]+\s*(?:;.*)?$/.test(text)).map(({ text }) => text);
  const indexes = options.filter((option) => /^(?:-i|-f|--index-url|--extra-index-url|--find-links)\b/.test(option));
  return pins.length ? [...indexes, ...pins] : [];
}
