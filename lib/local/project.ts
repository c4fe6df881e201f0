import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MigrateError } from '../contract/failure';
import { foldersUp } from './settings';

/**
 * Finds the Alembic project: the named folder; else the nearest one from a folder up to the repository's root; else the only
 * one directly below.
 *
 * @param named an absolute path
 */
export function findProject(from: string, named?: string): string {
  if (named !== undefined) {
    if (isProject(named)) return named;
    throw notFound(`${named} has no Alembic project: no alembic.ini and no [tool.alembic] in pyproject.toml`);
  }
  for (const folder of foldersUp(from)) if (isProject(folder)) return folder;
  const below = foldersBelow(from).filter(isProject);
  if (below.length === 1) return below[0] as string;
  if (below.length > 1) {
    const names = below.map((folder) => path.basename(folder)).join(', ');
    throw notFound(`there are several Alembic projects in ${from}: ${names}`);
  }
  throw notFound(
    `no Alembic project in ${from}, above it or directly below: no alembic.ini, no [tool.alembic] in pyproject.toml`,
  );
}

function isProject(folder: string): boolean {
  if (existsSync(path.join(folder, 'alembic.ini'))) return true;
  const toml = path.join(folder, 'pyproject.toml');
  return existsSync(toml) && /^\s*\[\s*tool\s*\.\s*alembic\s*\]/m.test(readFileSync(toml, 'utf8'));
}

function foldersBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map(({ name }) => path.join(folder, name));
}

function notFound(message: string): MigrateError {
  return new MigrateError('project_not_found', message, 'name its folder with --project, or with the setting "project"');
}
