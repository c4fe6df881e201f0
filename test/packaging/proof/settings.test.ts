import { revisionFile, writeFiles } from '../support';
import { backend, proofOf } from './support';

jest.setTimeout(300_000);

test('a missing setting is rejected', () => {
  expect(() => proofOf(backend('import os', 'os.environ["SIGNING_KEY"]'))).toThrow(
    /^env\.py of .* fails: KeyError: 'SIGNING_KEY' .*\. Set environment: \{ SIGNING_KEY: 'unused' \}, without secrets: set one that migrations use with secrets$/,
  );
});

test('all settings that a file requires are reported in one line', () => {
  const directory = writeFiles(backend('import settings'), {
    'settings.py':
      'import os\nos.environ["PATH"]\nos.environ["MODE"] = "x"\nURL = os.environ["DB_URL"]\nKEY = os.environ[\'SIGNING_KEY\']\n',
  });
  expect(() => proofOf(directory)).toThrow(
    /Name the database's variables with DatabaseVariables\.url\('DB_URL'\), and set environment: \{ SIGNING_KEY: 'unused' \}, without/,
  );
});

test.each([
  ['a list', 'NAMES = ["DB_HOST", "DB_USER", "SHOP_TOKEN"]', 'for name in NAMES: os.environ[name]'],
  [
    'a table',
    'NAMES = {"host": "DB_HOST", "user": "DB_USER", "token": "SHOP_TOKEN"}',
    '{k: os.environ[v] for k, v in NAMES.items()}',
  ],
  ['a check', 'NAMES = ("DB_HOST", "DB_USER", "SHOP_TOKEN")', 'for n in NAMES: assert os.getenv(n), f"set {n}"'],
])('all settings that a file reads by the names in %s are reported in one line', (_, names, read) => {
  expect(() => proofOf(backend('import os', names, read))).toThrow(
    /Name the database's variables with DatabaseVariables\.parts\(\{ host: 'DB_HOST', user: 'DB_USER' \}\), and set environment: \{ SHOP_TOKEN: 'unused' \}, without/,
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
  expect(() => proofOf(directory, { add: ['pydantic-settings==2.11.0'] })).toThrow(
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
  expect(() => proofOf(directory, { add: ['pydantic-settings==2.11.0'] })).toThrow(
    /Set environment: \{ AUTH__SIGNING__SECRET: 'unused', AUTH__MINUTES: '\.\.\.', SHOP_MAILS__SIGNING__SECRET: 'unused', SHOP_MAILS__MINUTES: '\.\.\.' \}, with/,
  );
});

test('a required password of the database is reported with the other parts of the address, which have defaults', () => {
  const directory = backend(
    'from pydantic_settings import BaseSettings',
    'class Settings(BaseSettings):',
    '    shop_db_endpoint: str = "localhost"',
    '    shop_db_name: str = "shop"',
    '    shop_db_password: str',
    'Settings()',
  );
  expect(() => proofOf(directory, { add: ['pydantic-settings==2.11.0'] })).toThrow(
    /Name the database's variables with DatabaseVariables\.parts\(\{ host: 'SHOP_DB_ENDPOINT', password: 'SHOP_DB_PASSWORD', databaseName: 'SHOP_DB_NAME' \}\)$/,
  );
});

test('a setting whose default is a variable that is not set is reported as one that is missing', () => {
  const directory = backend(
    'import os',
    'from pydantic_settings import BaseSettings',
    'class Settings(BaseSettings):',
    '    signing_key: str = os.getenv("SHOP_KEY", None)',
    '    zone: str | None = os.getenv("SHOP_ZONE")',
    '    retries: int',
    'Settings()',
  );
  expect(() => proofOf(directory, { add: ['pydantic-settings==2.11.0'] })).toThrow(
    /\. Set environment: \{ SIGNING_KEY: 'unused', RETRIES: '\.\.\.' \}, with/,
  );
  const given = [
    'from pydantic_settings import BaseSettings',
    'class Mails(BaseSettings):',
    '    sender: str',
    'Mails(sender=None)',
  ];
  // An argument precedes the variable.
  expect(() => proofOf(backend(...given), { add: ['pydantic-settings==2.11.0'] })).toThrow(
    /\. If it needs a setting, set it with environment; /,
  );
});

test('a missing setting of another settings library is reported as such, and a required password can be unused', () => {
  const directory = backend('from decouple import config', 'config("SHOP_ADMIN_PASSWORD")');
  expect(() => proofOf(directory, { add: ['python-decouple==3.8'] })).toThrow(
    / fails: UndefinedValueError: .*\. Set environment: \{ SHOP_ADMIN_PASSWORD: 'unused' \}, with/,
  );
});

test.each([
  ['python-decouple', 'python-decouple==3.8', 'from decouple import config', 'config'],
  ['environs', 'environs==14.3.0', 'from environs import Env\nenv = Env()', 'env.str'],
  [
    'a function of its own',
    '',
    'import os\ndef read(name, default=None):\n    return os.environ.get(name, default) or refuse(name)\ndef refuse(name):\n    raise RuntimeError(f"{name} is not set")',
    'read',
  ],
])(
  'all variables that a file requires through %s are reported at once, and not those with a default',
  (_, requirement, head, call) => {
    const read = ['"SHOP_TOKEN"', '"SHOP_PORT", default="1"', '"SHOP_NAME"'].map((text) => `${call}(${text})`);
    const add = requirement ? [requirement] : [];
    expect(() => proofOf(backend(head, ...read), { add })).toThrow(
      /Set environment: \{ SHOP_TOKEN: 'unused', SHOP_NAME: '\.\.\.' \}, with/,
    );
  },
);

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
  expect(() => proofOf(directory, { add })).toThrow(
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
  [
    'JSON of pydantic-settings',
    'from pydantic_settings import BaseSettings',
    'class Settings(BaseSettings):',
    '    shop_port: list[int]',
    'Settings()',
  ],
  [
    'JSON of Pydantic 1',
    'from pydantic.v1 import BaseSettings',
    'class Settings(BaseSettings):',
    '    shop_port: dict',
    'Settings()',
  ],
])('the variable with a wrong value for %s is reported', (_, ...lines) => {
  const environment = { SHOP_NAME: 'shop', SHOP_PORT: 'many' };
  expect(() => proofOf(backend(...lines), { environment, add: ['pydantic-settings==2.11.0'] })).toThrow(
    /^env\.py of .* fails: \w+: .*\. Correct the value of SHOP_PORT in environment$/,
  );
});

test('a revision that fails in another way is a warning with the settings that the backend reads', () => {
  const revision = revisionFile('c3', 'b2');
  const directory = writeFiles(backend('from alembic import context'), {
    'settings.py': 'import os\nOTHER = os.getenv("STOCK_DB_URL")\nFILE = os.getenv("SHOP_CONFIG")\n',
    'migrations/versions/c3.py': `import settings\nif not settings.FILE:\n    raise LookupError("no configuration")\n${revision}`,
  });
  expect(proofOf(directory)).toEqual([
    expect.stringMatching(
      /^a revision of .* fails with the function's environment: LookupError: no configuration \(backend\/migrations\/versions\/c3\.py:3\)\. If it needs a setting, set it with environment: the backend reads SHOP_CONFIG, STOCK_DB_URL, not set here$/,
    ),
  ]);
});

test('a scheme that the backend does not accept is rejected with how to set it', () => {
  expect(() =>
    proofOf(backend('import os', 'assert os.environ["DATABASE_URL"].startswith("postgresql://"), "wrong scheme"')),
  ).toThrow(/ Set the scheme that it accepts, such as DatabaseVariables\.url\('DATABASE_URL', \{ scheme: 'postgresql' \}\)$/);
});

test('an unnamed Flask application is rejected with the variable that names it, and .flaskenv may name it', () => {
  const files = {
    'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\npython-dotenv>=1\n',
    'shop/__init__.py': '',
    'shop/start.py': 'import os\nfrom flask import Flask\n\ndef create():\n    return Flask(os.environ["SHOP"])\n',
  };
  const directory = writeFiles(backend('from flask import current_app'), files);
  expect(() => proofOf(directory)).toThrow(/ fails: NoAppException: .*\. Set environment: \{ FLASK_APP: '\.\.\.' \}, with/);
  proofOf(writeFiles(directory, { '.flaskenv': 'FLASK_APP=shop.start:create\nSHOP=shop\n' }));
});

test.each([
  ['reads', 'context.get_x_argument(as_dictionary=True)["stage-name"]'],
  ['asks for', 'assert context.get_x_argument(as_dictionary=True).get("stage-name"), "no stage"'],
  ['looks for', 'assert "stage-name" in context.get_x_argument(as_dictionary=True), "no stage"'],
])('an env.py that %s an argument of -x is rejected with a variable to read instead', (_, line) => {
  expect(() => proofOf(backend('from alembic import context', line))).toThrow(
    /\. If it needs -x stage-name, which no deploy passes, let it also read os\.environ\["STAGE_NAME"\], and set environment: \{ STAGE_NAME: '\.\.\.' \}$/,
  );
});

test('a Flask application whose factory needs arguments is rejected with the variable that names it, and its value in the Dockerfile', () => {
  const files = {
    'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\n',
    'app.py': 'from flask import Flask\n\ndef create_app(application):\n    return application\n',
    'wsgi_shop.py':
      'import os\nfrom flask import Flask\nfrom app import create_app\nos.environ["SHOP"]\napp = create_app(Flask("shop"))\n',
  };
  const directory = writeFiles(backend('from flask import current_app'), files);
  expect(() => proofOf(directory)).toThrow(
    / fails: NoAppException: Detected factory 'create_app' in module 'app'.*\. Set environment: \{ FLASK_APP: '\.\.\.' \}, with/,
  );
  const images = {
    'deploy/api/Dockerfile': 'FROM python\nENV FLASK_APP=/app/wsgi_shop.py\n',
    'deploy/Dockerfile.web': 'FROM nginx\n',
  };
  writeFiles(directory, images);
  expect(() => proofOf(directory)).toThrow(/\. Set environment: \{ FLASK_APP: 'wsgi_shop\.py' \}, as in the Dockerfile$/);
  writeFiles(directory, { Dockerfile: 'FROM python\nENV FLASK_APP=wsgi_shop.py \\\n    PORT=80\n' });
  expect(() => proofOf(directory)).toThrow(/\. Set environment: \{ FLASK_APP: 'wsgi_shop\.py' \}, as in the Dockerfile$/);
});

test('a library of the operating system that is missing is rejected with an image, not with a distribution or a setting alone', () => {
  expect(() => proofOf(backend('import ctypes', 'ctypes.cdll.LoadLibrary("libshop.so.2")'))).toThrow(
    / fails: OSError: libshop\.so\.2: .*\. libshop\.so\.2 is a library of the operating system, .*: use MigrationCode\.fromImage and install it there, /,
  );
});

test('missing settings are reported, the last one first, without those of libraries', () => {
  const directory = backend(
    'import os, psycopg',
    'os.getenv("LOG_LEVEL"), os.getenv("TOKEN")',
    // It reads PGCONNECT_TIMEOUT.
    'psycopg.conninfo.timeout_from_conninfo({})',
    'os.environ.get("SQLALCHEMY_DATABASE_URI").split()',
  );
  expect(() => proofOf(directory)).toThrow(
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
  expect(() => proofOf(directory, { add: ['pydantic-settings==2.11.0'] })).toThrow(
    /fails: ArgumentError: .*\. If it needs a setting, name the database's variables with DatabaseVariables\.url\('DB_CONNECTION'\)$/,
  );
});

test('a setting that is known only at deploy time may be missing', () => {
  const directory = backend('import os', 'os.environ["SIGNING_KEY"]');
  expect(proofOf(directory, { hasUnknownVariables: true })).toEqual([]);
});
