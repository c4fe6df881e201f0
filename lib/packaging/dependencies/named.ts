import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { type Declared, declaredIn } from './declared';
import { normalized } from './parsing/requirement';
import type { DependencySource, Selection } from './source';

type Named = Pick<DependencySource, 'files' | 'found'>;

/** Errors for groups and extras that no file declares. Those of a setup.py are unknown: uv reports them. */
export function undeclared(selection: Pick<Selection, keyof Declared>, { files, found }: Named): PackagingError[] {
  if (files.some((file) => /^setup\.(?:py|cfg)$/.test(basename(file)))) return [];
  const declared = files.flatMap((file) => declaredIn(file) ?? []);
  return (['groups', 'extras'] as const).flatMap((list) => {
    const known = [...new Set(declared.flatMap((of) => Object.keys(of[list])))];
    const missing = selection[list].filter((name) => !known.map(normalized).includes(normalized(name)));
    if (!missing.length) return [];
    const others = known.length ? `; it has ${known.join(', ')}` : '';
    return [new PackagingError('unknown_group', `${option(list, missing)}: ${found} has no ${missing.join(', ')}${others}`)];
  });
}

/** Warnings for excluded distributions that neither the project nor an installed distribution requires. */
export function withoutEffect(without: readonly string[], { files, found }: Named, sitePackages: string): string[] {
  const installed = readdirSync(sitePackages)
    .filter((name) => name.endsWith('.dist-info'))
    .map((name) => join(sitePackages, name, 'METADATA'));
  const text = [...files, ...installed]
    .filter((file) => existsSync(file))
    .map(requirementsIn)
    .join('\n');
  const names = without.filter((name) => !isNamed(name, text));
  return names.length
    ? [
        `${option('without')} has no effect on ${names.join(', ')}: nothing in ${found} requires ${names.length > 1 ? 'them' : 'it'}`,
      ]
    : [];
}

/** Comments, addresses and the names of extras, as all these files write them: no distributions. */
const NO_DISTRIBUTION = [
  /(?:^|\s)#.*$/gm,
  /\w+:\/\/\S+/g,
  /(?<=\w)\[[^\]]*\]/g,
  /\bextras?\s*==?\s*(?:\[[^\]]*\]|"[^"]*"|'[^']*')/g,
  /^[\w-]+\s*=\s*(?=\[)/gm,
];

/** The normalized lines of a file that may name distributions. */
function requirementsIn(file: string): string {
  const text = readFileSync(file, 'utf8');
  const lines = basename(file) === 'METADATA' ? (text.match(/^Requires-Dist:.*$/gm) ?? []).join('\n') : text;
  return normalized(NO_DISTRIBUTION.reduce((left, pattern) => left.replace(pattern, ''), lines));
}

function isNamed(name: string, text: string): boolean {
  return new RegExp(`(?<![a-z0-9-])${normalized(name).replace(/[^a-z0-9-]/g, '\\$&')}(?![a-z0-9-])`).test(text);
}
