import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const WORD = /\btests?\b/;

/** An import statement: a module and the names after it, or modules. */
const IMPORT = /^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*|[^\n]*)|import[ \t]+([^\n]*))/gm;

/** Strings with nothing but a comma or a slash between them: `join(here, 'io', 'tests')`, `here / "tests"`. */
const STRINGS = /(['"])[\w./\\-]+\1(?:\s*[,/]\s*(['"])[\w./\\-]+\2)*/g;

/**
 * Folders named `tests` or `test` of installed packages that no other file there imports or names as a path, relative to
 * site-packages. Such a name may be part of an API (`django.test`) or hold data.
 */
export function unusedTestFolders(sitePackages: string): string[] {
  const { folders, sources } = search(sitePackages, '');
  if (!folders.length) return [];
  const named = new Set(
    sources.flatMap((source) => {
      const text = readFileSync(join(sitePackages, source), 'latin1');
      return WORD.test(text) ? namedIn(source.split('/'), text) : [];
    }),
  );
  return folders.filter((folder) => !named.has(folder) && !named.has(folder.split('/').slice(-2).join('/')));
}

/** They have a folder `testing` for their own tests and those of dialects. Alembic's needs SQLAlchemy's. */
const TESTING = ['sqlalchemy', 'alembic', 'mako'];
const IMPORTS_TESTING = /\b(?:sqlalchemy|alembic|mako)(?:\.testing\b|[ \t]+import\b[^\n]*\btesting\b)/;

/**
 * Those folders, relative to site-packages, unless the backend or another distribution imports one: an editor that completes
 * `mapped_column` may write `from sqlalchemy.testing.schema import mapped_column`.
 */
export function unusedTesting(sitePackages: string, backend: string): string[] {
  const { sources } = search(sitePackages, '');
  const others = sources.filter((source) => !TESTING.includes(source.split('/', 1)[0] as string));
  const files = [
    ...others.map((source) => join(sitePackages, source)),
    ...search(backend, '').sources.map((source) => join(backend, source)),
  ];
  const isUsed = files.some((file) => IMPORTS_TESTING.test(readFileSync(file, 'latin1')));
  return isUsed ? [] : TESTING.map((name) => `${name}/testing`);
}

interface Found {
  /** Folders of tests. */
  readonly folders: readonly string[];
  /** Sources outside of them. */
  readonly sources: readonly string[];
}

function search(sitePackages: string, folder: string): Found {
  const found = readdirSync(join(sitePackages, folder), { withFileTypes: true }).map((entry): Found => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (!entry.isDirectory()) return { folders: [], sources: isSource(entry.name) ? [path] : [] };
    if (folder && isTests(entry.name)) return { folders: [path], sources: [] };
    return entry.name === '__pycache__' ? { folders: [], sources: [] } : search(sitePackages, path);
  });
  return { folders: found.flatMap(({ folders }) => folders), sources: found.flatMap(({ sources }) => sources) };
}

/** Paths of test folders that a source may use: complete ones, and the last two folders of others. */
function namedIn(path: readonly string[], text: string): string[] {
  const folder = path.slice(0, -1);
  const imported = [...text.matchAll(IMPORT)].flatMap(([, module = '', names, modules]) =>
    imports(folder, module, names ?? modules ?? ''),
  );
  const written = [...text.matchAll(STRINGS)].flatMap(([strings]) => (WORD.test(strings) ? paths(folder, strings) : []));
  return [...imported, ...written];
}

/** @param names what is imported from the module, or modules */
function imports(folder: readonly string[], module: string, names: string): string[] {
  if (!WORD.test(`${module} ${names}`)) return [];
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  const base = [...(dots ? folder.slice(0, folder.length - dots + 1) : []), ...module.split('.').filter(Boolean)];
  const found = names.match(/[\w.]+/g) ?? [];
  return ['', ...found].flatMap((name) => testFoldersOf([...base, ...name.split('.').filter(Boolean)]));
}

function paths(folder: readonly string[], strings: string): string[] {
  const parts = (strings.match(/[\w.-]+/g) ?? []).flatMap((part) => (/^[\w-]+\.\w+$/.test(part) ? [part] : part.split('.')));
  return parts.flatMap((part, index) => {
    if (!isTests(part)) return [];
    // Next to this source, or in a folder above it.
    const above = folder.map((_, length) => [...folder.slice(0, length + 1), part].join('/'));
    return index ? [`${parts[index - 1]}/${part}`, ...above] : above;
  });
}

/** The test folders on the path of a module. */
function testFoldersOf(parts: readonly string[]): string[] {
  return parts.flatMap((part, index) => (isTests(part) ? [parts.slice(0, index + 1).join('/')] : []));
}

/** Only pytest reads conftest.py. */
function isSource(name: string): boolean {
  return name.endsWith('.py') && name !== 'conftest.py';
}

function isTests(name: string): boolean {
  return name === 'tests' || name === 'test';
}
