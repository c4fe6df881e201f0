import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { option } from '../code-in-messages';
import { normalized } from './parsing/requirement';
import type { DependencySource, Selection } from './source';

type Named = Pick<DependencySource, 'files' | 'found'>;

/** Errors for groups and extras that no file declares. */
export function undeclared({ groups, extras }: Pick<Selection, 'groups' | 'extras'>, { files, found }: Named): string[] {
  const text = textOf(files);
  const missing = (names: readonly string[]) => names.filter((name) => !isNamed(name, text));
  const of = (list: 'groups' | 'extras', names: readonly string[]) =>
    names.length ? [`${option(list, names)}: ${found} has no ${names.join(', ')}`] : [];
  return [...of('groups', missing(groups)), ...of('extras', missing(extras))];
}

/** Warnings for excluded distributions that neither the project nor an installed distribution requires. */
export function withoutEffect(without: readonly string[], { files, found }: Named, sitePackages: string): string[] {
  const required = readdirSync(sitePackages)
    .filter((name) => name.endsWith('.dist-info'))
    .map((name) => join(sitePackages, name, 'METADATA'));
  const text = textOf([...files, ...required]);
  const names = without.filter((name) => !isNamed(name, text));
  return names.length ? [`${option('without', names)} has no effect: nothing in ${found} requires ${names.join(', ')}`] : [];
}

/** The lines that name distributions, groups and extras, normalized. */
function textOf(files: readonly string[]): string {
  const texts = files.filter((file) => existsSync(file)).map((file) => [basename(file), readFileSync(file, 'utf8')] as const);
  const lines = texts.map(([name, text]) => (name === 'METADATA' ? (text.match(/^Requires-Dist:.*$/gm) ?? []).join('\n') : text));
  return normalized(lines.join('\n'));
}

function isNamed(name: string, text: string): boolean {
  return new RegExp(`(?<![a-z0-9-])${normalized(name).replace(/[^a-z0-9-]/g, '\\$&')}(?![a-z0-9-])`).test(text);
}
