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
  const folders: string[] = [];
  const sources: string[] = [];
  const search = (folder: string) => {
    for (const entry of readdirSync(join(sitePackages, folder), { withFileTypes: true })) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (!entry.isDirectory()) {
        // Only pytest reads conftest.py.
        if (entry.name.endsWith('.py') && entry.name !== 'conftest.py') sources.push(path);
      } else if (folder && isTests(entry.name)) folders.push(path);
      else if (entry.name !== '__pycache__') search(path);
    }
  };
  search('');
  if (!folders.length) return [];
  const named = new Set<string>();
  for (const source of sources) {
    const text = readFileSync(join(sitePackages, source), 'latin1');
    if (WORD.test(text)) for (const path of namedIn(source.split('/'), text)) named.add(path);
  }
  return folders.filter((folder) => !named.has(folder) && !named.has(folder.split('/').slice(-2).join('/')));
}

/** Paths of test folders that a source may use: complete ones, and the last two folders of others. */
function* namedIn(path: readonly string[], text: string): Generator<string> {
  const folder = path.slice(0, -1);
  for (const [, module, names, modules] of text.matchAll(IMPORT)) {
    if (!WORD.test(`${module} ${names ?? modules}`)) continue;
    const dots = /^\.*/.exec(module ?? '')?.[0].length ?? 0;
    const base = [...(dots ? folder.slice(0, folder.length - dots + 1) : []), ...(module ?? '').split('.').filter(Boolean)];
    const found = (names ?? modules ?? '').match(/[\w.]+/g) ?? [];
    for (const name of ['', ...found]) yield* testFoldersOf([...base, ...name.split('.').filter(Boolean)]);
  }
  for (const [strings] of text.matchAll(STRINGS)) {
    if (!WORD.test(strings)) continue;
    const parts = (strings.match(/[\w.-]+/g) ?? []).flatMap((part) => (/^[\w-]+\.\w+$/.test(part) ? [part] : part.split('.')));
    for (const [index, part] of parts.entries()) {
      if (!isTests(part)) continue;
      if (index) yield `${parts[index - 1]}/${part}`;
      // Next to this source, or in a folder above it.
      for (let length = folder.length; length > 0; length--) yield [...folder.slice(0, length), part].join('/');
    }
  }
}

/** The test folders on the path of a module. */
function* testFoldersOf(parts: readonly string[]): Generator<string> {
  for (const [index, part] of parts.entries()) if (isTests(part)) yield parts.slice(0, index + 1).join('/');
}

function isTests(name: string): boolean {
  return name === 'tests' || name === 'test';
}
