import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Distribution, readDistributions, withRequirements } from './installed';

/** Moves the distributions of a package that migrations do not use aside. */
export interface LaidAside {
  /** Puts back the distributions with a module and their requirements. Returns them; empty if none has the module. */
  putBack(module: string): Set<Distribution>;
  /** Those that are still aside. */
  readonly left: ReadonlySet<Distribution>;
  remove(): void;
}

/** Moves unused distributions out of a package, except files that a used one has too. */
export function layAside(sitePackages: string, reached: ReadonlySet<Distribution>): LaidAside {
  // Next to the package, so that moving is renaming.
  const folder = mkdtempSync(join(dirname(dirname(sitePackages)), '.cdk-alembic-aside-'));
  const names = new Set([...reached].map(({ name }) => name));
  const all = readDistributions(sitePackages);
  const kept = new Set(all.filter(({ name }) => names.has(name)).flatMap(({ entries }) => entries));
  const aside = new Set(all.filter(({ name }) => !names.has(name)));
  const move = (from: string, to: string, { entries }: Distribution) => {
    for (const entry of entries.filter((name) => !kept.has(name) && existsSync(join(from, name)))) {
      mkdirSync(dirname(join(to, entry)), { recursive: true });
      renameSync(join(from, entry), join(to, entry));
    }
  };
  for (const distribution of aside) move(sitePackages, folder, distribution);
  return {
    left: aside,
    putBack: (module) => {
      const needed = withRequirements(all, [module]);
      const back = new Set([...needed].filter((distribution) => aside.has(distribution)));
      for (const distribution of back) {
        move(folder, sitePackages, distribution);
        aside.delete(distribution);
      }
      return back;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
