import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checked, host, packageOf, revisionFile, temporaryDirectory, writeFiles } from '../support';
import { backend, KNOWN, packaged, proofOf } from './support';

jest.setTimeout(300_000);

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
  expect(() => proofOf(withBranch(revisionFile('r1', 'a1')))).toThrow(
    /^the migrations of .* can't be deployed: the scripts have 2 heads: b2, r1: merge them with `alembic merge -m "Merge heads" b2 r1`/,
  );
});

test('a revision id that two such folders have is rejected with both files', () => {
  expect(() => proofOf(withBranch(revisionFile('b2', 'a1')))).toThrow(
    /can't be deployed: two files have the revision id b2: b2_first_customer\.py and r1\.py: give one of them a new id/,
  );
});

test('several heads in such folders that all have labels are packaged', () => {
  const labelled = (label: string, text: string) => `${text}branch_labels = ("${label}",)\n`;
  const directory = withBranch(labelled('reports', revisionFile('r1', 'a1')));
  const main = join(directory, 'migrations', 'versions', 'b2_first_customer.py');
  writeFileSync(main, labelled('main', readFileSync(main, 'utf8')));
  proofOf(directory);
});

test.each([
  ['ends the process at exit', 'import atexit, os; atexit.register(os._exit, 3)'],
  ['keeps a thread that never ends', 'import threading; threading.Thread(target=threading.Event().wait).start()'],
])('a backend that %s is loaded', (_, line) => {
  proofOf(backend(line));
});

test('a backend with its own package named alembic is loaded with the real one', () => {
  proofOf(writeFiles(backend(), { 'alembic/__init__.py': '' }));
});

test('env.py finds an address in the variables that the function sets', () => {
  const lines = [
    'import os',
    'from sqlalchemy import make_url',
    'url = make_url(os.environ["DATABASE_URL"])',
    'if url.drivername == "postgresql+psycopg" and os.environ["DB_PORT"] == "5432":',
    '    import reached',
  ];
  expect(() => proofOf(backend(...lines), { databaseVariables: { url: 'DATABASE_URL', port: 'DB_PORT' } })).toThrow(
    /^migrations\/env\.py:5 imports reached, /,
  );
});

test.each(['from app import version', 'import app.version', 'from app.version import NUMBER'])(
  'a module that the build must generate first is reported: %s',
  (line) => {
    const directory = writeFiles(backend(line), { 'app/__init__.py': '' });
    expect(() => proofOf(directory)).toThrow(
      /^migrations\/env\.py:1 imports app\.version, which the package of .* does not have: if your build generates it, run that first$/,
    );
  },
);

test('a module that migrations import and an excluded distribution has is reported as left out', () => {
  const directory = backend('import decouple');
  expect(() => proofOf(directory, { without: ['decouple'] })).toThrow(
    / imports decouple, which .* does not have: decouple is left out: keep its import out of/,
  );
});

test('a missing module that another requirements file has is reported with that file', () => {
  const directory = writeFiles(backend('import flask_caching'), {
    'requirements.txt': 'alembic>=1.16\npsycopg[binary]>=3.2\nsqlalchemy>=2\n',
    'requirements/dev.txt': 'flask-caching\n',
    'requirements/prod.txt': 'Flask_Caching==2.3.1\n',
  });
  expect(() => proofOf(directory)).toThrow(
    / imports flask_caching, .*: requirements\/prod\.txt has it: install that file too, with requirements: \['requirements\.txt', 'requirements\/prod\.txt'\]$/,
  );
});

test('a missing module that a project of the same repository has is reported with that project', () => {
  const repository = writeFiles(temporaryDirectory(), {
    '.git/HEAD': '',
    'packages/shop-common/pyproject.toml': '[project]\nname = "shop-common"\nversion = "1"\n',
  });
  cpSync(backend('import shop_common.models'), join(repository, 'db'), { recursive: true });
  expect(() => proofOf(join(repository, 'db'))).toThrow(
    / imports shop_common, .*: \.\.\/packages\/shop-common\/pyproject\.toml has this name: requirements: \['requirements\.txt', '\.\.\/packages\/shop-common\/pyproject\.toml'\] packages it from there$/,
  );
});

