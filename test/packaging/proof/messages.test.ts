import { PackagingError } from '../../../lib/packaging/errors';
import { judgeProof, type Loaded } from '../../../lib/packaging/proof/judge-proof';
import { likelyDatabase, setInEnvironment, setRequired } from '../../../lib/packaging/proof/unset-variables';
import { shown, temporaryDirectory, writeFiles } from '../support';

test('a backend that reads the parts of its address is not told to name a scheme for the whole', () => {
  const target = writeFiles(temporaryDirectory(), { 'site-packages/psycopg2/__init__.py': '' });
  const source = { add: 'run "uv add {}"', files: [] };
  const loaded = { target, directory: 'back', source, databaseVariables: { url: 'DATABASE_URL' } } as unknown as Loaded;
  const missing = { module: 'psycopg', by: 'backend/migrations/env.py:9', unset: ['DB_HOST', 'DB_PASSWORD'], unsetSettings: [] };
  expect(() => judgeProof(loaded, { missing })).toThrow(
    / name it where the backend builds the address: postgresql\+psycopg2:\/\/\. Or run "uv add psycopg\[binary\]"\. If a setting /,
  );
});

test.each([
  ['psycopg', 'nothing', { url: 'DATABASE_URL' }, 'run "uv add psycopg[binary]"'],
  [
    'greenlet',
    'asyncpg',
    { url: 'DATABASE_URL' },
    'SQLAlchemy 2.1 installs it only if asked to: run "uv add sqlalchemy[asyncio]"',
  ],
  ['shared.db', 'nothing', {}, 'run "uv add <the distribution of shared>", or pass the folder that contains it'],
  ['asyncpg.pool', 'psycopg2', { url: 'DATABASE_URL' }, 'run "uv add asyncpg"'],
  ['pkg_resources', 'nothing', {}, 'run "uv add setuptools~=80.0"'],
  ['distutils.util', 'nothing', {}, 'Python has it only up to 3.11: set runtime: lambda.Runtime.PYTHON_3_11'],
  ['cgi', 'nothing', {}, 'Python has it only up to 3.12: set runtime: lambda.Runtime.PYTHON_3_12'],
  ['compression.zstd', 'nothing', {}, 'Python has it from 3.14 on: set runtime: lambda.Runtime.PYTHON_3_14'],
  ['string.templatelib', 'nothing', {}, 'Python has it from 3.14 on: set runtime: lambda.Runtime.PYTHON_3_14'],
  [
    'psycopg',
    'psycopg2',
    { url: 'DATABASE_URL' },
    `SQLAlchemy 2.1 reads postgresql:// as psycopg. To use psycopg2, name it: DatabaseVariables.url('DATABASE_URL', { scheme: 'postgresql+psycopg2' }). Or run "uv add psycopg[binary]"`,
  ],
  ...[{ host: 'DB_HOST' }, { url: 'DATABASE_URL', urlScheme: 'postgresql+psycopg2' }].map(
    (variables): [string, string, object, string] => [
      'psycopg',
      'psycopg2',
      variables,
      'SQLAlchemy 2.1 reads postgresql:// as psycopg. To use psycopg2, name it where the backend builds the address: postgresql+psycopg2://. Or run "uv add psycopg[binary]"',
    ],
  ),
])('the missing module %s of a package with %s and %j is reported with the next step', (module, has, variables, step) => {
  const target = writeFiles(temporaryDirectory(), { [`site-packages/${has}/__init__.py`]: '' });
  const source = { add: 'run "uv add {}"', files: [] };
  const alembic = { config: 'alembic.ini' };
  const loaded = { target, directory: 'back', source, alembic, databaseVariables: variables } as unknown as Loaded;
  expect(() =>
    judgeProof(loaded, { missing: { module, by: 'backend/migrations/env.py:9', unset: [], unsetSettings: [] } }),
  ).toThrow(
    new PackagingError(
      'missing_module',
      `migrations/env.py:9 imports ${module}, which the package of back does not have: ${step}`,
    ),
  );
});

