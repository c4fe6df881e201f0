import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import manifest from '../../package.json';

/* What the published packages share. Their version, license, author, repository and dependencies are those of package.json. */

export const PROJECT = path.join(__dirname, '../..');

const { version, license, author, repository, homepage, bugs, engines } = manifest;

/** The fields of every npm manifest. */
export const ABOUT = { version, license, author, repository, homepage, bugs, engines } as const;

/** Versions as package.json has them. */
export function dependencies<Name extends keyof typeof manifest.dependencies>(...names: readonly Name[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, manifest.dependencies[name]]));
}

/** Copies files and folders of the project to the same paths below `folder`; of folders, only files with one of these extensions. */
export function copy(folder: string, paths: readonly string[], extensions: readonly string[] = []): void {
  for (const name of paths) {
    const wanted = (source: string) =>
      statSync(source).isDirectory() ? path.basename(source) !== '__pycache__' : extensions.includes(path.extname(source));
    const whole = path.join(PROJECT, name);
    cpSync(whole, path.join(folder, name), { recursive: true, filter: statSync(whole).isDirectory() ? wanted : undefined });
  }
}

/** Creates an empty folder. */
export function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

export function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * A page as the readme of a package: links to other pages lead to this version in the repository.
 *
 * @param page its path in the repository, such as `docs/safe-alembic.md`
 */
export function readme(page: string): string {
  const text = readFileSync(path.join(PROJECT, page), 'utf8');
  const address = (target: string, kind: string) => {
    const file = path.posix.join(path.posix.dirname(page), target);
    return `${homepage}/${kind}/v${version}/${file}`;
  };
  return text.replace(
    /(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)/g,
    (_, image: string, label: string, target: string) => `${image}[${label}](${address(target, image ? 'raw' : 'blob')})`,
  );
}
