import { onCommandLine } from '../../../lib/cli/migrate-package/options-in-messages';
import {
  addedTo,
  call,
  inNoLanguage,
  inPython,
  inTypeScript,
  named,
  onlyImported,
  option,
  runtimeOption,
  written,
} from '../../../lib/packaging/code-in-messages';
import { PackagingError } from '../../../lib/packaging/errors';

const READERS = { typescript: inTypeScript, python: inPython, java: inNoLanguage, 'command line': onCommandLine };

const FORMS: readonly (readonly [string, string, Record<keyof typeof READERS, string>])[] = [
  [
    'a list',
    option('without', ['torch', 'maps']),
    {
      typescript: "without: ['torch', 'maps']",
      python: 'without=["torch", "maps"]',
      java: 'without = "torch", "maps"',
      'command line': '--without torch --without maps',
    },
  ],
  [
    'a requirement with brackets',
    option('add', ['psycopg[binary]']),
    {
      typescript: "add: ['psycopg[binary]']",
      python: 'add=["psycopg[binary]"]',
      java: 'add = "psycopg[binary]"',
      'command line': "--add 'psycopg[binary]'",
    },
  ],
  [
    'one file',
    option('alembicConfig', 'conf/alembic.ini'),
    {
      typescript: "alembicConfig: 'conf/alembic.ini'",
      python: 'alembic_config="conf/alembic.ini"',
      java: 'alembicConfig = "conf/alembic.ini"',
      'command line': '--alembic-config conf/alembic.ini',
    },
  ],
  [
    'variables',
    option('environment', { A: '1', TOKEN: '...' }),
    {
      typescript: "environment: { A: '1', TOKEN: '...' }",
      python: 'environment={"A": "1", "TOKEN": "..."}',
      java: 'environment = A "1", TOKEN "..."',
      'command line': '--environment A=1 --environment TOKEN=...',
    },
  ],
  [
    'a value with a quote',
    option('without', ["o'neil"]),
    {
      typescript: "without: ['o\\'neil']",
      python: 'without=["o\'neil"]',
      java: 'without = "o\'neil"',
      'command line': "--without 'o'\\''neil'",
    },
  ],
  ['a name', option('groups'), { typescript: 'groups', python: 'groups', java: 'groups', 'command line': '--group' }],
  [
    'a choice',
    onlyImported(),
    {
      typescript: 'only: PackageOnly.IMPORTED',
      python: 'only=PackageOnly.IMPORTED',
      java: 'only = PackageOnly.IMPORTED',
      'command line': '--only imported',
    },
  ],
  [
    'a Python',
    runtimeOption('3.12'),
    {
      typescript: 'runtime: lambda.Runtime.PYTHON_3_12',
      python: 'runtime=lambda_.Runtime.PYTHON_3_12',
      java: 'runtime = Runtime.PYTHON_3_12',
      'command line': '--python 3.12',
    },
  ],
  [
    'an image',
    named('MigrationCode.fromImage'),
    {
      typescript: 'MigrationCode.fromImage',
      python: 'MigrationCode.from_image',
      java: 'MigrationCode.fromImage',
      'command line': 'a container image',
    },
  ],
  [
    'the variable with the address',
    call('DatabaseVariables.url', ['DB_URL'], { scheme: 'postgresql+asyncpg' }),
    {
      typescript: "DatabaseVariables.url('DB_URL', { scheme: 'postgresql+asyncpg' })",
      python: 'DatabaseVariables.url("DB_URL", scheme="postgresql+asyncpg")',
      java: 'DatabaseVariables.url("DB_URL", scheme = "postgresql+asyncpg")',
      'command line': '--database-variable url=DB_URL --database-variable urlScheme=postgresql+asyncpg',
    },
  ],
  [
    'the variables with its parts',
    call('DatabaseVariables.parts', [], { host: 'DB_HOST', databaseName: 'DB_NAME' }),
    {
      typescript: "DatabaseVariables.parts({ host: 'DB_HOST', databaseName: 'DB_NAME' })",
      python: 'DatabaseVariables.parts(host="DB_HOST", database_name="DB_NAME")',
      java: 'DatabaseVariables.parts(host = "DB_HOST", databaseName = "DB_NAME")',
      'command line': '--database-variable host=DB_HOST --database-variable database=DB_NAME',
    },
  ],
];

test.each(FORMS)('a message shows %s in the language of its reader', (_, code, forms) => {
  for (const [reader, write] of Object.entries(READERS))
    expect(written(`set ${code}.`, write)).toBe(`set ${forms[reader as keyof typeof READERS]}.`);
});

test('a message for a CDK app names constructs and CDK in the language of the app', () => {
  const text = `${option('iamAuthentication', true)}, ${call('TenantDeploy.handOver')}, ${named('Vpc.fromLookup')}`;
  expect(written(text, inTypeScript)).toBe('iamAuthentication: true, TenantDeploy.handOver(), Vpc.fromLookup');
  expect(written(text, inPython)).toBe('iam_authentication=True, TenantDeploy.hand_over(), Vpc.from_lookup');
});

test('an error that no edge renders uses TypeScript', () => {
  expect(new PackagingError('too_large', `set ${onlyImported()}`).message).toBe('set only: PackageOnly.IMPORTED');
});

test('a line to paste keeps the items that the reader has, except for those that it replaces', () => {
  const own = { groups: ['web'], add: ['maps==1', 'alembic==1.5'] };
  const message = `${option('groups', ['db'])}, ${option('add', ['alembic==1.7'])}, ${option('without', ['torch'])}, ${option('add')}`;
  expect(written(addedTo(message, own), inTypeScript)).toBe(
    "groups: ['web', 'db'], add: ['maps==1', 'alembic==1.7'], without: ['torch'], add",
  );
});