test.each([
  [
    'gi',
    ['pycairo', 'pygobject'],
    'if one of pycairo, pygobject has it, which is left out: keep its import out of what env.py loads, package it with wheels, a folder ' +
      'of wheels that you built for Lambda, or use MigrationCode.fromImage. If not: run "uv add <the distribution of gi>", or pass the ' +
      'folder that contains it',
  ],
  [
    'ldap_pool.pool',
    ['ldap-pool'],
    'ldap-pool is left out: keep its import out of what env.py loads, package ldap-pool with wheels, a folder of wheels that you built ' +
      'for Lambda, or use MigrationCode.fromImage',
  ],
])('the missing module %s of a package without %j is not answered with adding it again', (module, leftOut, step) => {
  const source = { add: 'run "uv add {}"', files: [] };
  const loaded = { target: '/nowhere', directory: 'back', source, leftOut, databaseVariables: {} } as unknown as Loaded;
  expect(() => judgeProof(loaded, { missing: { module, by: 'backend/env.py:9', unset: [], unsetSettings: [] } })).toThrow(
    new PackagingError('missing_module', `env.py:9 imports ${module}, which the package of back does not have: ${step}`),
  );
});

/** A package of a backend whose configuration has some lines. */
function loadedWith(config: string, ini: string): Loaded {
  const directory = writeFiles(temporaryDirectory(), { [config]: ini });
  const source = { add: '', run: 'uv run ' };
  return { directory, source, alembic: { config }, databaseVariables: {} } as unknown as Loaded;
}

test.each([
  ['alembic.ini', 'script_location = %(here)s/alembic', '"uv run alembic current" with the same variables shows'],
  ['pyproject.toml', '[tool.alembic]', '"uv run alembic current" with the same variables shows'],
  ['db/alembic.ini', 'script_location = db', '"uv run alembic -c db/alembic.ini current" with the same variables shows'],
  [
    'alembic.ini',
    'script_location = /app/no/alembic',
    '"uv run alembic current" with the same variables, where /app/no/alembic exists, such as in the image, shows',
  ],
])('the command that shows the whole error runs with %s and %s', (config, ini, command) => {
  const fails = { reason: 'KeyError', inCode: false, unset: [], required: [] };
  expect(() => judgeProof(loadedWith(config, ini), { fails } as never)).toThrow(`; ${command} the whole error`);
});

test.each([
  ["ImportError: cannot import name 'override' from 'typing' (/usr/lib/python3.11/typing.py)", '3.12'],
  ["AttributeError: module 'uuid' has no attribute 'uuid7'", '3.14'],
])('a name that the standard library has only in a newer Python is reported with that Python: %s', (reason, version) => {
  const fails = { reason, inCode: reason.startsWith('ImportError'), unset: ['SHOP_KEY'], required: [] };
  const option = `lambda.Runtime.PYTHON_${version.replace('.', '_')}`;
  expect(() => judgeProof(loadedWith('alembic.ini', ''), { fails } as never)).toThrow(
    `Python has it from ${version} on: set runtime: ${option}`,
  );
});

test('of many unset variables, the message names the last ones and how many there are', () => {
  const names = [...'ABCDEFGH'].map((letter) => `SHOP_${letter}`);
  const message = setInEnvironment(names);
  expect(shown(message)).toBe(
    'set it with environment: the backend reads 8 variables that are not set here, most recently SHOP_A, SHOP_B, SHOP_C, SHOP_D, SHOP_E, SHOP_F',
  );
});

test("an env.py that needs options of another command in Alembic's Config is rejected for that reason", () => {
  const loaded = loadedWith('alembic.ini', '');
  const reason = "AttributeError: 'Config' object has no attribute 'db_url' (backend/migrations/env.py:7)";
  const fails = { reason, inCode: false, unset: ['SENTRY_DSN'], required: [] };
  expect(() => judgeProof(loaded, { fails } as never)).toThrow(
    /Make env\.py run with "uv run alembic current": it reads config\.db_url, which only another command sets/,
  );
});

test.each([
  [['DB_APPLICATION_NAME', 'DB_DATABASE', 'DB_HOST'], 'DB_DATABASE'],
  [['POSTGRES_APP_NAME', 'POSTGRES_HOST', 'POSTGRES_DB'], 'POSTGRES_DB'],
  [['DB_HOST', 'DB_NAME'], 'DB_NAME'],
  [['PGHOST', 'DB_HOST', 'DATABASE_NAME'], 'DATABASE_NAME'],
])('with the variables %s, the name of the database is in %s', (names, name) => {
  expect(shown(likelyDatabase(names)?.code ?? '')).toContain(`databaseName: '${name}'`);
});

