import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DRIVERS } from '../../contract';
import { listFiles } from '../project/sources';
import { importedBy, type ModuleRoots } from './imports';
import { closure, type Distribution, sizeOf, withRequirements } from './installed';

/** Distributions that every run uses regardless of imports, with the drivers' libraries. */
const ALWAYS = ['alembic', 'sqlalchemy', 'greenlet', ...DRIVERS, 'psycopg_binary', 'psycopg_c'];

/** A requirement of this many bytes is never left out: it saves too little. */
const SMALL = 1024 * 1024;

/** SQLAlchemy's dialects for other databases, a fifth of its size. */
const OTHER_DIALECTS = /^sqlalchemy\/dialects\/(?:mysql|mssql|oracle|sqlite)\//;

/**
 * The distributions that env.py, the revisions and the backend's modules import, directly or not, with all their requirements.
 *
 * @param installed the folder of the scripts in site-packages, if a dependency has them
 */
export function reachedDistributions(
  where: ModuleRoots,
  alembicPaths: readonly string[],
  distributions: readonly Distribution[],
  installed = '',
): Set<Distribution> {
  const [scripts = ''] = installed.split('/');
  return withRequirements(distributions, [...alwaysReached(distributions), scripts, ...importedBy(where, alembicPaths)]);
}

/**
 * The distributions that a loaded project or every run uses. Of their requirements, only used and small ones.
 *
 * @param used names of the distributions that the project uses
 */
export function usedDistributions(
  sitePackages: string,
  distributions: readonly Distribution[],
  used: readonly string[],
): Set<Distribution> {
  const always = withRequirements(distributions, alwaysReached(distributions));
  const start = distributions.filter((distribution) => always.has(distribution) || used.includes(distribution.name));
  const isSmall = ({ entries }: Distribution) =>
    entries.reduce((sum, entry) => sum + sizeOf(join(sitePackages, entry)), 0) < SMALL;
  return closure(distributions, start, isSmall);
}

function alwaysReached(distributions: readonly Distribution[]): string[] {
  return [...ALWAYS, ...distributions.flatMap(({ isDialect, modules }) => (isDialect ? modules : []))];
}

/**
 * The modules to compile, as files below `sitePackages`. Others are still imported, from their source; compiling all
 * distributions of a backend would take half of the zip.
 */
export function modulesToCompile(reached: ReadonlySet<Distribution>, sitePackages: string): string[] {
  const names = new Set([...reached].flatMap(({ modules }) => modules));
  return [...names].flatMap((name) => {
    const folder = name.replaceAll('.', '/');
    const path = join(sitePackages, folder);
    if (existsSync(`${path}.py`)) return [`${folder}.py`];
    if (!existsSync(path) || !statSync(path).isDirectory()) return [];
    const files = listFiles(path).map((file) => `${folder}/${file}`);
    return files.filter((file) => file.endsWith('.py') && !OTHER_DIALECTS.test(file));
  });
}
