import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PackagingError } from '../../errors';
import { hashOfJson } from '../parsing/python-json';
import { gitAddress, normalized, pinned, type Requirement } from '../parsing/requirement';
import { entryOf, readToml, type Table } from '../parsing/toml';
import { type DependencySource, incompleteLock, outdatedLock, pinsAmong, type Selection } from '../source';

const PYPI = /^https:\/\/pypi\.(?:python\.)?org\/simple\/?$/;

/** Reads Pipenv's lock: all distributions to install, by group, with their conditions. */
export function pipfileLock(directory: string, selection: Selection): DependencySource {
  const [file, pipfile] = [join(directory, 'Pipfile.lock'), join(directory, 'Pipfile')];
  const lock = readJson(file);
  const left = new Set(selection.without.map(normalized));
  const entries = ['default', ...selection.groups]
    .flatMap((group) => Object.entries<Table>(entryOf(lock, group) ?? {}))
    .filter(([name]) => !left.has(normalized(name)));
  const project = readToml(pipfile);
  const required = Object.keys(project?.packages ?? {}).map(normalized);
  const missing = required.filter(
    (name) =>
      !Object.keys(lock.default ?? {})
        .map(normalized)
        .includes(name),
  );
  const projects = entries.flatMap(([, { path }]) => (path ? [resolve(directory, path)] : []));
  const dependencies = () => ({
    requirements: entries.flatMap(([name, entry]) => requirementOf(directory, normalized(name), entry) ?? []),
    projects,
    options: sourceOptions(lock._meta?.sources ?? []),
  });
  return {
    found: `Pipfile.lock in ${directory}`,
    add: 'run "pipenv install {}"',
    run: 'pipenv run ',
    files: [file, pipfile].filter((path) => existsSync(path)),
    projects,
    errors: missing.length
      ? [incompleteLock(file, missing, pipfile, 'pipenv lock')]
      : project && !isOf(project, lock)
        ? [outdatedLock(file, pipfile, 'pipenv lock')]
        : [],
    warnings: [],
    pins: () => pinsAmong(dependencies()),
    resolve: dependencies,
  };
}

/** Sections of a Pipfile that are not groups of dependencies. */
const NO_CATEGORY = ['source', 'packages', 'dev-packages', 'requires', 'scripts', 'pipfile', 'pipenv', 'default', 'develop'];

/** The groups of a Pipfile besides `packages`. */
export function groupsOf(pipfile: Table): Table {
  const categories = Object.entries(pipfile).filter(([name]) => !NO_CATEGORY.includes(name));
  return { develop: pipfile['dev-packages'] ?? {}, ...Object.fromEntries(categories) };
}

/** Whether the lock was created for this Pipfile, by Pipenv's rules: since 2026 it normalizes the packages' names first. */
function isOf(pipfile: Table, { _meta = {} }: Table): boolean {
  if (!_meta.hash?.sha256) return true;
  const { source, requires = {}, packages = {} } = pipfile;
  const sources = source ?? [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }];
  const groups = { default: packages, ...groupsOf(pipfile) };
  const hashWith = (rename: (name: string) => string) =>
    hashOfJson({ _meta: { sources, requires }, ...mapValues(groups, (group) => mapKeys(group, rename)) }, [',', ':']);
  return [hashWith((name) => name), hashWith(normalized)].includes(_meta.hash.sha256);
}

const mapKeys = (table: Table, rename: (name: string) => string): Table =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [rename(name), value]));

const mapValues = (table: Table, change: (value: Table) => Table): Table =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]));

function requirementOf(directory: string, name: string, entry: Table): Requirement | undefined {
  if (entry.path) return undefined;
  const marker = entry.markers ? ` ; ${entry.markers}` : '';
  const hashes = entry.hashes ?? [];
  if (entry.git) {
    return { name, text: `${name} @ ${gitAddress(entry.git, entry.ref, entry.subdirectory)}${marker}`, hashes: [] };
  }
  if (entry.file) {
    const url = /^https?:/.test(entry.file) ? entry.file : `file://${resolve(directory, entry.file)}`;
    return { name, text: `${name} @ ${url}${marker}`, hashes };
  }
  return pinned(name, String(entry.version).replace(/^==/, ''), entry.markers, hashes);
}

/** Pipenv expands environment variables in an index's address. */
function sourceOptions(sources: readonly Table[]): string[] {
  return sources
    .map(({ url }) => String(url).replace(/\$\{?(\w+)\}?/g, (whole, name) => process.env[name] ?? whole))
    .filter((url) => !PYPI.test(url))
    .map((url) => `--extra-index-url ${url}`);
}

/** Throws PackagingError if it is invalid. */
export function readJson(file: string): Table {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new PackagingError('invalid_file', `${file} can't be read as JSON: ${(error as Error).message}`);
  }
}
