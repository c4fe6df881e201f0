import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../support';
import { backend, packaged, proofOf } from './support';

jest.setTimeout(300_000);

test('a Flask application with an SQLite database is rejected with what to set', () => {
  const files = {
    'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\nflask-sqlalchemy>=3\n',
    'app.py':
      'from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\n\n' +
      'app = Flask(__name__)\napp.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"\nSQLAlchemy(app)\n',
  };
  expect(() => proofOf(writeFiles(backend('from flask import current_app', 'current_app.name'), files))).toThrow(
    /^env\.py of .* connects to an SQLite database \(app\.py:6\), not to the function's database\. The function sets DATABASE_URL: .*; if it reads none, give Flask's application SQLALCHEMY_DATABASE_URI=os\.environ\["DATABASE_URL"\]$/,
  );
});

test('an env.py with an async engine of an older SQLAlchemy is packaged', () => {
  const directory = backend(
    'import asyncio, os',
    'from alembic import context',
    'from sqlalchemy.ext.asyncio import create_async_engine',
    'async def connect():',
    '    await create_async_engine(os.environ["DATABASE_URL"]).connect()',
    'context.is_offline_mode() or asyncio.run(connect())',
  );
  const database = 'asyncpg==0.31.0\nsqlalchemy[asyncio]==2.0.19\n';
  packaged(writeFiles(directory, { 'database.txt': database }));
});

test('missing parts of an address are reported together', () => {
  const names = ['DB_HOST', 'DB_USER', 'DB_PASS', 'DB_NAME'];
  const directory = backend('import os', `[os.getenv(name) for name in ${JSON.stringify(names)}][0].strip()`);
  expect(() => proofOf(directory)).toThrow(
    /name the database's variables with DatabaseVariables\.parts\(\{ host: 'DB_HOST', user: 'DB_USER', password: 'DB_PASS', databaseName: 'DB_NAME' \}\)$/,
  );
});

test.each([
  ['postgresql+psycopg://localhost/shop', undefined],
  ['sqlite:///shop.db', /: if env\.py reads other variables, name them with DatabaseVariables\.url\('SHOP_DB_URL'\)/],
])('the variable without which a backend connects to %s is reported', (url, refused) => {
  const directory = backend(
    'import os',
    'from alembic import context',
    'from sqlalchemy import create_engine',
    `context.is_offline_mode() or create_engine(os.getenv("SHOP_DB_URL", "${url}")).connect()`,
  );
  if (refused) return expect(() => proofOf(directory)).toThrow(refused);
  return expect(proofOf(directory)).toEqual([
    expect.stringMatching(/from other variables than DATABASE_URL, name them with DatabaseVariables\.url\('SHOP_DB_URL'\)$/),
  ]);
});

const settings = (...lines: string[]) => [
  'from alembic import context',
  'from pydantic import BaseModel',
  'from pydantic_settings import BaseSettings',
  'from sqlalchemy import create_engine',
  'class Settings(BaseSettings):',
  '    model_config = {"env_prefix": "shop_"}',
  ...lines.map((line) => `    ${line}`),
];

test.each([
  ['a URL', ['store: str = "postgresql+psycopg://me@localhost/shop"'], 'settings.store', 'url', "'SHOP_STORE'"],
  [
    'a computed URL',
    [
      'cache: str = "redis://localhost"',
      'store: str | None = None',
      'def model_post_init(self, _):',
      '    self.store = "sqlite:///a.db"',
    ],
    'settings.store',
    'url',
    "'SHOP_STORE'",
  ],
  [
    'parts of a URL',
    ['db_host: str = "localhost"', 'db_password: str = "secret"'],
    'f"postgresql+psycopg://me:{settings.db_password}@{settings.db_host}/shop"',
    'parts',
    "{ host: 'SHOP_DB_HOST', password: 'SHOP_DB_PASSWORD' }",
  ],
  [
    'parts of a URL within a setting',
    [
      'class Server(BaseModel):',
      '    host: str = "localhost"',
      '    password: str = "secret"',
      'postgres: Server = Server()',
      'model_config = {"env_prefix": "shop_", "env_nested_delimiter": "__"}',
    ],
    'f"postgresql+psycopg://me:{settings.postgres.password}@{settings.postgres.host}/shop"',
    'parts',
    "{ host: 'SHOP_POSTGRES__HOST', password: 'SHOP_POSTGRES__PASSWORD' }",
  ],
])('the variable of the setting with %s is reported', (_, fields, url, kind, variables) => {
  const directory = backend(
    ...settings(...fields),
    'settings = Settings()',
    `context.is_offline_mode() or create_engine(${url}).connect()`,
  );
  const messages = () => proofOf(directory, { add: ['pydantic-settings==2.11.0'] });
  const expected = `name them with DatabaseVariables.${kind}(${variables})`;
  if (url === 'settings.store' && fields.length > 1) return expect(messages).toThrow(expected);
  return expect(messages()).toEqual([expect.stringContaining(expected)]);
});

