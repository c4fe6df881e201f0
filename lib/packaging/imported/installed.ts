import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalized } from '../dependencies/parsing/requirement';

/** An installed distribution. */
export interface Distribution {
  /** Normalized name. */
  readonly name: string;
  readonly version: string;
  /** First path segments of its files in site-packages: `alembic`, `alembic-1.16.5.dist-info`. */
  readonly entries: readonly string[];
  /** Top-level modules and packages. */
  readonly modules: readonly string[];
  /** Names of its requirements, without extras. */
  readonly requirements: readonly string[];
  /** Whether it may have a SQLAlchemy dialect or plugin. */
  readonly isDialect: boolean;
}

export function readDistributions(sitePackages: string): Distribution[] {
  const folders = readdirSync(sitePackages).filter(
    (name) => name.endsWith('.dist-info') && existsSync(join(sitePackages, name, 'RECORD')),
  );
  return folders.map((folder) => {
    const read = (file: string) => {
      const path = join(sitePackages, folder, file);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    const firsts = read('RECORD')
      .split('\n')
      .map((line) => line.split(/[/,]/, 1)[0] as string);
    const entries = [...new Set(firsts)].filter((name) => name && !['..', 'bin', '__pycache__'].includes(name));
    const modules = entries.flatMap((name) => /^(\w+)(?:\.py|\.[\w.-]*so)?$/.exec(name)?.[1] ?? []);
    const requirements = [...read('METADATA').matchAll(/^Requires-Dist: *([\w.-]+)(.*)$/gm)]
      .filter(([, , rest]) => !/\bextra\s*==/.test(rest as string))
      .map(([, name]) => normalized(name as string));
    const [name = '', version = ''] = folder.replace(/\.dist-info$/, '').split('-');
    const isDialect = /^\[sqlalchemy\.(?:dialects|plugins)\]/m.test(read('entry_points.txt'));
    return { name: normalized(name), version, entries, modules, requirements, isDialect };
  });
}

/** The distributions with some modules, and all their requirements. */
export function withRequirements(distributions: readonly Distribution[], modules: ReadonlySet<string>): Set<Distribution> {
  const found = new Set<Distribution>();
  const queue = distributions.filter((distribution) => distribution.modules.some((module) => modules.has(module)));
  for (let next = queue.pop(); next; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    const { requirements } = next;
    queue.push(...distributions.filter(({ name }) => requirements.includes(name)));
  }
  return found;
}
