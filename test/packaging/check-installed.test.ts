import { join } from 'node:path';
import { SUPPORTED_VERSIONS } from '../../lib/contract';
import type { DependencySource } from '../../lib/packaging/dependencies/source';
import type { Backend } from '../../lib/packaging/project/backend';
import { checkInstalled, checkPlatform } from '../../lib/packaging/proof/check-installed';
import { temporaryDirectory, writeFiles } from './support';

const PLATFORM = { architecture: 'arm64', pythonVersion: '3.13' } as const;

const SOURCE = { found: 'uv.lock', add: 'run "uv add {}"', files: [] } as unknown as DependencySource;

/** Checks installed distributions of these versions. */
function check(versions: Readonly<Record<string, string>>, sources: Readonly<Record<string, string>> = {}): void {
  const files = Object.entries(versions).flatMap(([name, version]) => [
    [`${name}-${version}.dist-info/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`],
    [`${name}-${version}.dist-info/RECORD`, `${name}/__init__.py,,\n`],
    [`${name}/__init__.py`, ''],
  ]);
  const directory = writeFiles(temporaryDirectory(), { ...Object.fromEntries(files), ...sources });
  checkInstalled({ directory, source: SOURCE, paths: [directory] } as unknown as Backend, directory);
}

test.each([
  ['alembic', '1.7.7', 'Alembic 1.8 or later'],
  ['sqlalchemy', '1.3.24', 'SQLAlchemy 1.4, 2.0 and 2.1'],
  ['sqlalchemy', '2.2.0', 'SQLAlchemy 1.4, 2.0 and 2.1'],
])('%s %s is rejected with the supported versions', (name, version, range) => {
  const versions = { alembic: '1.8.0', sqlalchemy: '2.0.0', psycopg: '3.2.0', [name]: version };
  expect(() => check(versions)).toThrow(`have ${name} ${version}, and the runner supports ${range}`);
});

test('the oldest supported versions, with which the runner is tested, are accepted', () => {
  const oldest = Object.fromEntries(Object.entries(SUPPORTED_VERSIONS).map(([name, { from }]) => [name, from]));
  expect(() => check({ ...oldest, psycopg2: '2.9.9' })).not.toThrow();
});

test.each([
  ['a uv group', 'pyproject.toml', '[dependency-groups]\ndatabase = ["alembic>=1.16"]', "groups: ['database']"],
  ['an extra', 'pyproject.toml', '[project.optional-dependencies]\npg = ["Alembic ~= 1.16"]', "extras: ['pg']"],
  [
    'one of two extras',
    'pyproject.toml',
    '[project.optional-dependencies]\nserver = ["alembic"]\nui = ["jinja2"]\nall = ["alembic", "jinja2"]',
    "extras: ['server'] or extras: ['all']",
  ],
  ['a Poetry group', 'pyproject.toml', '[tool.poetry.group.database.dependencies]\nalembic = "^1.16"', "groups: ['database']"],
  ['a Poetry extra', 'pyproject.toml', '[tool.poetry.extras]\npg = ["alembic"]', "extras: ['pg']"],
  ['a PDM group', 'pyproject.toml', '[tool.pdm.dev-dependencies]\ndatabase = ["alembic"]', "groups: ['database']"],
  [
    'a Pipenv category',
    'Pipfile',
    '[packages]\nflask = "*"\n[scripts]\nalembic = "alembic upgrade head"\n[database]\nalembic = "*"',
    "groups: ['database']",
  ],
])('Alembic that only %s contains is packaged with the option that the error names', (_, name, text, option) => {
  const directory = writeFiles(temporaryDirectory(), { [name]: `${text}\n` });
  const source = { found: 'its lock', add: 'run "tool add {}"', files: [join(directory, name)] } as unknown as DependencySource;
  expect(() => checkInstalled({ directory, source } as Backend, temporaryDirectory())).toThrow(
    `hold no Alembic: ${option} packages it`,
  );
});

test.each([
  ['1.4.54', 'psycopg2-binary', {}],
  ['1.4.54', 'asyncpg', { 'env.py': 'async def run(): ...' }],
  ['2.0.43', 'psycopg2-binary', {}],
  ['2.0.43', 'psycopg[binary]', { 'env.py': 'from sqlalchemy.ext.asyncio import create_async_engine' }],
  ['2.1.0', 'psycopg[binary]', {}],
  ['2.1.0', 'asyncpg', { 'app/settings.py': 'URL = f"postgresql+asyncpg://{host}"' }],
  ['2.1.0', 'psycopg2-binary', { 'alembic.ini': '# sqlalchemy.url = postgresql+psycopg2://db', 'tests/a.py': '+asyncpg' }],
])('with SQLAlchemy %s, the driver to add is %s, which env.py uses: %j', (sqlalchemy, driver, sources) => {
  expect(() => check({ alembic: '1.8.0', sqlalchemy }, sources)).toThrow(
    `run "uv add ${driver}", or add: ['${driver}'] packages it for migrations only`,
  );
});

