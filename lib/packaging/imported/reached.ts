import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from '../project/sources';
import { importedBy, type ModuleRoots } from './imports';
import { type Distribution, withRequirements } from './installed';

/** Distributions that every run uses regardless of imports, with the drivers' libraries. */
const ALWAYS = ['alembic', 'sqlalchemy', 'greenlet', 'psycopg', 'psycopg_binary', 'psycopg_c', 'psycopg2', 'asyncpg', 'pg8000'];

/** SQLAlchemy's dialects for other databases, a fifth of its size. */
const OTHER_DIALECTS = /^sqlalchemy\/dialects\/(?:mysql|mssql|oracle|sqlite)\//;

/**
 * The distributions that env.py, the revisions and the backend's modules import, directly or not, with all their requirements.
 */
export function reachedDistributions(
  where: ModuleRoots,
  alembicPaths: readonly string[],
  distributions: readonly Distribution[],
): Set<Distribution> {
  const modules = new Set([...ALWAYS, ...importedBy(where, alembicPaths)]);
  for (const { isDialect, modules: own } of distributions) if (isDialect) for (const module of own) modules.add(module);
  return withRequirements(distributions, modules);
}

/**
 * The modules to compile, as files below `sitePackages`. Others are still imported, from their source; compiling all
 * distributions of a backend would take half of the zip.
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
