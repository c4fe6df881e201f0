import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { option } from '../code-in-messages';
import { normalized } from './parsing/requirement';
import { readToml, type Table } from './parsing/toml';
import { NO_CATEGORY } from './pipfile-lock';
import type { DependencySource } from './source';

/** Groups and extras whose other distributions do not belong in production. */
const DEVELOPMENT = /^(?:dev|develop|development|tests?|testing|lint|docs?|ci)$/;

/** Nobody would read a longer list. */
const MAX_NAMED = 4;

/** Like optionFor, without groups and extras for development. */
export function productionOptionFor(source: Pick<DependencySource, 'files'>, isWanted: (name: string) => boolean) {
  return optionFor(source, isWanted, (name) => !DEVELOPMENT.test(name));
}

/**
 * For a distribution that only groups or extras of the project have: the options that package it, joined with `or`; undefined if none
 * does.
 */
export function optionFor(
  { files }: Pick<DependencySource, 'files'>,
  isWanted: (name: string) => boolean,
  isMeant: (name: string) => boolean = () => true,
): string | undefined {
  const options = files
    .filter((path) => existsSync(path))
    .flatMap((file) => Object.entries(declaredIn(file)))
    .flatMap(([list, lists]) =>
      Object.entries(lists).flatMap(([name, requirements]) =>
        isMeant(name) && namesOf(requirements).some(isWanted) ? [option(list, [name])] : [],
      ),
    );
  return options.length ? [...new Set(options)].slice(0, MAX_NAMED).join(' or ') : undefined;
}

/** Groups and extras of a pyproject.toml or Pipfile, in the formats of uv, Poetry, PDM and Pipenv. */
function declaredIn(file: string): { readonly groups: Table; readonly extras: Table } {
  if (basename(file) === 'Pipfile') {
    const pipfile = readToml(file) as Table;
    const categories = Object.entries(pipfile).filter(([name]) => !NO_CATEGORY.includes(name));
    return { groups: { ...Object.fromEntries(categories), develop: pipfile['dev-packages'] ?? {} }, extras: {} };
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
