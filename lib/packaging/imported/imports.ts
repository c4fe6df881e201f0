import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { listFiles } from '../project/sources';

/** Calls with which a file imports modules dynamically: the modules below it. */
const LISTS_MODULES = /\b(?:iter_modules|walk_packages|find_modules|import_module|__import__|import_string)\b/;

/** The Flask application's own modules may be anywhere. */
const NEEDS_APPLICATION = /\bcurrent_app\b/;

/** Where to look for a backend's modules. */
export interface ModuleRoots {
  readonly backend: string;
  /** Folders on Python's path, relative to the backend. */
  readonly roots: readonly string[];
}

/**
 * Top-level names of all modules that env.py, the revisions and the backend's modules import, directly or not, even in
 * functions.
 */
export function importedBy(where: ModuleRoots, alembicPaths: readonly string[]): Set<string> {
  const { backend } = where;
  const found = new Set<string>();
  // The loop also visits files that are added during it, each once.
  const files = new Set(alembicPaths.flatMap((path) => pythonBelow(backend, path)));
  for (const file of files) {
    const folder = join(backend, dirname(file));
    const source = readFileSync(join(backend, file), 'utf8');
    const imports = importsOf(source);
    const isEnv = file.endsWith('env.py') && alembicPaths.includes(folder);
    const reached = [
      ...(isEnv && NEEDS_APPLICATION.test(source) ? pythonBelow(backend, backend) : []),
      ...(LISTS_MODULES.test(source) ? pythonBelow(backend, folder) : []),
      ...imports.flatMap((module) => filesOf(module, file, where)),
    ];
    for (const file of reached) files.add(file);
    for (const module of imports) if (!module.startsWith('.')) found.add(module.split('.')[0] as string);
  }
  return found;
}

/** The backend's files that an import in a file runs: below that file's folder, or below one on Python's path. */
function filesOf(module: string, file: string, { backend, roots }: ModuleRoots): string[] {
  const [, dots = '', name = ''] = /^(\.*)(.*)$/.exec(module) ?? [];
  const parts = name.split('.').filter(Boolean);
  const above = Array.from({ length: dots.length - 1 }, () => '..');
  const folders = dots ? [join(dirname(file), ...above)] : roots;
  return folders.flatMap((folder) => modulesOf(backend, folder, parts));
}

/** The modules that a source imports; each name after `from x import` may also be one. */
function importsOf(source: string): string[] {
  const text = source
    .replace(/^([ \t]*)if (?:\w+\.)?TYPE_CHECKING:[^\n]*\n(?:\1[ \t]+[^\n]*\n|[ \t]*\n)*/gm, '')
    .replace(/(\bimport[ \t]*)\(([^)]*)\)/g, (_, start, names: string) => `${start} ${names.replace(/#[^\n]*|\s+/g, ' ')}`);
  const statements = text.matchAll(/^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t(]+([\w \t,]*)|import[ \t]+([\w., \t]+))/gm);
  const named = [...text.matchAll(/\b(?:import_module|__import__|import_string)\(\s*["']([\w.]+)["']/g)].map(
    ([, name]) => name as string,
  );
  return [
    ...named,
    ...[...statements].flatMap(([, from, names, modules]) => {
      const listed = (names ?? modules ?? '').split(',').flatMap((name) => name.trim().split(/\s/, 1)[0] || []);
      if (from === undefined) return listed;
      return [from, ...listed.map((name) => (from.endsWith('.') ? `${from}${name}` : `${from}.${name}`))];
    }),
  ];
}

/** The backend's files that run when a module below a folder is imported. */
function modulesOf(backend: string, folder: string, parts: readonly string[]): string[] {
  return ['', ...parts].flatMap((_, index) => {
    const path = join(folder, ...parts.slice(0, index));
    return [`${path}.py`, join(path, '__init__.py')].filter((file) => !file.startsWith('..') && existsSync(join(backend, file)));
  });
}

function pythonBelow(backend: string, path: string): string[] {
  // The revisions' folder may not exist yet.
  if (!existsSync(path)) return [];
  const inside = relative(backend, path).split(sep).join('/');
  const files = listFiles(path, (name) => /(?:^|\/)(?:\..*|node_modules|__pycache__|site-packages|venv)$/.test(name));
  return files.filter((file) => file.endsWith('.py')).map((file) => (inside ? `${inside}/${file}` : file));
}
