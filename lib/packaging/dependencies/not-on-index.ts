import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { listFiles } from '../project/sources';
import { UvFailed } from '../uv';
import { normalized } from './parsing/requirement';
import { readToml } from './parsing/toml';
import type { DependencySource } from './source';

/** The user's error if uv found no distribution of a name; undefined for any other error. */
export function notOnIndex(error: unknown, directory: string, { files }: DependencySource): PackagingError | undefined {
  if (!(error instanceof UvFailed)) return undefined;
  const [, name] = /\b([\w.-]+) was not found in the package registry/.exec(error.stderr) ?? [];
  if (!name) return undefined;
  const remedy =
    packagedFromRepository(name, directory, files) ??
    `if it is on an index of your own, set UV_INDEX to its address; ${option('without', [name])} leaves it out if migrations do not import it`;
  return new PackagingError('uv_failed', `${name}, which ${directory} requires, is not on the package index: ${remedy}`);
}

/** How to package the project of this name in a directory's repository; undefined if it has none that is not packaged already. */
export function packagedFromRepository(name: string, directory: string, files: readonly string[]): string | undefined {
  const project = projectNamed(name, directory);
  if (!project || files.includes(join(directory, project))) return undefined;
  const given = files.slice(0, 1).map((file) => relative(directory, file));
  return `${project} has this name: ${option('requirements', [...given, project])} packages it from there`;
}

/** The pyproject.toml of the only project of this name in a directory's repository. */
function projectNamed(name: string, directory: string): string | undefined {
  const repository = repositoryOf(directory);
  if (!repository) return undefined;
  const found = listFiles(repository, (path) => /(?:^|\/)(?:\..*|node_modules|site-packages|venv)$/.test(path))
    .filter((file) => /(?:^|\/)pyproject\.toml$/.test(file))
    .map((file) => join(repository, file))
    .filter((file) => normalized(String(readToml(file)?.project?.name ?? '')) === normalized(name));
  return found.length === 1 ? relative(directory, found[0] as string) : undefined;
}

/** The root of a directory's repository. */
export function repositoryOf(directory: string): string | undefined {
  if (existsSync(join(directory, '.git'))) return directory;
  const above = dirname(directory);
  return above === directory ? undefined : repositoryOf(above);
}
