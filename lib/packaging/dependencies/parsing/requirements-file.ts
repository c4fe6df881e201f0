import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nameOf, type Requirement } from './requirement';

/** Requirements files, https://pip.pypa.io/en/stable/reference/requirements-file-format/ */
export interface RequirementsFile {
  readonly requirements: readonly Requirement[];
  /** Absolute paths of the directories in lines such as `-e ./common`. */
  readonly projects: readonly string[];
  /** Index options; the folder of `--find-links` is absolute. */
  readonly options: readonly string[];
  /** Absolute paths of the file and all included files. */
  readonly files: readonly string[];
  /** All lines in a form that uv accepts in any folder: included files inlined, paths absolute. */
  readonly lines: readonly string[];
}

/** Reads a requirements file and those it includes with `-r` and `-c`. */
export function readRequirementsFile(file: string): RequirementsFile {
  return parseRequirements(readText(file), dirname(file), [file]);
}

/** Like pip, decodes by the byte order mark: `pip freeze >` in Windows PowerShell writes UTF-16. */
function readText(file: string): string {
  const bytes = readFileSync(file);
  const isBigEndian = bytes[0] === 0xfe && bytes[1] === 0xff;
  const isLittleEndian = bytes[0] === 0xff && bytes[1] === 0xfe;
  const encoding = isLittleEndian ? 'utf-16le' : isBigEndian ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Reads the text of a requirements file. Paths in it are relative to `directory`. */
export function parseRequirements(text: string, directory: string, files: readonly string[] = []): RequirementsFile {
  let found: RequirementsFile = { requirements: [], projects: [], options: [], files, lines: [] };
  for (const line of logicalLines(text)) found = merged(found, readLine(line, directory, found.files));
  return found;
}

type Line = Partial<RequirementsFile>;

function readLine(line: string, directory: string, including: readonly string[]): Line {
  const [, option, value = ''] = /^(-{1,2}[a-z][a-z-]*)(?:\s*=\s*|\s+|(?=\S))(.*)$/.exec(line) ?? [];
  switch (option) {
    case undefined:
      return readRequirement(line, directory);
    case '-r':
    case '--requirement':
      return readIncluded(resolve(directory, value), including);
    case '-c':
    case '--constraint':
      return readConstraints(resolve(directory, value), including);
    case '-e':
    case '--editable':
      return readEditable(value, directory);
    case '-f':
    case '--find-links':
      return readLinks(line, resolve(directory, value));
    default:
      return { options: [line], lines: [line] };
  }
}

function readIncluded(file: string, including: readonly string[]): Line {
  if (including.includes(file) || !existsSync(file)) return { files: [file] };
  return parseRequirements(readText(file), dirname(file), [...including, file]);
}

/** Constraints install nothing. */
function readConstraints(file: string, including: readonly string[]): Line {
  const { files, lines } = readIncluded(file, including);
  return { files, lines: lines && [`-c ${file}`] };
}

function readLinks(line: string, folder: string): Line {
  const given = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? `--find-links ${folder}` : line;
  return { options: [given], lines: [given] };
}

function readEditable(value: string, directory: string): Line {
  const repository = ofRepository(value);
  if (repository) return { requirements: [repository], lines: [repository.text] };
  // uv export writes `-e common`, without a dot.
  const path = /^[\w-]+(?:\/|\[|$)/.test(value) ? `./${value}` : value;
  return { projects: projectsOf(path, directory), lines: [`-e ${withAbsolutePath(path, directory)}`] };
}

function readRequirement(line: string, directory: string): Line {
  const repository = ofRepository(line);
  if (repository) return { requirements: [repository], lines: [repository.text] };
  const projects = projectsOf(line, directory);
  const lines = [withAbsolutePath(line, directory)];
  if (projects.length) return { projects, lines };
  const [requirement = '', ...hashes] = line.split(/\s+--hash[=\s]\s*/).map((part) => part.trim());
  const archive = localPath(requirement, directory);
  const text = archive && !requirement.includes('@') ? archive : requirement;
  const name = nameOf(archive ? basename(archive).replace(/-.*$/, '') : requirement);
  return { requirements: [{ name: name ?? requirement, text, hashes }], lines };
}

/** A repository's address that names its distribution after `#egg=`. Installed as a package, not editable. */
function ofRepository(address: string): Requirement | undefined {
  const [, url, fragment = '', marker = ''] = /^((?:git|hg|bzr|svn)\+[^\s#]+)#(\S+)(.*)$/.exec(address) ?? [];
  const parts = fragment.split('&').map((part) => part.split('='));
  const [, egg = ''] = parts.find(([key]) => key === 'egg') ?? [];
  const name = nameOf(egg);
  if (!url || !name) return undefined;
  const [, subdirectory] = parts.find(([key]) => key === 'subdirectory') ?? [];
  return { name, text: `${egg} @ ${url}${subdirectory ? `#subdirectory=${subdirectory}` : ''}${marker}`, hashes: [] };
}

function withAbsolutePath(requirement: string, directory: string): string {
  const path = pathIn(requirement);
  return path && !path.startsWith('file:') ? requirement.replace(path, resolve(directory, path)) : requirement;
}

/** The directory on this machine that a requirement names, if any. */
function projectsOf(requirement: string, directory: string): string[] {
  const path = localPath(requirement, directory);
  return path && statSync(path, { throwIfNoEntry: false })?.isDirectory() ? [path] : [];
}

/** The absolute path that a requirement such as `-e ./common[extra]` or `common @ file:///...` names. */
function localPath(requirement: string, directory: string): string | undefined {
  const path = pathIn(requirement);
  return path?.startsWith('file:') ? fileUrlPath(path, directory) : path && resolve(directory, path);
}

function pathIn(requirement: string): string | undefined {
  const [location = ''] = requirement.replace(/^[\w.-]+(?:\[[^\]]*\])?\s*@\s*/, '').split(/\s+;\s|\s+#/, 1);
  const path = location.replace(/\[[\w\s,.-]*\]$/, '').trim();
  return /^(?:\.|\/|file:)/.test(path) ? path : undefined;
}

function fileUrlPath(url: string, directory: string): string {
  return url.startsWith('file://') ? fileURLToPath(url.replace(/#.*$/, '')) : resolve(directory, url.slice('file:'.length));
}

/** Lines without comments; joins those that end with a backslash. */
function logicalLines(text: string): string[] {
  return text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(Boolean);
}

function merged(all: RequirementsFile, more: Line): RequirementsFile {
  return {
    requirements: [...all.requirements, ...(more.requirements ?? [])],
    projects: [...new Set([...all.projects, ...(more.projects ?? [])])],
    options: [...all.options, ...(more.options ?? [])],
    files: [...new Set([...all.files, ...(more.files ?? [])])],
    lines: [...all.lines, ...(more.lines ?? [])],
  };
}
