import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MigrateError } from '../contract/failure';
import { foldersUp } from './settings';

const LEVELS = 2;
/** How far below a message still names projects. */
const NAMED_LEVELS = 6;
/** How many projects a message names. */
const SHOWN = 5;

/** An Alembic project on this machine. */
export interface FoundProject {
  /** The folder in which the team calls `alembic`; absolute. */
  readonly folder: string;
  /** Its alembic.ini, relative to the folder, if that is not in it: the team calls `alembic -c`. */
  readonly config?: string;
}

/**
 * Finds the Alembic project. Where its script_location exists only from a folder above, the team calls `alembic` there.
 *
 * @param named an absolute path. @default - searched for
 */
export function findProject(from: string, named?: string): FoundProject {
  const folder = folderOf(from, named);
  const ini = path.join(folder, 'alembic.ini');
  const [, location] = (existsSync(ini) && SCRIPT_LOCATION.exec(readFileSync(ini, 'utf8'))) || [];
  if (location === undefined || existsSync(path.resolve(folder, location))) return { folder };
  const above = [...foldersUp(folder)].find((higher) => existsSync(path.join(higher, location, 'env.py')));
  return above === undefined ? { folder } : { folder: above, config: path.relative(above, ini) };
}

/** A relative script_location without `%(here)s`. */
const SCRIPT_LOCATION = /^script_location[ \t]*[=:][ \t]*([^%/\s][^%\r\n]*?)[ \t]*$/m;

/**
 * The folder with the configuration: the named folder, or the only one up to two levels below it; else the nearest one from a folder up to
 * the repository's root; else the only one up to two levels below that folder, or below one of those above it in the repository.
 */
function folderOf(from: string, named?: string): string {
  if (named !== undefined) {
    const [only, ...others] = isProject(named) ? [named] : projectsBelow(named, LEVELS);
    if (only !== undefined && others.length === 0) return only;
    throw notFound(`${named} has no Alembic project: no alembic.ini and no [tool.alembic] in pyproject.toml`);
  }
  for (const folder of foldersUp(from)) if (isProject(folder)) return folder;
  for (const top of topsOf(from)) {
    const [only, ...others] = projectsBelow(top, LEVELS);
    if (only !== undefined && others.length === 0) return only;
    if (only !== undefined) {
      const names = [only, ...others].map((folder) => path.relative(from, folder));
      throw notFound(`there are several Alembic projects in ${top}: ${listed(names)}`, `such as --project ${names[0]}, `);
    }
  }
  const [scripts] = scriptsBelow(from, LEVELS);
  if (scripts !== undefined) {
    const relative = path.relative(from, scripts) || scripts;
    throw new MigrateError(
      'project_not_found',
      `${relative} has an env.py, and no alembic.ini or [tool.alembic] in pyproject.toml names it as script_location`,
      `restore alembic.ini if git ignores it, or write it beside ${relative}, as "alembic init" does`,
    );
  }
  const none = `no Alembic project in ${from}, above it or up to two levels below`;
  const [deeper, ...others] = projectsBelow(from, NAMED_LEVELS).map((folder) => path.relative(from, folder));
  if (deeper === undefined) throw notFound(`${none}: no alembic.ini, no [tool.alembic] in pyproject.toml`);
  throw notFound(`${none}; further below: ${listed([deeper, ...others])}`, `such as --project ${deeper}, `);
}

/** The first of many folders. */
function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}

/** Folders to look below. Outside of a repository, what lies beside a folder belongs to something else. */
function topsOf(from: string): string[] {
  const folders = [...foldersUp(from)];
  return existsSync(path.join(folders.at(-1) as string, '.git')) ? folders : folders.slice(0, 1);
}

function projectsBelow(folder: string, levels: number): string[] {
  if (levels === 0) return [];
  return foldersBelow(folder).flatMap((below) => (isProject(below) ? [below] : projectsBelow(below, levels - 1)));
}

/** Folders with an env.py and revisions of Alembic. */
function scriptsBelow(folder: string, levels: number): string[] {
  if (['env.py', 'versions'].every((name) => existsSync(path.join(folder, name)))) return [folder];
  return levels === 0 ? [] : foldersBelow(folder).flatMap((below) => scriptsBelow(below, levels - 1));
}

/** Generated folders. A CDK app's cdk.out has copies of the project. */
const GENERATED = ['node_modules', 'cdk.out', '__pycache__', 'venv', 'site-packages'];

/** Whether a folder has a configuration of Alembic. */
export function isProject(folder: string): boolean {
  if (existsSync(path.join(folder, 'alembic.ini'))) return true;
  const toml = path.join(folder, 'pyproject.toml');
  return existsSync(toml) && /^\s*\[\s*tool\s*\.\s*alembic\s*\]/m.test(readFileSync(toml, 'utf8'));
}

function foldersBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !GENERATED.includes(entry.name))
    .map(({ name }) => path.join(folder, name))
    .sort();
}

function notFound(message: string, example = ''): MigrateError {
  return new MigrateError(
    'project_not_found',
    message,
    `name its folder with --project, ${example}or with the setting "project"`,
  );
}
