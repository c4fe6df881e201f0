import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';
import type { Imports } from './graph';

/** The folders whose files are read. */
const FOLDERS = ['bin', 'lambda', 'lib', 'scripts'];

/** What every TypeScript file imports, types too: files of the project by their path from its root, and packages by their name. */
export function typescriptImports(root: string): { readonly files: Imports; readonly packages: Imports } {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.posix.join(folder, file)),
  ).filter((file) => /\.m?ts$/.test(file));
  const named = files.map((file) => [file, namesIn(readFileSync(path.join(root, file), 'utf8'))] as const);
  const isFile = (name: string) => name.startsWith('.');
  return {
    files: new Map(named.map(([file, names]) => [file, names.filter(isFile).map((name) => resolve(root, file, name))])),
    packages: new Map(named.map(([file, names]) => [file, names.filter((name) => !isFile(name)).map(packageOf)])),
  };
}

function namesIn(source: string): readonly string[] {
  const found = new Set<string>();
  collect(parseSync(source, { syntax: 'typescript', target: 'es2022' }), (name) => found.add(name));
  return [...found];
}

interface Node {
  readonly type?: string;
  readonly source?: Node | null;
  readonly argument?: Node;
  readonly callee?: Node;
  readonly arguments?: readonly { readonly expression: Node }[];
  readonly value?: unknown;
}

/** `import`, `export ... from`, `import()` and `require()`, of values and of types. */
function collect(node: unknown, found: (name: string) => void): void {
  if (Array.isArray(node)) {
    for (const child of node) collect(child, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { type, source, argument, callee, arguments: given } = node as Node;
  if (type?.endsWith('Declaration') && source?.type === 'StringLiteral') found(String(source.value));
  if (type === 'TsImportType' && argument) found(String(argument.value));
  const isImport = callee?.type === 'Import' || (callee?.type === 'Identifier' && callee.value === 'require');
  const first = type === 'CallExpression' && isImport ? given?.[0]?.expression : undefined;
  if (first?.type === 'StringLiteral') found(String(first.value));
  for (const child of Object.values(node)) collect(child, found);
}

function resolve(root: string, file: string, name: string): string {
  const target = path.posix.join(path.posix.dirname(file), name);
  // An `import()` has the extension that the built file has.
  const candidates = [target, target.replace(/\.m?js$/, '.ts'), `${target}.ts`, `${target}/index.ts`];
  const known = candidates.find((candidate) => /\.\w+$/.test(candidate) && existsSync(path.join(root, candidate)));
  if (known === undefined) throw new Error(`${file} imports ${name}, which is no file`);
  return known;
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}