describe("the driver in the database's URL", () => {
  const add = ['asyncpg==0.31.0'];
  const engine = (lines: string) =>
    backend('import os', 'from sqlalchemy import create_engine', 'url = os.environ["DATABASE_URL"]', ...lines.split('\n'));
  const app = { 'app/settings.py': 'ADDRESS = "postgresql+asyncpg://localhost/shop"\n' };

  test.each([
    [
      'that the application names',
      'from sqlalchemy.ext.asyncio import create_async_engine; create_async_engine(url)\ncreate_engine(url.replace("asyncpg", "psycopg")).connect()',
      'asyncpg',
    ],
    ['that a synchronous env.py can use', 'create_engine(url).connect()', 'psycopg'],
    ['that env.py itself puts there', 'create_engine(url.replace("postgresql://", "postgresql+psycopg://")).connect()', null],
  ])('is the one %s', (_, lines, driver) => {
    expect(packaged(writeFiles(engine(lines), app), { add }).manifest.driver).toBe(driver);
  });

  test('is rejected if it was set explicitly and does not fit', () => {
    const databaseVariables = { url: 'DATABASE_URL', urlScheme: 'postgresql+asyncpg' };
    const directory = engine('create_engine(url).connect()');
    expect(() => proofOf(directory, { databaseVariables, add })).toThrow(
      /^env\.py of .* fails: MissingGreenlet: env\.py connects with asyncpg, which needs an async engine \(backend\/migrations\/env\.py:4\)\. Name another driver with DatabaseVariables\.url\('DATABASE_URL', \{ scheme: 'postgresql\+psycopg' \}\)$/,
    );
  });
});

/** Connects to the address of alembic.ini. */
const CONNECTS_BY_INI =
  'from sqlalchemy import create_engine; context.is_offline_mode() or create_engine(context.config.get_main_option("sqlalchemy.url")).connect()';

/** A backend that connects to what alembic.ini says. */
function withAddress(url: string): string {
  const directory = backend('import os', 'from alembic import context', CONNECTS_BY_INI);
  const ini = join(directory, 'alembic.ini');
  writeFileSync(ini, `${readFileSync(ini, 'utf8')}\nsqlalchemy.url = ${url}\n`);
  return directory;
}

test("a warning names the backend's own folder, also where an equal backend was loaded from another one", () => {
  const url = 'postgresql+psycopg://shop:shop@localhost/stock';
  for (const directory of [withAddress(url), withAddress(url)]) {
    expect(proofOf(directory)).toEqual([expect.stringContaining(`env.py of ${directory} connects to `)]);
  }
});

test('an address in alembic.ini or the code causes a warning that says where it is and that the address of the function replaces it', () => {
  const url = 'postgresql+psycopg://shop:shop@localhost/shop';
  const code = backend('from alembic import context', `from sqlalchemy import create_engine; create_engine("${url}").connect()`);
  for (const [directory, place] of [
    [withAddress(url), 'alembic.ini:5'],
    [code, 'migrations/env.py:2'],
  ] as const) {
    expect(proofOf(directory)).toEqual([
      `env.py of ${directory} connects to localhost:5432/shop (${place}). The function connects to its own database instead, ` +
        "with env.py's driver and other options. If env.py reads the address from other variables than DATABASE_URL, " +
        'name them with DatabaseVariables',
    ]);
  }
});

test("a variable of the function's environment that holds the address to which env.py connects is named", () => {
  const url = 'postgresql+psycopg://shop@db/shop';
  const directory = backend(
    'import os',
    'from sqlalchemy import create_engine; create_engine(os.environ["SHOP_DATABASE"]).connect()',
  );
  expect(proofOf(directory, { environment: { SHOP_DATABASE: url } })).toEqual([
    expect.stringMatching(
      /^env\.py of .* connects to db:5432\/shop .*, name them with DatabaseVariables\.url\('SHOP_DATABASE'\)$/,
    ),
  ]);
});

test('another kind of database that a variable chooses is rejected with the variable', () => {
  const directory = withAddress('sqlite:///shop.db');
  const env = join(directory, 'migrations', 'env.py');
  writeFileSync(env, `import os; os.getenv("SHOP_DB_ENGINE", "sqlite")\n${readFileSync(env, 'utf8')}`);
  expect(() => proofOf(directory)).toThrow(
    / database\. If SHOP_DB_ENGINE chooses the kind of database, set environment: \{ SHOP_DB_ENGINE: '\.\.\.' \}\. The function sets /,
  );
});

test('an address of another kind of database is rejected with the line for env.py, or what to do where another file creates the engine', () => {
  expect(() => proofOf(withAddress('sqlite:///shop.db'))).toThrow(
    /^env\.py of .* connects to an SQLite database \(migrations\/env\.py:3\), not to the function's database\. The function sets DATABASE_URL: .*; if it reads none, create its engine from os\.environ\["DATABASE_URL"\], or if it connects with sqlalchemy\.url, add this line to it: import os; config\.set_main_option\("sqlalchemy\.url", /,
  );
});
