import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEPENDENCIES_DIRECTORY, DRIVERS, SUPPORTED_VERSIONS } from '../../contract';
import { option, runtimeOption } from '../code-in-messages';
import { optionFor, productionOptionFor } from '../dependencies/elsewhere';
import { backendsBelow } from '../dependencies/no-dependencies';
import { nameOf } from '../dependencies/parsing/requirement';
import { PackagingError } from '../errors';
import { readDistributions } from '../imported/installed';
import { olderVersions } from '../install/other-python';
import { type FunctionPlatform, isOnAmazonLinux2, tooNew } from '../platform';
import type { Backend } from '../project/backend';
import { FIRST_SQLALCHEMY_ON_3_13, isTooOldFor } from '../project/locked-wheels';
import { pythonRequirement, usablePythons } from '../project/python-version';
import { listFiles } from '../project/sources';

/** Distributions of the PostgreSQL drivers. */
const DISTRIBUTIONS = [...DRIVERS, 'psycopg-binary', 'psycopg2-binary'];

/** Those that bring libpq, which Lambda does not have. */
const WITH_LIBPQ: Readonly<Record<string, string>> = { psycopg: 'psycopg[binary]', psycopg2: 'psycopg2-binary' };

/** The requirement for a driver's module; undefined for another module. */
export function driverRequirement(module: string): string | undefined {
  return DRIVERS.includes(module) ? (WITH_LIBPQ[module] ?? module) : undefined;
}

/** Drivers of other databases, by module. */
const OTHER_DRIVERS: Readonly<Record<string, string>> = {
  pymysql: 'MySQL',
  MySQLdb: 'MySQL',
  mysql: 'MySQL',
  asyncmy: 'MySQL',
  aiomysql: 'MySQL',
  pyodbc: 'SQL Server',
  pymssql: 'SQL Server',
  oracledb: 'Oracle',
  cx_Oracle: 'Oracle',
  aiosqlite: 'SQLite',
};

/** Throws PackagingError for requirements that can't run migrations, before an installation that may take minutes. */
export function checkRequired(backend: Backend, requirements: readonly string[]): void {
  // A requirement with a condition may be for another Python.
  const always = requirements.filter((text) => !text.includes(';'));
  const pins = always.map((text) => ({ name: nameOf(text) ?? '', version: /==\s*([^\s,]+)/.exec(text)?.[1] }));
  checkVersions(backend, pins);
}

/** Throws PackagingError if migrations can't run with these dependencies. */
export function checkInstalled(backend: Backend, sitePackages: string): void {
  const { source } = backend;
  const add = (name: string) => source.add.replace('{}', name);
  if (!existsSync(join(sitePackages, 'alembic'))) {
    const has = optionFor(source, (name) => name === 'alembic');
    const remedy = has ? `${has} packages it` : (folderWithAlembic(backend) ?? add('alembic'));
    throw new PackagingError('no_alembic', `${whereOf(backend)} hold no Alembic: ${remedy}`);
  }
  const distributions = readDistributions(sitePackages);
  checkVersions(backend, distributions);
  if (!hasDriver(sitePackages)) {
    const other = Object.keys(OTHER_DRIVERS).find((name) =>
      ['', '.py'].some((end) => existsSync(join(sitePackages, name + end))),
    );
    const what = other ? `only a driver of ${OTHER_DRIVERS[other]} (${other})` : 'no driver';
    const has = productionOptionFor(source, isDriver);
    const driver = driverFor(backend, distributions);
    const remedy = has ? `${has} packages one` : `${add(driver)}, or ${option('add', [driver])} packages it for migrations only`;
    throw new PackagingError('no_driver', `${whereOf(backend)} have ${what}, and the function migrates PostgreSQL: ${remedy}`);
  }
}

/** The next step if Alembic's configuration is in a folder with its own dependencies; undefined if it is not. */
function folderWithAlembic({ directory, config }: Backend): string | undefined {
  const folder = join(directory, dirname(config));
  return backendsBelow(directory).includes(folder) ? `pass ${folder}, which has its own, and the alembic.ini` : undefined;
}

/** Throws PackagingError if a distribution of a package can't run on the function's Python or Linux. */
export function checkPlatform(backend: Backend, sitePackages: string, platform: FunctionPlatform): void {
  checkPython(backend, sitePackages, platform);
  const unfit = tooNew(sitePackages, platform);
  if (unfit.length) {
    throw new PackagingError(
      'wrong_platform',
      `${unfit.join(', ')} can't run on Lambda's Python ${platform.pythonVersion}, whose Linux is too old: ${newerLinux(backend, unfit, platform)}`,
    );
  }
}

