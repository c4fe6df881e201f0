import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Distribution, readDistributions, withRequirements } from './installed';

/** Moves the distributions that migrations do not use out of a package. */
export interface MovedOut {
  /** Puts back the distributions with a module and their requirements. Returns them; empty if none has the module. */
  putBack(module: string): Set<Distribution>;
  /** Those that are still aside. */
  readonly left: ReadonlySet<Distribution>;
  remove(): void;
}

/** Moves unused distributions out of a package, except for files that a used one shares. */
export function moveUnused(sitePackages: string, reached: ReadonlySet<Distribution>): MovedOut {
  // Next to the package, so that a move is a rename.
  const folder = mkdtempSync(join(dirname(dirname(sitePackages)), '.cdk-alembic-aside-'));
  const names = new Set([...reached].map(({ name }) => name));
  const all = readDistributions(sitePackages);
  const shared = new Set(all.filter(({ name }) => names.has(name)).flatMap(({ entries }) => entries));
  const moved = new Set(all.filter(({ name }) => !names.has(name)));
  const move = (from: string, to: string, { entries }: Distribution) => {
    for (const entry of entries.filter((name) => !shared.has(name) && existsSync(join(from, name)))) {
      mkdirSync(dirname(join(to, entry)), { recursive: true });
      renameSync(join(from, entry), join(to, entry));
    }
  };
  for (const distribution of moved) move(sitePackages, folder, distribution);
  return {
    left: moved,
    putBack: (module) => {
      const needed = withRequirements(all, [module]);
      const restored = new Set([...needed].filter((distribution) => moved.has(distribution)));
      for (const distribution of restored) {
        move(folder, sitePackages, distribution);
        moved.delete(distribution);
      }
      return restored;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
