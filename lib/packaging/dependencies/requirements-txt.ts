import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PackagingError } from '../errors';
import { compileRequirements } from './compile';
import { normalized } from './parsing/requirement';
import { parseRequirements, type RequirementsFile, readRequirementsFile } from './parsing/requirements-file';
import { type DependencySource, pinsAmong, type Selection } from './source';
import { declared, PROJECT_FILES } from './unlocked';

/** Reads pip's requirements files. A pyproject.toml, setup.py or setup.cfg among them stands for its project. */
export function requirementsTxt(directory: string, names: readonly string[], selection: Selection): DependencySource {
  const files = names.map((name) => resolve(directory, name));
  const missing = files.filter((file) => !existsSync(file));
  const read = files.filter((file) => !missing.includes(file)).map(readFile);
  const included = [...new Set(read.flatMap((file) => file.files))];
  const absent = new Set([...missing, ...included.filter((file) => !existsSync(file))]);
  const requirements = read.flatMap((file) => file.requirements);
  const ofProjects = files.filter(isProject).flatMap((file) => declared(dirname(file), basename(file)).requirements);
  const loose = [...requirements, ...ofProjects].filter(({ text }) => !/==|@/.test(text)).map(({ name }) => name);
  const isHashed = requirements.length > 0 && !ofProjects.length && requirements.every(({ hashes }) => hashes.length);
  return {
    found: `${names.join(', ')} in ${directory}`,
    add: `add {} to ${join(directory, names[0] ?? 'requirements.txt')}`,
    run: '',
    files: included.filter((file) => existsSync(file)),
    projects: read.flatMap((file) => file.projects).filter((path) => path !== directory),
    errors: [...absent].map((file) => new PackagingError('invalid_file', `the requirements file ${file} does not exist`)),
    warnings: loose.length ? [looseWarning(names, loose)] : [],
    pins: () => pinsAmong({ requirements, options: read.flatMap((file) => file.options) }),
    resolve: (platform) =>
      isHashed
        ? asWritten(read, directory, selection)
        : compileRequirements(directory, { lines: read.flatMap(({ lines }) => lines) }, selection, platform),
  };
}

function readFile(file: string): RequirementsFile {
  return isProject(file) ? parseRequirements('-e .', dirname(file), [file]) : readRequirementsFile(file);
}

function isProject(file: string): boolean {
  return PROJECT_FILES.includes(basename(file));
}

/** With hashes, pip installs exactly the listed distributions. */
function asWritten(read: readonly RequirementsFile[], directory: string, { without }: Selection) {
  const left = new Set(without.map(normalized));
  return {
    requirements: read.flatMap((file) => file.requirements).filter(({ name }) => !left.has(name)),
    projects: read.flatMap((file) => file.projects).filter((path) => path !== directory),
    options: read.flatMap((file) => file.options).filter((option) => !option.startsWith('--require-hashes')),
  };
}

function looseWarning(names: readonly string[], loose: readonly string[]): string {
  const first = loose.slice(0, 3).join(', ');
  return (
    `${names.join(', ')} does not pin ${first}${loose.length > 3 ? ` and ${loose.length - 3} more` : ''}: another machine may package other ` +
    'versions. "uv pip compile" or pip-tools writes a requirements file that pins all of them'
  );
}
