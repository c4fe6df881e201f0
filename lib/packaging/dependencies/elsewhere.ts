import { option } from '../code-in-messages';
import { declaredIn } from './declared';
import { normalized } from './parsing/requirement';
import type { Table } from './parsing/toml';
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
    .flatMap((file) => Object.entries(declaredIn(file) ?? {}))
    .flatMap(([list, lists]) =>
      Object.entries<readonly unknown[] | Table>(lists).flatMap(([name, requirements]) =>
        isMeant(name) && namesOf(requirements).some(isWanted) ? [option(list, [name])] : [],
      ),
    );
  return options.length ? [...new Set(options)].slice(0, MAX_NAMED).join(' or ') : undefined;
}

/** Normalized names in a list of requirements, or in a table whose keys are names. */
function namesOf(list: readonly unknown[] | Table): string[] {
  const texts = Array.isArray(list) ? list.filter((text): text is string => typeof text === 'string') : Object.keys(list ?? {});
  return texts.map((text) => normalized(/^\s*[\w.-]+/.exec(text)?.[0].trim() ?? ''));
}
