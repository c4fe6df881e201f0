import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { normalized } from './parsing/requirement';
import { readToml, type Table } from './parsing/toml';
import type { DependencySource } from './source';

/** The option that packages a distribution which only a group or an extra of the project has; undefined if none has it. */
export function optionFor({ files }: Pick<DependencySource, 'files'>, isWanted: (name: string) => boolean): string | undefined {
  for (const file of files.filter((path) => existsSync(path))) {
    const { groups, extras } = declaredIn(file);
    for (const [option, lists] of Object.entries({ groups, extras })) {
      const found = Object.entries(lists).find(([, list]) => namesOf(list).some(isWanted));
      if (found) return `${option}: ['${found[0]}']`;
    }
  }
  return undefined;
}

/** Groups and extras of a pyproject.toml or Pipfile, in the formats of uv, Poetry, PDM and Pipenv. */
function declaredIn(file: string): { readonly groups: Table; readonly extras: Table } {
  if (basename(file) === 'Pipfile') {
    const { packages: _, source: __, requires: ___, 'dev-packages': develop = {}, ...categories } = readToml(file) as Table;
    return { groups: { ...categories, develop }, extras: {} };
  }
  if (basename(file) !== 'pyproject.toml') return { groups: {}, extras: {} };
  const { project = {}, tool = {}, 'dependency-groups': groups = {} } = readToml(file) as Table;
  const ofPoetry = Object.entries<Table>(tool.poetry?.group ?? {}).map(([name, { dependencies = {} }]) => [name, dependencies]);
  return {
    groups: { ...groups, ...tool.pdm?.['dev-dependencies'], ...Object.fromEntries(ofPoetry) },
    extras: { ...project['optional-dependencies'], ...tool.poetry?.extras },
  };
}

/** Normalized names in a list of requirements, or in a table whose keys are names. */
function namesOf(list: readonly unknown[] | Table): string[] {
  const texts = Array.isArray(list) ? list.filter((text): text is string => typeof text === 'string') : Object.keys(list ?? {});
  return texts.map((text) => normalized(/^\s*[\w.-]+/.exec(text)?.[0].trim() ?? ''));
}
