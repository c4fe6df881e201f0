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

function readLine(line: string, directory: string, seen: readonly string[]): Partial<RequirementsFile> {
  const [, option, value = ''] = /^(-{1,2}[a-z][a-z-]*)(?:\s*=\s*|\s+|(?=\S))(.*)$/.exec(line) ?? [];
  if (option === '-r' || option === '--requirement' || option === '-c' || option === '--constraint') {
    const file = resolve(directory, value);
    if (seen.includes(file) || !existsSync(file)) return { files: [file] };
    const included = parseRequirements(readText(file), dirname(file), [...seen, file]);
    // Constraints install nothing.
    return /^--?c/.test(option) ? { files: included.files, lines: [`-c ${file}`] } : included;
  }
  // uv export writes `-e common`, without a dot.
  const editable = /^[\w-]+(?:\/|\[|$)/.test(value) ? `./${value}` : value;
  const isEditable = option === '-e' || option === '--editable';
  if (option !== undefined && !isEditable) {
    const folder = resolve(directory, value);
    const isFolder = (option === '-f' || option === '--find-links') && statSync(folder, { throwIfNoEntry: false })?.isDirectory();
    const given = isFolder ? `--find-links ${folder}` : line;
    return { options: [given], lines: [given] };
  }
  const repository = ofRepository(isEditable ? value : line);
  if (repository) return { requirements: [repository], lines: [repository.text] };
  const own = isEditable ? editable : line;
  const projects = projectsOf(own, directory);
  const absolute = withAbsolutePath(own, directory);
  if (isEditable || projects.length) return { projects, lines: [isEditable ? `-e ${absolute}` : absolute] };
  const [requirement = '', ...hashes] = line.split(/\s+--hash[=\s]\s*/).map((part) => part.trim());
  const archive = localPath(requirement, directory);
  const text = archive && !requirement.includes('@') ? archive : requirement;
  const name = nameOf(archive ? basename(archive).replace(/-.*$/, '') : requirement);
  return { requirements: [{ name: name ?? requirement, text, hashes }], lines: [absolute] };
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

function merged(all: RequirementsFile, more: Partial<RequirementsFile>): RequirementsFile {
  return {
    requirements: [...all.requirements, ...(more.requirements ?? [])],
    projects: [...new Set([...all.projects, ...(more.projects ?? [])])],
    options: [...all.options, ...(more.options ?? [])],
    files: [...new Set([...all.files, ...(more.files ?? [])])],
    lines: [...all.lines, ...(more.lines ?? [])],
  };
}
