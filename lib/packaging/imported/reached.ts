import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from '../project/sources';
import { importedBy, type ModuleRoots } from './imports';
import { type Distribution, readDistributions, withRequirements } from './installed';

/** Used by every run, regardless of imports, with the drivers' libraries. */
const ALWAYS = ['alembic', 'sqlalchemy', 'greenlet', 'psycopg', 'psycopg_binary', 'psycopg_c', 'psycopg2', 'asyncpg', 'pg8000'];

/** Dialects of other databases, a fifth of SQLAlchemy. */
const OTHER_DIALECTS = /^sqlalchemy\/dialects\/(?:mysql|mssql|oracle|sqlite)\//;

/** The distributions that a migration reaches: what env.py, the revisions and the backend's modules behind them import, with all that requires. */
export function reachedDistributions(
  where: ModuleRoots,
  alembicPaths: readonly string[],
  sitePackages: string,
): Set<Distribution> {
  const distributions = readDistributions(sitePackages);
  const modules = new Set([...ALWAYS, ...importedBy(where, alembicPaths)]);
  for (const { isDialect, modules: own } of distributions) if (isDialect) for (const module of own) modules.add(module);
  return withRequirements(distributions, modules);
}

/**
 * The modules of distributions to compile: files below `sitePackages`. What is not compiled is imported all the same, from its source;
 * bytecode of all that a backend serves its users with would take half of the zip.
 */
export function modulesToCompile(reached: ReadonlySet<Distribution>, sitePackages: string): string[] {
  const names = new Set([...reached].flatMap(({ modules }) => modules));
  return [...names].flatMap((name) => {
    const path = join(sitePackages, name);
    if (existsSync(`${path}.py`)) return [`${name}.py`];
    if (!existsSync(path) || !statSync(path).isDirectory()) return [];
    const files = listFiles(path).map((file) => `${name}/${file}`);
    return files.filter((file) => file.endsWith('.py') && !OTHER_DIALECTS.test(file));
  });
}
