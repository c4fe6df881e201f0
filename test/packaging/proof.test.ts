import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE } from '../../lib/contract';
import { PackagingError } from '../../lib/packaging/errors';
import { judgeProof, type Loaded } from '../../lib/packaging/proof/judge-proof';
import { likelyDatabase, setInEnvironment, setRequired } from '../../lib/packaging/proof/unset-variables';
import { checked, host, packageOf, revisionFile, shown, temporaryDirectory, writeFiles } from './support';

jest.setTimeout(300_000);

/** A backend with dependencies for this machine, and an env.py that begins with some lines. */
function backend(...start: string[]): string {
  const directory = temporaryDirectory();
  for (const part of ['backend', 'requirements']) cpSync(join(__dirname, '..', 'projects', part), directory, { recursive: true });
  const env = join(directory, 'migrations', 'env.py');
  writeFileSync(env, [...start, readFileSync(env, 'utf8')].join('\n'));
  return directory;
}

function build(directory: string): void {
  packageOf(directory, host).build(temporaryDirectory());
}

/** A backend whose env.py names the folders of the revisions, with a branch in one of its own. */
function withBranch(branch: string): string {
  const locations = '"%(here)s/migrations/versions;%(here)s/migrations/reports"';
  return writeFiles(
    backend(
      'from alembic import context',
      `context.config.set_main_option("path_separator", ";")`,
      `context.config.set_main_option("version_locations", ${locations}.replace("%(here)s", "."))`,
      'context.script.version_locations = context.config.get_main_option("version_locations").split(";")',
    ),
    { 'migrations/reports/r1.py': branch },
  );
}

test('several heads in folders that only env.py names are rejected with the command that merges them', () => {
  expect(() => build(withBranch(revisionFile('r1', 'a1')))).toThrow(
    /^the migrations of .* can't be deployed: the scripts have 2 heads: b2, r1: merge them with `alembic merge -m "Merge heads" b2 r1`/,
  );
});

test('a revision id that two such folders have is rejected with both files', () => {
  expect(() => build(withBranch(revisionFile('b2', 'a1')))).toThrow(
    /can't be deployed: two files have the revision id b2: b2_first_customer\.py and r1\.py: give one of them a new id/,
  );
});

test('several heads in such folders that all have labels are packaged', () => {
  const labelled = (label: string, text: string) => `${text}branch_labels = ("${label}",)\n`;
  const directory = withBranch(labelled('reports', revisionFile('r1', 'a1')));
  const main = join(directory, 'migrations', 'versions', 'b2_first_customer.py');
  writeFileSync(main, labelled('main', readFileSync(main, 'utf8')));
  build(directory);
});

test.each([
  ['ends the process at exit', 'import atexit, os; atexit.register(os._exit, 3)'],
  ['keeps a thread that never ends', 'import threading; threading.Thread(target=threading.Event().wait).start()'],
])('a backend that %s is loaded', (_, line) => {
  build(backend(line));
});

test('a backend with its own package named alembic is loaded with the real one', () => {
  build(writeFiles(backend(), { 'alembic/__init__.py': '' }));
});

test('env.py finds an address in the variables that the function sets', () => {
  const lines = [
    'import os',
    'from sqlalchemy import make_url',
    'url = make_url(os.environ["DATABASE_URL"])',
    'if url.drivername == "postgresql+psycopg" and os.environ["DB_PORT"] == "5432":',
    '    import reached',
  ];
  expect(() =>
    packageOf(backend(...lines), host, { databaseVariables: { url: 'DATABASE_URL', port: 'DB_PORT' } }).build(
      temporaryDirectory(),
    ),
  ).toThrow(/^migrations\/env\.py:5 imports reached, /);
});

test('a module that the build must generate first is reported', () => {
  const directory = writeFiles(backend('from app import version'), { 'app/__init__.py': '' });
  expect(() => build(directory)).toThrow(
    /^migrations\/env\.py:1 imports app\.version, which the package of .* does not have: if your build generates it, run that first$/,
  );
});