function checkPython(backend: Backend, sitePackages: string, { pythonVersion }: FunctionPlatform): void {
  const { version = '' } = readDistributions(sitePackages).find(({ name }) => name === 'sqlalchemy') ?? {};
  if (!isTooOldFor(pythonVersion, version)) return;
  const runs = (other: string) => !isTooOldFor(other, version);
  const [runtime] = usablePythons(backend.directory, backend.selection.requirements, runs);
  const remedies = [
    ...(runtime ? [`set ${runtimeOption(runtime)}`] : []),
    option('add', [`sqlalchemy==${FIRST_SQLALCHEMY_ON_3_13}`]),
  ];
  throw new PackagingError(
    'unsupported_version',
    `${whereOf(backend)} have sqlalchemy ${version}, which does not run on Python ${pythonVersion}: ${remedies.join(', or ')}`,
  );
}

/**
 * How to get versions for the function's Linux, or a newer one. Those come first: the Python may be the only one for which other
 * distributions have wheels, or that has a module which the backend imports.
 */
function newerLinux({ directory, selection }: Backend, unfit: readonly string[], platform: FunctionPlatform): string {
  const isNewer = (pythonVersion: string) => !isOnAmazonLinux2({ pythonVersion });
  const [runtime] = usablePythons(directory, selection.requirements, isNewer);
  const older = olderVersions(directory, unfit, platform);
  const remedies = [
    ...(older.length === unfit.length ? [`${option('add', older)} packages what it can run`] : []),
    ...(runtime ? [`set ${runtimeOption(runtime)}`] : []),
  ];
  if (remedies.length) return remedies.join(', or ');
  const requirement = pythonRequirement(directory);
  return `${requirement?.file} requires Python ${requirement?.text}: allow 3.12 or later there, or use an older version`;
}

/** The PostgreSQL drivers of a package. */
export function installedDrivers(target: string): string[] {
  return DRIVERS.filter((name) => existsSync(join(target, DEPENDENCIES_DIRECTORY, name)));
}

/** Whether a distribution is a PostgreSQL driver. */
export function isDriver(name: string): boolean {
  return DISTRIBUTIONS.includes(name);
}

/** Whether a PostgreSQL driver is installed. */
export function hasDriver(sitePackages: string): boolean {
  return DRIVERS.some((name) => existsSync(join(sitePackages, name)));
}

/** The driver to add to a backend without one. */
function driverFor({ directory, paths }: Backend, distributions: readonly Versioned[]): string {
  const [named, ...others] = namedDrivers(directory, DRIVERS);
  if (named && !others.length) return driverRequirement(named) as string;
  const version = distributions.find(({ name }) => name === 'sqlalchemy')?.version ?? '2.1';
  const env = join(paths[0] ?? directory, 'env.py');
  const isAsync = existsSync(env) && readFileSync(env, 'utf8').includes('async');
  // SQLAlchemy 1.4 does not know psycopg 3: https://docs.sqlalchemy.org/en/14/dialects/postgresql.html
  if (isAsync) return isLess(version, '2.0') ? 'asyncpg' : 'psycopg[binary]';
  // The driver of a plain postgresql:// URL: https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
  return isLess(version, '2.1') ? 'psycopg2-binary' : 'psycopg[binary]';
}

/** Files from which env.py may take an address. */
const READ_BY_ENV = /\.(?:py|ini|toml|cfg|ya?ml|json)$/;

/** The drivers that a backend names in an address, such as `postgresql+asyncpg`. */
export function namedDrivers(directory: string, drivers: readonly string[]): string[] {
  const texts = listFiles(directory, isOthers)
    .filter((file) => READ_BY_ENV.test(file))
    .map((file) => readFileSync(join(directory, file), 'utf8'));
  return drivers.filter((driver) => texts.some((text) => new RegExp(`\\+${driver}\\b`).test(text)));
}

/** Folders in a backend whose files are not its own. */
function isOthers(path: string, isDirectory: boolean): boolean {
  return isDirectory && /(?:^|\/)(?:\..*|node_modules|site-packages|venv|tests?)$/.test(path);
}

function whereOf({ directory, source }: Backend): string {
  return `the dependencies of ${directory} (${source.found})`;
}

interface Versioned {
  readonly name: string;
  readonly version?: string | undefined;
}

function checkVersions(backend: Backend, distributions: readonly Versioned[]): void {
  for (const { name, version } of distributions) {
    const supported = version && SUPPORTED_VERSIONS[name];
    if (supported && (isLess(version, supported.from) || (supported.below && !isLess(version, supported.below)))) {
      throw new PackagingError(
        'unsupported_version',
        `${whereOf(backend)} have ${name} ${version}, and the runner supports ${supported.text}${newerFor(name, version)}`,
      );
    }
  }
}

/** Releases that work with most backends for an older one. */
const NEXT: Readonly<Record<string, string>> = { alembic: '1.8.1', sqlalchemy: '1.4.54' };

/** The next step for a version that is too old: a backend may keep its own. */
function newerFor(name: string, version: string): string {
  const next = NEXT[name];
  return next && isLess(version, next)
    ? `: update it, or ${option('add', [`${name}==${next}`])} packages another one for migrations only`
    : '';
}

function isLess(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0)) as [
    number[],
    number[],
  ];
  for (let part = 0; part < b.length; part++) {
    if ((a[part] ?? 0) !== (b[part] as number)) return (a[part] ?? 0) < (b[part] as number);
  }
  return false;
}