test.each([
  ['an extra', '[project.optional-dependencies]\npg = ["psycopg2-binary"]', "extras: ['pg'] packages one"],
  [
    'the group for development',
    '[dependency-groups]\ndev = ["psycopg2-binary", "sphinx"]',
    `run "uv add psycopg[binary]", or add`,
  ],
])('a driver that only %s contains is packaged without development tools', (_, text, remedy) => {
  const directory = writeFiles(temporaryDirectory(), { 'pyproject.toml': `${text}\n`, 'alembic/__init__.py': '' });
  const source = { ...SOURCE, files: [join(directory, 'pyproject.toml')] };
  const backend = { directory, source, paths: [] } as unknown as Backend;
  expect(() => checkInstalled(backend, directory)).toThrow(`migrates PostgreSQL: ${remedy}`);
});

test('dependencies without Alembic are rejected with the folder of alembic.ini, if it has its own', () => {
  const directory = writeFiles(temporaryDirectory(), { 'src/pdm.lock': '', 'src/alembic.ini': '' });
  const backend = { directory, source: SOURCE, config: 'src/alembic.ini' } as unknown as Backend;
  expect(() => checkInstalled(backend, temporaryDirectory())).toThrow(
    `hold no Alembic: pass ${join(directory, 'src')}, which has its own, and the alembic.ini`,
  );
});

test.each([
  ['a runtime that the project allows', 'pyproject.toml', '[project]\nrequires-python = ">=3.11,<3.13"', 'PYTHON_3_12'],
  ['a runtime, if the project only pins a Python for its tools', '.python-version', '3.11', 'PYTHON_3_13'],
  ['no runtime, if the project allows only the old one', 'pyproject.toml', '[project]\nrequires-python = "==3.11.*"', undefined],
])('a library with wheels for a newer Linux only is rejected with %s', (_, file, text, runtime) => {
  const directory = writeFiles(temporaryDirectory(), {
    [file]: `${text}\n`,
    'site-packages/alembic/__init__.py': '',
    'site-packages/pg8000/__init__.py': '',
    'site-packages/cdk_alembic_no_index-13.0.0.dist-info/METADATA': 'Name: cdk-alembic-no-index\nVersion: 13.0.0\n',
    'site-packages/cdk_alembic_no_index-13.0.0.dist-info/RECORD': '',
    'site-packages/cdk_alembic_no_index-13.0.0.dist-info/WHEEL': 'Tag: cp311-cp311-manylinux_2_28_x86_64\n',
  });
  const backend = { directory, source: { found: file }, selection: { requirements: [] } } as unknown as Backend;
  const remedy = runtime
    ? `set runtime: lambda.Runtime.${runtime}`
    : `${directory}/pyproject.toml requires Python ==3.11.*: allow 3.12 or later there, or use an older version`;
  expect(() => checkPlatform(backend, join(directory, 'site-packages'), { ...PLATFORM, pythonVersion: '3.11' })).toThrow(
    `cdk_alembic_no_index-13.0.0 can't run on Lambda's Python 3.11, whose Linux is too old: ${remedy}`,
  );
});

test.each([
  ['>=3.11', "set runtime: lambda.Runtime.PYTHON_3_12, or add: ['sqlalchemy==2.0.31']"],
  ['>=3.13', "add: ['sqlalchemy==2.0.31']"],
])('an SQLAlchemy that does not run on Python 3.13 is rejected for a project that asks for %s', (asked, remedy) => {
  const directory = writeFiles(temporaryDirectory(), {
    'pyproject.toml': `[project]\nrequires-python = "${asked}"\n`,
    'site-packages/SQLAlchemy-2.0.30.dist-info/METADATA': 'Name: SQLAlchemy\nVersion: 2.0.30\n',
    'site-packages/SQLAlchemy-2.0.30.dist-info/RECORD': '',
    'site-packages/SQLAlchemy-2.0.30.dist-info/WHEEL': 'Tag: py3-none-any\n',
  });
  const backend = { directory, source: SOURCE, selection: { requirements: [] } } as unknown as Backend;
  const refused = () => checkPlatform(backend, join(directory, 'site-packages'), PLATFORM);
  expect(refused).toThrow(`have sqlalchemy 2.0.30, which does not run on Python 3.13: ${remedy}`);
});