test('a backend that reads the parts of its address is not told to name a scheme for the whole', () => {
  const target = writeFiles(temporaryDirectory(), { 'site-packages/psycopg2/__init__.py': '' });
  const source = { add: 'run "uv add {}"', files: [] };
  const loaded = { target, directory: 'back', source, databaseVariables: { url: 'DATABASE_URL' } } as unknown as Loaded;
  const missing = { module: 'psycopg', by: 'backend/migrations/env.py:9', unset: ['DB_HOST', 'DB_PASSWORD'] };
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
  ['distutils.util', 'nothing', {}, 'Python has it only up to 3.11: set runtime: lambda.Runtime.PYTHON_3_11'],
  ['cgi', 'nothing', {}, 'Python has it only up to 3.12: set runtime: lambda.Runtime.PYTHON_3_12'],
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
  expect(() => judgeProof(loaded, { missing: { module, by: 'backend/migrations/env.py:9', unset: [] } })).toThrow(
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
  expect(() => judgeProof(loaded, { missing: { module, by: 'backend/env.py:9', unset: [] } })).toThrow(
    new PackagingError('missing_module', `env.py:9 imports ${module}, which the package of back does not have: ${step}`),
  );
});

test('a module that migrations import and an excluded distribution has is reported as left out', () => {
  const directory = backend('import decouple');
  expect(() => packageOf(directory, host, { without: ['decouple'] }).build(temporaryDirectory())).toThrow(
    / imports decouple, which .* does not have: decouple is left out: keep its import out of/,
  );
});

test('a missing module that another requirements file has is reported with that file', () => {
  const directory = writeFiles(backend('import flask_caching'), {
    'requirements.txt': 'alembic>=1.16\npsycopg[binary]>=3.2\nsqlalchemy>=2\n',
    'requirements/dev.txt': 'flask-caching\n',
    'requirements/prod.txt': 'Flask_Caching==2.3.1\n',
  });
  expect(() => build(directory)).toThrow(
    / imports flask_caching, .*: requirements\/prod\.txt has it: install that file too, with requirements: \['requirements\.txt', 'requirements\/prod\.txt'\]$/,
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

test('of many unset variables, the message names the last ones and how many there are', () => {
  const names = [...'ABCDEFGH'].map((letter) => `SHOP_${letter}`);
  const message = setInEnvironment(names);
  expect(shown(message)).toBe(
    'set it with environment: the backend reads 8 variables that are not set here, at last SHOP_A, SHOP_B, SHOP_C, SHOP_D, SHOP_E, SHOP_F',
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

test('a missing module of the same repository is reported with the folder to pass', () => {
  const repository = writeFiles(temporaryDirectory(), { '.git/HEAD': '', 'common/__init__.py': '' });
  cpSync(backend('import common'), join(repository, 'db'), { recursive: true });
  expect(() => build(join(repository, 'db'))).toThrow(
    `, or pass ${repository}, which contains it, with alembicConfig: 'db/alembic.ini' and requirements: ['db/requirements.txt']`,
  );
});

test('the module that an import inside a distribution lacks is reported', () => {
  const lines = [
    'try:',
    '    import greenlet_of_the_team',
    'except ImportError as error:',
    '    raise ImportError("run pip install") from error',
  ];
  expect(() => build(backend(...lines))).toThrow(/^migrations\/env\.py:2 imports greenlet_of_the_team, which the package of /);
});

test('an SQLAlchemy or Alembic that cannot be imported is rejected', () => {
  const directory = backend();
  const target = temporaryDirectory();
  const packaged = packageOf(directory, host, { databaseVariables: { url: 'DATABASE_URL' } });
  packaged.build(target);
  const sqlalchemy = join(target, 'site-packages', 'sqlalchemy');
  rmSync(join(sqlalchemy, '__pycache__'), { recursive: true, force: true });
  writeFileSync(join(sqlalchemy, '__init__.py'), 'raise AssertionError("not on this Python")\n');
  const other = checked(directory, host, { databaseVariables: { url: 'DATABASE_URL' }, environment: { A: target } }).package();
  expect(() => other.prove(target)).toThrow(
    /^env\.py of .* fails: AssertionError: not on this Python \(site-packages\/sqlalchemy/,
  );
});

test('an import that fails in any environment is rejected', () => {
  const line = 'raise ImportError("the validator is not installed")';
  expect(() => build(backend(line))).toThrow(
    /^env\.py of .* fails: ImportError: the validator is not installed \(backend\/migrations\/env\.py:1\)\. If a distribution or a version is missing, add it to .*requirements\.txt$/,
  );
});

test('a name that no longer exists is rejected, although a distribution has a library for every version of Python', () => {
  expect(() =>
    packageOf(backend('from sqlalchemy import gone'), host, { add: ['bcrypt==4.3.0'] }).build(temporaryDirectory()),
  ).toThrow(
    /^env\.py of .* fails: ImportError: cannot import name 'gone' from 'sqlalchemy' .*\(backend\/migrations\/env\.py:1\)/,
  );
});

test('a module in a folder that is on the path only where people run Alembic is found, and the error names the folder', () => {
  const directory = writeFiles(backend('import shop.models'), {
    'services/api/shop/__init__.py': '',
    'services/api/shop/models.py': 'import prices',
    'services/api/prices.py': '',
  });
  const target = temporaryDirectory();
  const packaged = packageOf(directory, host, { databaseVariables: { url: 'DATABASE_URL' } });
  packaged.build(target);
  expect(packaged.prove(target)).toEqual([
    "migrations/env.py:1 imports shop from services/api, which alembic.ini does not put on Python's path. The function adds it. " +
      'For the alembic command, set "prepend_sys_path = services/api" in alembic.ini and call it in the backend\'s folder',
  ]);
});

test('a module that two folders have is not guessed', () => {
  const directory = writeFiles(backend('import shop'), { 'one/shop.py': '', 'two/shop.py': '' });
  expect(() => build(directory)).toThrow(/^migrations\/env\.py:1 imports shop, which the package of /);
});

describe('with all variables of the function known', () => {
  const known = { databaseVariables: { url: 'DATABASE_URL' } };
  const buildKnown = (directory: string) => packageOf(directory, host, known).build(temporaryDirectory());

  test('a missing setting is rejected', () => {
    expect(() => buildKnown(backend('import os', 'os.environ["SIGNING_KEY"]'))).toThrow(
      /^env\.py of .* fails: KeyError: 'SIGNING_KEY' .*\. Set environment: \{ SIGNING_KEY: 'unused' \}, without secrets: set one that migrations use with secrets$/,
    );
  });

  test('all settings that a file requires are reported in one line', () => {
    const directory = writeFiles(backend('import settings'), {
      'settings.py':
        'import os\nos.environ["PATH"]\nos.environ["MODE"] = "x"\nURL = os.environ["DB_URL"]\nKEY = os.environ[\'SIGNING_KEY\']\n',
    });
    expect(() => buildKnown(directory)).toThrow(
      /Name the database's variables with DatabaseVariables\.url\('DB_URL'\), and set environment: \{ SIGNING_KEY: 'unused' \}, without/,
    );
  });

  test.each([
    ['pydantic-settings', 'pydantic_settings', 'model_config = {"env_prefix": "shop_", "env_nested_delimiter": "__"}'],
    ['Pydantic 1', 'pydantic.v1', 'Config = type("Config", (), {"env_prefix": "shop_"})'],
  ])('all settings that a class of %s requires are reported in one line', (_, module, config) => {
    const directory = backend(
      `from ${module} import BaseSettings`,
      'class Settings(BaseSettings):',
      `    ${config}`,
      '    db_dsn: str',
      '    token: str',
      '    retries: int',
      '    path: str = ""',
      'Settings()',
    );
    expect(() =>
      packageOf(directory, host, { ...known, add: ['pydantic-settings==2.11.0'] }).build(temporaryDirectory()),
    ).toThrow(
      /^env\.py of .* fails: ValidationError: 3 validation errors .*\. Name the database's variables with DatabaseVariables\.url\('SHOP_DB_DSN'\), and set environment: \{ SHOP_TOKEN: 'unused', SHOP_RETRIES: '\.\.\.' \}, with the application's values, without secrets: set one that migrations use with secrets$/,
    );
  });

  test('the variables of required nested settings are reported one by one', () => {
    const directory = backend(
      'from pydantic import BaseModel, Field',
      'from pydantic_settings import BaseSettings',
      'class Key(BaseModel):',
      '    secret: str',
      'class Auth(BaseModel):',
      '    key: Key = Field(alias="signing")',
      '    minutes: int',
      '    algorithm: str = "HS256"',
      'class Settings(BaseSettings):',
      '    model_config = {"env_nested_delimiter": "__"}',
      '    auth: Auth',
      '    mails: Auth = Field(alias="shop_mails")',
      'Settings()',
    );
    expect(() =>
      packageOf(directory, host, { ...known, add: ['pydantic-settings==2.11.0'] }).build(temporaryDirectory()),
    ).toThrow(
      /Set environment: \{ AUTH__SIGNING__SECRET: 'unused', AUTH__MINUTES: '\.\.\.', SHOP_MAILS__SIGNING__SECRET: 'unused', SHOP_MAILS__MINUTES: '\.\.\.' \}, with/,
    );
  });

  test('a required password of the database is reported with the other parts of the address, which have defaults', () => {
    const directory = backend(
      'from pydantic_settings import BaseSettings',
      'class Settings(BaseSettings):',
      '    shop_db_host: str = "localhost"',
      '    shop_db_name: str = "shop"',
      '    shop_db_password: str',
      'Settings()',
    );
    expect(() =>
      packageOf(directory, host, { ...known, add: ['pydantic-settings==2.11.0'] }).build(temporaryDirectory()),
    ).toThrow(
      /Name the database's variables with DatabaseVariables\.parts\(\{ host: 'SHOP_DB_HOST', password: 'SHOP_DB_PASSWORD', databaseName: 'SHOP_DB_NAME' \}\)$/,
    );
  });

  test('a missing setting of another settings library is reported as such, and a required password can be unused', () => {
    const directory = backend('from decouple import config', 'config("SHOP_ADMIN_PASSWORD")');
    expect(() => packageOf(directory, host, { ...known, add: ['python-decouple==3.8'] }).build(temporaryDirectory())).toThrow(
      / fails: UndefinedValueError: .*\. Set environment: \{ SHOP_ADMIN_PASSWORD: 'unused' \}, with/,
    );
  });

  test.each([
    ['os.environ', '', 'import os', 'os.environ["SHOP_TOKEN"]'],
    ['a copy of os.environ', '', 'import os', 'settings = {**os.environ}', 'settings["SHOP_TOKEN"]'],
    [
      'a check of its own',
      '',
      'import os',
      'if not os.getenv("SHOP_TOKEN"):\n    raise RuntimeError("set SHOP_TOKEN to seed the shops")',
    ],
    ['environs', 'environs==14.3.0', 'from environs import Env', 'Env().str("SHOP_TOKEN")'],
    [
      'nested settings and a check of its own',
      'pydantic-settings==2.11.0',
      'from pydantic import BaseModel',
      'from pydantic_settings import BaseSettings',
      'class Shop(BaseModel):\n    token: str = ""',
      'class Settings(BaseSettings):\n    model_config = {"env_nested_delimiter": "_"}\n    shop: Shop = Shop()',
      'if not Settings().shop.token:\n    raise RuntimeError("SHOP_TOKEN is not set")',
    ],
    ['django-environ', 'django-environ==0.12.0', 'import environ', 'environ.Env()("SHOP_TOKEN")'],
    ['Starlette', 'starlette==0.48.0', 'from starlette.config import Config', 'Config()("SHOP_TOKEN")'],
  ])('the variable that a revision lacks through %s is reported with its file', (_, requirement, ...lines) => {
    const revision = 'migrations/versions/c3.py';
    const directory = writeFiles(backend(), { [revision]: `${lines.join('\n')}\n${revisionFile('c3', 'b2')}` });
    const add = requirement ? [requirement] : [];
    expect(() => packageOf(directory, host, { ...known, add }).build(temporaryDirectory())).toThrow(
      /^a revision of .* fails: .* \(backend\/migrations\/versions\/c3\.py:\d+\)\. Set environment: \{ SHOP_TOKEN: 'unused' \}, without secrets/,
    );
  });

  test.each([
    ['os.environ', 'import os', 'int(os.environ["SHOP_PORT"])'],
    ['a table of kinds', 'import os', '{"dev": 1}[os.environ["SHOP_PORT"]]'],
    [
      'pydantic-settings',
      'from pydantic_settings import BaseSettings',
      'class Settings(BaseSettings):',
      '    shop_port: int',
      '    shop_hosts: list[str] = []',
      'Settings()',
    ],
  ])('the variable with a wrong value for %s is reported', (_, ...lines) => {
    const environment = { SHOP_NAME: 'shop', SHOP_PORT: 'many' };
    const wrong = { ...known, environment, add: ['pydantic-settings==2.11.0'] };
    expect(() => packageOf(backend(...lines), host, wrong).build(temporaryDirectory())).toThrow(
      /^env\.py of .* fails: \w+: .*\. Correct the value of SHOP_PORT in environment$/,
    );
  });

  test('a Flask application with an SQLite database is rejected with what to set', () => {
    const files = {
      'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\nflask-sqlalchemy>=3\n',
      'app.py':
        'from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\n\n' +
        'app = Flask(__name__)\napp.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"\nSQLAlchemy(app)\n',
    };
    expect(() => buildKnown(writeFiles(backend('from flask import current_app', 'current_app.name'), files))).toThrow(
      /^env\.py of .* connects to an SQLite database \(app\.py:6\), not to the function's database\. The function sets DATABASE_URL: .*; if it reads none, give Flask's application SQLALCHEMY_DATABASE_URI=os\.environ\["DATABASE_URL"\]$/,
    );
  });

  describe('a Flask application that connects to the database when it is loaded', () => {
    const warnings = (...lines: string[]) => {
      const directory = writeFiles(backend('from flask import current_app', 'current_app.name', 'import shop_prices'), {
        'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\n',
        'app.py': [
          'import os, sqlalchemy as sa',
          'from flask import Flask',
          'app = Flask(__name__)',
          'def count():',
          '    with sa.create_engine(os.environ["DATABASE_URL"]).connect() as connection:',
          '        return connection.scalar(sa.text("SELECT count(*) FROM shops"))',
          ...lines,
          '',
        ].join('\n'),
      });
      const [target, packaged] = [temporaryDirectory(), packageOf(directory, host, known)];
      packaged.build(target);
      return packaged.prove(target).map(shown);
    };

    test('is checked to the end if it goes on without', () => {
      const without = ['try:', '    count()', 'except sa.exc.OperationalError:', '    pass'];
      expect(() => warnings(...without)).toThrow(/ imports shop_prices, which /);
    });

    test('causes a warning if it does not', () => {
      expect(warnings('count()')).toEqual([
        'app.py:5 connects to the database when it is loaded. Packaging connects to nothing, so what comes after it could not be verified',
      ]);
    });
  });

  test("a revision that needs Alembic's connection passes", () => {
    buildKnown(
      writeFiles(backend(), {
        'migrations/versions/c3.py': `from alembic import op\nop.get_bind()\n${revisionFile('c3', 'b2')}`,
      }),
    );
  });

  test('a revision that fails in another way is a warning with the settings that the backend reads', () => {
    const revision = revisionFile('c3', 'b2');
    const directory = writeFiles(backend('from alembic import context'), {
      'settings.py': 'import os\nOTHER = os.getenv("STOCK_DB_URL")\nFILE = os.getenv("SHOP_CONFIG")\n',
      'migrations/versions/c3.py': `import settings\nif not settings.FILE:\n    raise LookupError("no configuration")\n${revision}`,
    });
    const [target, packaged] = [temporaryDirectory(), packageOf(directory, host, known)];
    packaged.build(target);
    expect(packaged.prove(target).map(shown)).toEqual([
      expect.stringMatching(
        /^a revision of .* fails with the function's environment: LookupError: no configuration \(backend\/migrations\/versions\/c3\.py:3\)\. If it needs a setting, set it with environment: the backend reads SHOP_CONFIG, STOCK_DB_URL, not set here$/,
      ),
    ]);
  });

  test('a revision that no setting can repair is rejected', () => {
    const directory = writeFiles(backend(), {
      'migrations/versions/c3.py': `from alembic.op import no_such_operation\n${revisionFile('c3', 'b2')}`,
    });
    expect(() => buildKnown(directory)).toThrow(
      /^a revision of .* fails: ImportError: cannot import name 'no_such_operation' from/,
    );
  });

  test('a name that a module lacks is an error also for a function on another architecture', () => {
    const architecture = host.architecture === 'arm64' ? 'x86_64' : 'arm64';
    const directory = writeFiles(backend('from shop import ORDERS'), { 'shop.py': '' });
    // It has no compiled part that needs a newer Linux than some Pythons of Lambda have.
    const options = { ...known, without: ['psycopg'], add: ['pg8000'] };
    expect(() => packageOf(directory, { ...host, architecture }, options).build(temporaryDirectory())).toThrow(
      /^env\.py of .* fails: ImportError: cannot import name 'ORDERS' from 'shop' /,
    );
  });

  test('code after a check of the architecture is loaded too', () => {
    const directory = backend('import platform', 'platform.architecture()', 'import shop_missing');
    expect(() => buildKnown(directory)).toThrow(/ imports shop_missing, which /);
  });

  test('code after a search for a shared library is loaded too, unless this machine lacks the library', () => {
    const searching = (library: string) =>
      backend('from ctypes.util import find_library', `find_library("${library}")`, 'import shop_missing');
    expect(() => buildKnown(searching('c'))).toThrow(/ imports shop_missing, which /);
    buildKnown(searching('shop_unknown'));
  });

  describe('a library that fetches something when it is imported', () => {
    const fetching =
      'import urllib.request\n\ndef fetch():\n    return urllib.request.urlopen("https://shop.invalid/prices").read()\n';
    const warnings = (prices: string, ...env: string[]) => {
      const directory = writeFiles(backend('import prices', ...env), { 'prices.py': `${fetching}\n${prices}\n` });
      const [target, packaged] = [temporaryDirectory(), packageOf(directory, host, known)];
      packaged.build(target);
      return packaged.prove(target).map(shown);
    };
    const fallback = 'try:\n    fetch()\nexcept Exception:\n    PRICES = {}';

    test('causes a warning with the library and the address', () => {
      expect(warnings(fallback)).toEqual([
        'prices.py:7 connects to shop.invalid:443 when it is loaded. Without internet access, each start of the function may wait for it. ' +
          'If a setting avoids that, set it with environment',
      ]);
    });

    test('does not hide what is missing, if it can go on without', () => {
      expect(() => warnings(fallback, 'import shop_missing')).toThrow(/ imports shop_missing, which /);
    });

    test('makes a later failure a warning, because it may be the reason', () => {
      expect(warnings(fallback, 'prices.PRICES["tea"]')).toEqual([
        expect.stringMatching(/^env\.py of .* fails with the function's environment: KeyError: 'tea' /),
        expect.stringMatching(
          /^prices\.py:7 connects to shop\.invalid:443 when it is loaded\. .* could not be verified \(KeyError: 'tea' /,
        ),
      ]);
    });

    test('causes a warning that names what ended, if it does not catch the error', () => {
      expect(warnings('fetch()')).toEqual([
        expect.stringMatching(
          /^prices\.py:6 connects to shop\.invalid:443 when it is loaded\. Packaging connects to nothing, so what comes after it could not be verified \(URLError: /,
        ),
      ]);
    });

    test('is not tried without end', () => {
      expect(warnings('while True:\n    try:\n        fetch()\n        break\n    except OSError:\n        pass')).toEqual([
        expect.stringMatching(/^prices\.py:8 connects to shop\.invalid:443 when it is loaded\. Packaging connects to nothing/),
      ]);
    });
  });

  test('an error in a compiled library is reported with the line of the backend that caused it', () => {
    // Cython names the source that a library was built from.
    const compiled = `compile("raise ValueError('fast')", "shop/fast.py", "exec")`;
    expect(() => buildKnown(backend('', `exec(${compiled})`))).toThrow(
      / fails: ValueError: fast \(backend\/migrations\/env\.py:2\)\. /,
    );
  });

  test('a long error ends with an ellipsis', () => {
    expect(() => buildKnown(backend('raise ValueError("shop " * 500)'))).toThrow(
      / fails: ValueError: (?:shop )+\w*… \(backend\//,
    );
  });

  test('a scheme that the backend does not accept is rejected with how to set it', () => {
    expect(() =>
      buildKnown(backend('import os', 'assert os.environ["DATABASE_URL"].startswith("postgresql://"), "wrong scheme"')),
    ).toThrow(/ Set the scheme that it accepts, such as DatabaseVariables\.url\('DATABASE_URL', \{ scheme: 'postgresql' \}\)$/);
  });

  test('an unnamed Flask application is rejected with the variable that names it, and .flaskenv may name it', () => {
    const files = {
      'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\npython-dotenv>=1\n',
      'shop/__init__.py': '',
      'shop/start.py': 'import os\nfrom flask import Flask\n\ndef create():\n    return Flask(os.environ["SHOP"])\n',
    };
    const directory = writeFiles(backend('from flask import current_app'), files);
    expect(() => buildKnown(directory)).toThrow(/ fails: NoAppException: .*\. Set environment: \{ FLASK_APP: '\.\.\.' \}, with/);
    buildKnown(writeFiles(directory, { '.flaskenv': 'FLASK_APP=shop.start:create\nSHOP=shop\n' }));
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
    buildKnown(writeFiles(directory, { 'database.txt': database }));
  });

  test('missing settings are reported, the last one first, without those of libraries', () => {
    const directory = backend(
      'import os, psycopg',
      'os.getenv("LOG_LEVEL"), os.getenv("TOKEN")',
      // It reads PGCONNECT_TIMEOUT.
      'psycopg.conninfo.timeout_from_conninfo({})',
      'os.environ.get("SQLALCHEMY_DATABASE_URI").split()',
    );
    expect(() => buildKnown(directory)).toThrow(
      /^env\.py of .* fails: AttributeError: .*\. If it needs a setting, name the database's variables with DatabaseVariables\.url\('SQLALCHEMY_DATABASE_URI'\)\. If it needs another setting, set it with environment: the backend reads TOKEN, LOG_LEVEL, not set here$/,
    );
  });

  test('the variable of the setting that the failing line reads is reported', () => {
    const directory = backend(
      'from pydantic_settings import BaseSettings',
      'from sqlalchemy import create_engine',
      'class Settings(BaseSettings):',
      '    db_connection: str = ""',
      '    app_name: str = ""',
      'settings = Settings()',
      'create_engine(settings.db_connection)',
    );
    expect(() =>
      packageOf(directory, host, { ...known, add: ['pydantic-settings==2.11.0'] }).build(temporaryDirectory()),
    ).toThrow(
      /fails: ArgumentError: .*\. If it needs a setting, name the database's variables with DatabaseVariables\.url\('DB_CONNECTION'\)$/,
    );
  });

  test('a folder that the package lacks is reported, and an empty file keeps it', () => {
    const directory = backend('import logging', 'logging.FileHandler("logs/app.log")');
    expect(() => buildKnown(directory)).toThrow(
      /^env\.py of .* fails: FileNotFoundError: .* 'logs\/app\.log' .*\. The package has no folder logs: create it in the code, or keep it with an empty file logs\/\.gitkeep$/,
    );
    buildKnown(writeFiles(directory, { 'logs/.gitkeep': '', 'logs/app.log': 'of this machine' }));
  });

  test.each([
    ['.env', 'The package leaves out \\.env: use it only if it exists, or rename it'],
    ['shop.toml', 'has no shop\\.toml: add it, or use it only if it exists'],
  ])('the file %s that the package lacks is reported', (file, next) => {
    const directory = backend('from pathlib import Path', `Path(${JSON.stringify(file)}).read_text()`);
    if (file === '.env') writeFiles(directory, { [file]: '' });
    expect(() => buildKnown(directory)).toThrow(new RegExp(`fails: FileNotFoundError: .*\\. .*${next}$`));
  });

  test('an env.py that reads the logging of an alembic.ini is told that there is none', () => {
    const directory = backend();
    rmSync(join(directory, 'alembic.ini'));
    const env = `from logging.config import fileConfig\nfrom alembic import context\nfileConfig(context.config.config_file_name)\n`;
    const location = '[tool.alembic]\nscript_location = "%(here)s/migrations"\n';
    writeFiles(directory, { 'migrations/env.py': env, 'pyproject.toml': location });
    expect(() => buildKnown(directory)).toThrow(/ has no alembic\.ini: add it, or use it only if it exists$/);
  });

  test('missing parts of an address are reported together', () => {
    const names = ['DB_HOST', 'DB_USER', 'DB_PASS', 'DB_NAME'];
    const directory = backend('import os', `[os.getenv(name) for name in ${JSON.stringify(names)}][0].strip()`);
    expect(() => buildKnown(directory)).toThrow(
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
    if (refused) return expect(() => buildKnown(directory)).toThrow(refused);
    const [target, packaged] = [temporaryDirectory(), packageOf(directory, host, known)];
    packaged.build(target);
    return expect(packaged.prove(target).map(shown)).toEqual([
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
    const [target, add] = [temporaryDirectory(), ['pydantic-settings==2.11.0']];
    const packaged = packageOf(directory, host, { ...known, add });
    const messages = (): string[] => {
      packaged.build(target);
      return packaged.prove(target).map(shown);
    };
    const expected = `name them with DatabaseVariables.${kind}(${variables})`;
    if (url === 'settings.store' && fields.length > 1) return expect(messages).toThrow(expected);
    return expect(messages()).toEqual([expect.stringContaining(expected)]);
  });

  describe("the driver in the database's URL", () => {
    const add = ['asyncpg==0.31.0'];
    const driverOf = (directory: string) => {
      const target = temporaryDirectory();
      packageOf(directory, host, { ...known, add }).build(target);
      return JSON.parse(readFileSync(join(target, MANIFEST_FILE), 'utf8')).driver;
    };
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
      expect(driverOf(writeFiles(engine(lines), app))).toBe(driver);
    });

    test('is rejected if it was set explicitly and does not fit', () => {
      const databaseVariables = { url: 'DATABASE_URL', urlScheme: 'postgresql+asyncpg' };
      const directory = engine('create_engine(url).connect()');
      expect(() => packageOf(directory, host, { databaseVariables, add }).build(temporaryDirectory())).toThrow(
        /^env\.py of .* fails: MissingGreenlet: env\.py connects with asyncpg, which needs an async engine \(backend\/migrations\/env\.py:4\)\. Name another driver with DatabaseVariables\.url\('DATABASE_URL', \{ scheme: 'postgresql\+psycopg' \}\)$/,
      );
    });
  });

  test.each([
    ['opens a file to write', 'open("/var/log/app.log", "a")'],
    ['creates a folder', 'import os; os.makedirs("/opt/shop", exist_ok=True)'],
  ])('code that %s outside of its own folder is rejected, because Lambda cannot write there', (_, line) => {
    expect(() => buildKnown(backend(line))).toThrow(
      /^env\.py of .* fails: OSError: .*only \/tmp is writable on Lambda: .*\. Write to \/tmp instead, or only if a setting asks for it$/,
    );
  });

  test.each([
    ['opens a file to write', 'import app.logs; open("app.log", "a")'],
    ['creates a folder', 'import app.logs, os; os.makedirs("logs", exist_ok=True)'],
    ['writes into a folder of its own', 'import app.logs; app.logs.write()'],
  ])('code that %s in its own folder is packaged and works in the function', (_, line) => {
    const write =
      'from pathlib import Path\n\ndef write():\n    (Path(__file__).parent.parent / "var" / "app.log").write_text("x")\n';
    const directory = writeFiles(backend(line, 'import shop_missing'), {
      'app/logs.py': write,
      'app.log': 'x',
      'var/rows.csv': '',
    });
    // What comes after is proved, too, and found in the same place.
    expect(() => buildKnown(directory)).toThrow(/^migrations\/env\.py:2 imports shop_missing, which /);
    const target = temporaryDirectory();
    packageOf(writeFiles(directory, { 'shop_missing.py': '' }), host, known).build(target);
    expect(JSON.parse(readFileSync(join(target, MANIFEST_FILE), 'utf8')).writes).toBe(true);
    expect(readdirSync(join(target, 'backend')).sort()).not.toContain('logs');
    expect(readdirSync(join(target, 'backend', 'var'))).toEqual(['rows.csv']);
  });

  test('an env.py that writes beside its code, where a variable says, is rejected with the variable', () => {
    const directory = backend('import os', 'os.makedirs(os.getenv("SHOP_DATA_DIR", "/shop"))');
    expect(() => buildKnown(directory)).toThrow(/ If SHOP_DATA_DIR says where, set environment: \{ SHOP_DATA_DIR: '\/tmp' \}$/);
  });

  test('code that writes to /tmp or tolerates a failed write is packaged', () => {
    buildKnown(
      backend(
        'import os, tempfile',
        'tempfile.TemporaryFile().write(b"x")',
        'try:',
        '    os.mkdir("logs")',
        'except OSError:',
        '    pass',
      ),
    );
  });

  /** A backend that connects to what alembic.ini says. */
  function withAddress(url: string): string {
    const directory = backend('import os', 'from alembic import context', CONNECTS_BY_INI);
    const ini = join(directory, 'alembic.ini');
    writeFileSync(ini, `${readFileSync(ini, 'utf8')}\nsqlalchemy.url = ${url}\n`);
    return directory;
  }

  test('an address in alembic.ini or the code causes a warning that says where it is and that the address of the function replaces it', () => {
    const url = 'postgresql+psycopg://shop:shop@localhost/shop';
    const code = backend(
      'from alembic import context',
      `from sqlalchemy import create_engine; create_engine("${url}").connect()`,
    );
    for (const [directory, place] of [
      [withAddress(url), 'alembic.ini:5'],
      [code, 'migrations/env.py:2'],
    ] as const) {
      const [target, packaged] = [temporaryDirectory(), packageOf(directory, host, known)];
      packaged.build(target);
      expect(packaged.prove(target).map(shown)).toEqual([
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
    const [target, packaged] = [
      temporaryDirectory(),
      packageOf(directory, host, { ...known, environment: { SHOP_DATABASE: url } }),
    ];
    packaged.build(target);
    expect(packaged.prove(target).map(shown)).toEqual([
      expect.stringMatching(
        /^env\.py of .* connects to db:5432\/shop .*, name them with DatabaseVariables\.url\('SHOP_DATABASE'\)$/,
      ),
    ]);
  });

  test('another kind of database that a variable chooses is rejected with the variable', () => {
    const directory = withAddress('sqlite:///shop.db');
    const env = join(directory, 'migrations', 'env.py');
    writeFileSync(env, `import os; os.getenv("SHOP_DB_ENGINE", "sqlite")\n${readFileSync(env, 'utf8')}`);
    expect(() => buildKnown(directory)).toThrow(
      / database\. If SHOP_DB_ENGINE chooses the kind of database, set environment: \{ SHOP_DB_ENGINE: '\.\.\.' \}\. The function sets /,
    );
  });

  test('an address of another kind of database is rejected with the line for env.py', () => {
    expect(() => buildKnown(withAddress('sqlite:///shop.db'))).toThrow(
      /^env\.py of .* connects to an SQLite database \(migrations\/env\.py:3\), not to the function's database\. The function sets DATABASE_URL: .*add this line to it: config\.set_main_option\("sqlalchemy\.url", /,
    );
  });
});

/** Connects to the address of alembic.ini. */
const CONNECTS_BY_INI =
  'from sqlalchemy import create_engine; context.is_offline_mode() or create_engine(context.config.get_main_option("sqlalchemy.url")).connect()';

test('a setting that is known only at deploy time may be missing', () => {
  const directory = backend('import os', 'os.environ["SIGNING_KEY"]');
  const target = temporaryDirectory();
  const packaged = packageOf(directory, host, { databaseVariables: { url: 'DATABASE_URL' }, hasUnknownVariables: true });
  packaged.build(target);
  expect(packaged.prove(target)).toEqual([]);
});

test('a module that the Flask application cannot import is reported', () => {
  const directory = writeFiles(backend('from flask import current_app'), {
    'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\n',
    'app.py': 'import mailer_of_the_team\n',
  });
  expect(() => build(directory)).toThrow(/^app\.py:1 imports mailer_of_the_team, which the package of /);
});

test('new values of variables are checked without a new package, but new names make a new package', () => {
  const directory = backend('import os', 'if os.environ.get("PROFILER") == "on":', '    import profiler_of_the_team');
  const target = temporaryDirectory();
  const plain = packageOf(directory, host, { environment: { PROFILER: 'off' } });
  plain.build(target);
  const changed = checked(directory, host, { environment: { PROFILER: 'on' } }).package();
  expect(changed.hash).toBe(plain.hash);
  expect(() => changed.prove(target)).toThrow(/^migrations\/env\.py:3 imports profiler_of_the_team, /);
  checked(directory, host, { environment: { PROFILER: 'no' } })
    .package()
    .prove(target);
  // With another variable, env.py may come further, and need what it did not need before.
  expect(checked(directory, host, { environment: { PROFILER: 'no', OTHER: '' } }).package().hash).not.toBe(plain.hash);
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