test.each([
  [
    ['DB_READONLY_PASSWORD', 'DB_READONLY_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD', 'POSTGRES_USER', 'POSTGRES_HOST'],
    "DatabaseVariables.parts({ host: 'POSTGRES_HOST', user: 'POSTGRES_USER', password: 'POSTGRES_PASSWORD', databaseName: 'POSTGRES_DB' })",
  ],
  [
    ['AUDIT_DB_NAME', 'AUDIT_DB_USER', 'DB_PASSWORD', 'DB_USER', 'DB_HOST', 'AUDIT_DB_HOST', 'DB_NAME'],
    "DatabaseVariables.parts({ host: 'DB_HOST', user: 'DB_USER', password: 'DB_PASSWORD', databaseName: 'DB_NAME' })",
  ],
  [['TEST_DATABASE_URL', 'DATABASE_READER_URL', 'DATABASE_URL'], "DatabaseVariables.url('DATABASE_URL')"],
  [['DATABASE_READER_URL'], "DatabaseVariables.url('DATABASE_READER_URL')"],
  [['TEST_DATABASE_URL', 'TEST_DB_HOST', 'TEST_DB_USER'], ''],
])('of the variables %s, those of the database that is migrated are named', (names, code) => {
  expect(shown(likelyDatabase(names)?.code ?? '')).toBe(code);
});

test.each([
  [['SHOP_URI_USERS', 'SHOP_URI_ORDERS'], undefined],
  [['POSTGRES_URI_USERS', 'POSTGRES_URI_ORDERS'], 'POSTGRES_URI_ORDERS'],
  [['USERS_DATABASE_URL', 'ORDERS_DATABASE_URL'], 'ORDERS_DATABASE_URL'],
  [['DATABASE_URL_ORDERS', 'DATABASE_URL'], 'DATABASE_URL'],
  [['USERS_DB_URL', 'STOCK_DB_URL'], 'USERS_DB_URL'],
])('of the addresses %s, the one of the database shop_orders is named', (names, name) => {
  expect(likelyDatabase(names, 'shop_orders')?.names).toEqual(name && [name]);
});

test.each([
  [
    ['SHOP_TOKEN', 'POSTGRES_SERVER'],
    [],
    "Name the database's variables with DatabaseVariables.parts({ host: 'POSTGRES_SERVER', port: 'POSTGRES_PORT', user: 'POSTGRES_USER', password: 'POSTGRES_PASSWORD', databaseName: 'POSTGRES_DB' }), and set environment: { SHOP_TOKEN: 'unused' }, without secrets: set one that migrations use with secrets",
  ],
  [
    ['DB_HOST', 'DB_USER'],
    ['DB_PORT', 'DB_NAME', 'TEST_DB_PASSWORD'],
    "Name the database's variables with DatabaseVariables.parts({ host: 'DB_HOST', port: 'DB_PORT', user: 'DB_USER', databaseName: 'DB_NAME' })",
  ],
  [['CACHE_DB_HOST'], ['DB_PORT'], "Set environment: { CACHE_DB_HOST: '...' }, with the application's values"],
  [['SHOP_TOKEN'], [], "Set environment: { SHOP_TOKEN: 'unused' }, without secrets: set one that migrations use with secrets"],
])(
  'of the required %s and the optional %s, a part of the address that the function sets otherwise is renamed',
  (required, unset, text) => {
    const given = {
      host: 'POSTGRES_HOST',
      port: 'POSTGRES_PORT',
      user: 'POSTGRES_USER',
      password: 'POSTGRES_PASSWORD',
      databaseName: 'POSTGRES_DB',
    };
    expect(shown(setRequired(required, unset, given))).toBe(text);
  },
);

test.each([
  [
    'SHOP_DATABASE',
    'Database URL was not defined in SHOP_DATABASE',
    "Name the database's variables with DatabaseVariables.url('SHOP_DATABASE')",
  ],
  ['SHOP_DATABASE', 'SHOP_DATABASE is not set', "Set environment: { SHOP_DATABASE: '...' }, with the application's values"],
  ['CACHE_DB_HOST', 'no URL', "Set environment: { CACHE_DB_HOST: '...' }, with the application's values"],
])("the required %s is the database's address if the error says so: %s", (name, reason, text) => {
  expect(shown(setRequired([name], [], {}, reason))).toBe(text);
});

test.each(['S3_SECRET_KEY', 'JWT_SECRET', 'FERNET_KEY', 'OPENAI_API_KEY', 'APIKEY', 'BOT_TOKEN', 'ADMIN_PASSWORD', 'HASH_SALT'])(
  'a message never asks for the secret %s',
  (name) => {
    expect(shown(setRequired([name, 'TOKEN_MINUTES', 'KEYS_FILE']))).toBe(
      `Set environment: { ${name}: 'unused', TOKEN_MINUTES: '...', KEYS_FILE: '...' }, with the application's values, ` +
        'without secrets: set one that migrations use with secrets',
    );
  },
);