test('a missing module of the same repository is reported with the folder to pass', () => {
  const repository = writeFiles(temporaryDirectory(), { '.git/HEAD': '', 'common/__init__.py': '' });
  cpSync(backend('import common'), join(repository, 'db'), { recursive: true });
  expect(() => proofOf(join(repository, 'db'))).toThrow(
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
  expect(() => proofOf(backend(...lines))).toThrow(/^migrations\/env\.py:2 imports greenlet_of_the_team, which the package of /);
});

test('an SQLAlchemy or Alembic that cannot be imported is rejected', () => {
  const directory = backend();
  const { target } = packaged(directory);
  const sqlalchemy = join(target, 'site-packages', 'sqlalchemy');
  rmSync(join(sqlalchemy, '__pycache__'), { recursive: true, force: true });
  writeFileSync(join(sqlalchemy, '__init__.py'), 'raise AssertionError("not on this Python")\n');
  const other = packageOf(directory, host, { ...KNOWN, environment: { A: target } });
  expect(() => other.prove(target)).toThrow(
    /^env\.py of .* fails: AssertionError: not on this Python \(site-packages\/sqlalchemy/,
  );
});

test('an import that fails in any environment is rejected', () => {
  const line = 'raise ImportError("the validator is not installed")';
  expect(() => proofOf(backend(line))).toThrow(
    /^env\.py of .* fails: ImportError: the validator is not installed \(backend\/migrations\/env\.py:1\)\. If a distribution or a version is missing, add it to .*requirements\.txt$/,
  );
});

test('a name that no longer exists is rejected, although a distribution has a library for every version of Python', () => {
  expect(() => proofOf(backend('from sqlalchemy import gone'), { add: ['bcrypt==4.3.0'] })).toThrow(
    /^env\.py of .* fails: ImportError: cannot import name 'gone' from 'sqlalchemy' .*\(backend\/migrations\/env\.py:1\)/,
  );
});

test('a module in a folder that is on the path only where people run Alembic is found, and the error names the folder', () => {
  const directory = writeFiles(backend('import shop.models'), {
    'services/api/shop/__init__.py': '',
    'services/api/shop/models.py': 'import prices',
    'services/api/prices.py': '',
  });
  expect(packaged(directory).warnings).toEqual([
    "migrations/env.py:1 imports shop from services/api, which alembic.ini does not put on Python's path. The function adds it. " +
      'For the alembic command, set "prepend_sys_path = services/api" in alembic.ini and call it in the backend\'s folder',
  ]);
});

test('a module that two folders have is not guessed', () => {
  const directory = writeFiles(backend('import shop'), { 'one/shop.py': '', 'two/shop.py': '' });
  expect(() => proofOf(directory)).toThrow(/^migrations\/env\.py:1 imports shop, which the package of /);
});

test('a revision that no setting can repair is rejected', () => {
  const directory = writeFiles(backend(), {
    'migrations/versions/c3.py': `from alembic.op import no_such_operation\n${revisionFile('c3', 'b2')}`,
  });
  expect(() => proofOf(directory)).toThrow(/^a revision of .* fails: ImportError: cannot import name 'no_such_operation' from/);
});

test('a syntax error in a revision is rejected with its line', () => {
  const directory = writeFiles(backend(), { 'migrations/versions/c3.py': `${revisionFile('c3', 'b2')}\nprint(\n` });
  expect(() => proofOf(directory)).toThrow(
    / fails: SyntaxError: '\(' was never closed \(backend\/migrations\/versions\/c3\.py:\d+\)\. Correct that line, or set runtime to a Python that accepts it$/,
  );
});

test('a name that a module lacks is an error also for a function on another architecture', () => {
  const architecture = host.architecture === 'arm64' ? 'x86_64' : 'arm64';
  const directory = writeFiles(backend('from shop import ORDERS'), { 'shop.py': '' });
  // It has no compiled part that needs a newer Linux than some Pythons of Lambda have.
  const options = { ...KNOWN, without: ['psycopg'], add: ['pg8000'] };
  expect(() => packageOf(directory, { ...host, architecture }, options).build(temporaryDirectory())).toThrow(
    /^env\.py of .* fails: ImportError: cannot import name 'ORDERS' from 'shop' /,
  );
});

test.each([
  // This version has a folder pydantic_core/_pydantic_core without a module.
  ['beside a folder with its types', 'pydantic-core==2.50.5', 'from pydantic_core import SchemaValidator'],
  ['with another name than its distribution', 'rpds-py==2026.9.1', 'from rpds import HashTrieMap'],
])('a compiled module %s is found for a function on another architecture', (_, requirement, line) => {
  const architecture = host.architecture === 'arm64' ? 'x86_64' : 'arm64';
  const options = { ...KNOWN, without: ['psycopg'], add: ['pg8000', requirement] };
  const target = temporaryDirectory();
  const unbuilt = packageOf(backend(line), { ...host, architecture }, options);
  unbuilt.build(target);
  expect(unbuilt.prove(target)).toEqual([]);
});

test('a module that the Flask application cannot import is reported', () => {
  const directory = writeFiles(backend('from flask import current_app'), {
    'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\n',
    'app.py': 'import mailer_of_the_team\n',
  });
  expect(() => proofOf(directory)).toThrow(/^app\.py:1 imports mailer_of_the_team, which the package of /);
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

test('a driver that SQLAlchemy 2.1 misses is named where the backend builds the address, if its settings have the parts', () => {
  const directory = backend(
    'from pydantic_settings import BaseSettings',
    'class Settings(BaseSettings):\n    shop_db_host: str = "localhost"\n    shop_db_password: str = ""',
    'import psycopg',
  );
  const file = join(directory, 'database.txt');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^psycopg.*/m, 'psycopg2-binary==2.9.11\npydantic-settings==2.11.0'));
  expect(() => proofOf(directory)).toThrow(
    /To use psycopg2, name it where the backend builds the address: postgresql\+psycopg2:\/\/\./,
  );
});
