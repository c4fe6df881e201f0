import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { normalized } from '../dependencies/parsing/requirement';
import { listFiles } from '../project/sources';

/** An installed distribution. */
export interface Distribution {
  /** Normalized name. */
  readonly name: string;
  readonly version: string;
  /** Its files and folders that no other has: `alembic`, `google/auth`, `alembic-1.16.5.dist-info`. */
  readonly entries: readonly string[];
  /** Its modules and packages that no other has: `alembic`, `google.auth`. */
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
  const read = (folder: string, file: string) => {
    const path = join(sitePackages, folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const entries = ownEntries(folders.map((folder) => filesOf(read(folder, 'RECORD'))));
  return folders.map((folder, index) => {
    const own = entries[index] ?? [];
    const modules = own.flatMap((entry) => /^([\w/]+)(?:\.py|\.[\w.-]*so)?$/.exec(entry)?.[1]?.replaceAll('/', '.') ?? []);
    const requirements = [...read(folder, 'METADATA').matchAll(/^Requires-Dist: *([\w.-]+)(.*)$/gm)]
      .filter(([, , rest]) => !/\bextra\s*==/.test(rest as string))
      .map(([, name]) => normalized(name as string));
    const [name = '', version = ''] = folder.replace(/\.dist-info$/, '').split('-');
    const isDialect = /^\[sqlalchemy\.(?:dialects|plugins)\]/m.test(read(folder, 'entry_points.txt'));
    return { name: normalized(name), version, entries: own, modules, requirements, isDialect };
  });
}

function filesOf(record: string): string[][] {
  const files = record.split('\n').map((line) => (line.split(',', 1)[0] as string).split('/'));
  return files.filter(([first]) => first && !['..', 'bin', '__pycache__'].includes(first));
}

/** For each list of files, the shortest paths that no other list has. A file in two lists is an entry of both. */
function ownEntries(distributions: readonly (readonly string[][])[]): string[][] {
  const entries = distributions.map(() => new Set<string>());
  let left = distributions;
  for (let depth = 1; left.some((files) => files.length); depth++) {
    const owners = new Map<string, number>();
    const prefix = (file: readonly string[]) => file.slice(0, depth).join('/');
    left.forEach((files, index) => {
      for (const path of new Set(files.map(prefix))) owners.set(path, owners.has(path) ? -1 : index);
    });
    left = left.map((files, index) =>
      files.filter((file) => {
        const isOwn = owners.get(prefix(file)) !== -1 || file.length === depth;
        if (isOwn) entries[index]?.add(prefix(file));
        return !isOwn;
      }),
    );
  }
  return entries.map((paths) => [...paths]);
}

/** The distributions with some modules, and all their requirements. */
export function withRequirements(distributions: readonly Distribution[], modules: Iterable<string>): Set<Distribution> {
  const wanted = [...modules];
  return closure(
    distributions,
    distributions.filter((distribution) => wanted.some((module) => hasModule(distribution, module))),
  );
}

/** Some distributions, with the requirements that may be added. */
export function closure(
  distributions: readonly Distribution[],
  start: Iterable<Distribution>,
  isAdded: (requirement: Distribution) => boolean = () => true,
): Set<Distribution> {
  const byName = new Map(distributions.map((distribution) => [distribution.name, distribution]));
  const found = new Set(start);
  // The loop also visits what is added during it.
  for (const { requirements } of found) {
    for (const name of requirements) {
      const requirement = byName.get(name);
      if (requirement && isAdded(requirement)) found.add(requirement);
    }
  }
  return found;
}

/** Whether a distribution has a module, or a part of a namespace package of this name. */
function hasModule({ modules }: Distribution, module: string): boolean {
  return modules.some((own) => own === module || module.startsWith(`${own}.`) || own.startsWith(`${module}.`));
}

/** The bytes of files and folders. */
export function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.size ?? 0;
  return listFiles(path).reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
}
