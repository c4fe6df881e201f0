import { join } from 'node:path';
import { SUPPORTED_VERSIONS } from '../../lib/contract';
import type { DependencySource } from '../../lib/packaging/dependencies/source';
import type { Backend } from '../../lib/packaging/project/backend';
import { checkInstalled } from '../../lib/packaging/proof/check-installed';
import { temporaryDirectory, writeFiles } from './support';

const PLATFORM = { architecture: 'arm64', pythonVersion: '3.13' } as const;

/** Checks installed distributions of these versions. */
function check(versions: Readonly<Record<string, string>>): void {
  const files = Object.entries(versions).flatMap(([name, version]) => [
    [`${name}-${version}.dist-info/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`],
    [`${name}-${version}.dist-info/RECORD`, `${name}/__init__.py,,\n`],
    [`${name}/__init__.py`, ''],
  ]);
  const directory = writeFiles(temporaryDirectory(), Object.fromEntries(files));
  const source = { found: 'uv.lock', add: 'run "uv add {}"' } as DependencySource;
  checkInstalled({ directory, source } as Backend, join(directory), PLATFORM);
}

test.each([
  ['alembic', '1.7.7', 'Alembic 1.8 or later'],
  ['sqlalchemy', '1.3.24', 'SQLAlchemy 1.4, 2.0 and 2.1'],
  ['sqlalchemy', '2.2.0', 'SQLAlchemy 1.4, 2.0 and 2.1'],
])('%s %s is refused with the versions that are supported', (name, version, range) => {
  const versions = { alembic: '1.8.0', sqlalchemy: '2.0.0', psycopg: '3.2.0', [name]: version };
  expect(() => check(versions)).toThrow(`have ${name} ${version}, and the runner supports ${range}`);
});

test("the oldest versions that are supported, which the runner's tests run, are taken", () => {
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
])('Alembic that only %s has is packaged by the option that the refusal names', (_, name, text, option) => {
  const directory = writeFiles(temporaryDirectory(), { [name]: `${text}\n` });
  const source = { found: 'its lock', add: 'run "tool add {}"', files: [join(directory, name)] } as unknown as DependencySource;
  expect(() => checkInstalled({ directory, source } as Backend, temporaryDirectory(), PLATFORM)).toThrow(
    `hold no Alembic: set ${option} to package it`,
  );
});
