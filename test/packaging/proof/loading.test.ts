import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { revisionFile, writeFiles } from '../support';
import { backend, packaged, proofOf } from './support';

jest.setTimeout(300_000);

describe('a Flask application that connects to the database when it is loaded', () => {
  const ENGINE = 'sa.create_engine(os.environ["DATABASE_URL"]).connect()';
  const warnings = (connect: string, ...lines: string[]) => {
    const directory = writeFiles(backend('from flask import current_app', 'current_app.name', 'import shop_prices'), {
      'database.txt': 'psycopg[binary]>=3.2\nsqlalchemy>=2\nflask>=3\n',
      'app.py': [
        'import os, socket, psycopg, sqlalchemy as sa',
        'from flask import Flask',
        'app = Flask(__name__)',
        'url = sa.make_url(os.environ["DATABASE_URL"])',
        'def count():',
        `    ${connect}`,
        ...lines,
        '',
      ].join('\n'),
    });
    return proofOf(directory);
  };

  test.each([
    ['an engine', ENGINE, 'sa.exc.OperationalError'],
    ['a driver', 'psycopg.connect(host=url.host)', 'psycopg.OperationalError'],
  ])('with %s is checked to the end if it goes on without', (_, connect, error) => {
    const without = ['try:', '    count()', `except ${error}:`, '    pass'];
    expect(() => warnings(connect, ...without)).toThrow(/ imports shop_prices, which /);
  });

  test.each([
    ['an engine', ENGINE],
    ['a driver', 'psycopg.connect(host=url.host)'],
    ['a socket', 'socket.create_connection((url.host, url.port))'],
  ])('with %s causes a warning if it does not', (_, connect) => {
    expect(warnings(connect, 'count()')).toEqual([
      'app.py:6 connects to the database when it is loaded. Packaging connects to nothing, so what comes after it could not be verified',
    ]);
  });
});

test("a revision that needs Alembic's connection passes", () => {
  proofOf(
    writeFiles(backend(), {
      'migrations/versions/c3.py': `from alembic import op\nop.get_bind()\n${revisionFile('c3', 'b2')}`,
    }),
  );
});

test('code after a check of the architecture is loaded too', () => {
  const directory = backend('import platform', 'platform.architecture()', 'import shop_missing');
  expect(() => proofOf(directory)).toThrow(/ imports shop_missing, which /);
});

test('code after a question to git is loaded too, and rejected if it needs an answer', () => {
  const asks = (...after: string[]) => backend('import subprocess', 'try:', '    subprocess.run(["git", "describe"])', ...after);
  expect(() => proofOf(asks('except OSError:', '    import shop_missing'))).toThrow(/ imports shop_missing, which /);
  expect(() => proofOf(asks('finally:', '    pass'))).toThrow(
    /Lambda has no such command: 'git' .*\. Catch the FileNotFoundError there, or start git only if shutil\.which\("git"\) finds it$/,
  );
});

test('code after a search for a shared library is loaded too, unless this machine lacks the library', () => {
  const searching = (library: string) =>
    backend('from ctypes.util import find_library', `find_library("${library}")`, 'import shop_missing');
  expect(() => proofOf(searching('c'))).toThrow(/ imports shop_missing, which /);
  proofOf(searching('shop_unknown'));
});

describe('a library that fetches something when it is imported', () => {
  const fetching =
    'import urllib.request\n\ndef fetch():\n    return urllib.request.urlopen("https://shop.invalid/prices").read()\n';
  const warnings = (prices: string, ...env: string[]) => {
    const directory = writeFiles(backend('import prices', ...env), { 'prices.py': `${fetching}\n${prices}\n` });
    return proofOf(directory);
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
  expect(() => proofOf(backend('', `exec(${compiled})`))).toThrow(
    / fails: ValueError: fast \(backend\/migrations\/env\.py:2\)\. /,
  );
});

test('a long error ends with an ellipsis', () => {
  expect(() => proofOf(backend('raise ValueError("shop " * 500)'))).toThrow(/ fails: ValueError: (?:shop )+\w*… \(backend\//);
});

test('a folder that the package lacks is reported, and an empty file keeps it', () => {
  const directory = backend('import logging', 'logging.FileHandler("logs/app.log")');
  expect(() => packaged(directory)).toThrow(
    /^env\.py of .* fails: FileNotFoundError: .* 'logs\/app\.log' .*\. The package has no folder logs: create it in the code, or keep it with an empty file logs\/\.gitkeep$/,
  );
  packaged(writeFiles(directory, { 'logs/.gitkeep': '', 'logs/app.log': 'of this machine' }));
});

test.each([
  ['.env', 'The package leaves out \\.env: use it only if it exists, or rename it'],
  ['shop.toml', 'has no shop\\.toml: add it, or use it only if it exists'],
])('the file %s that the package lacks is reported', (file, next) => {
  const directory = backend('from pathlib import Path', `Path(${JSON.stringify(file)}).read_text()`);
  if (file === '.env') writeFiles(directory, { [file]: '' });
  expect(() => proofOf(directory)).toThrow(new RegExp(`fails: FileNotFoundError: .*\\. .*${next}$`));
});

test('an env.py that reads the logging of an alembic.ini is told that there is none', () => {
  const directory = backend();
  rmSync(join(directory, 'alembic.ini'));
  const env = `from logging.config import fileConfig\nfrom alembic import context\nfileConfig(context.config.config_file_name)\n`;
  const location = '[tool.alembic]\nscript_location = "%(here)s/migrations"\n';
  writeFiles(directory, { 'migrations/env.py': env, 'pyproject.toml': location });
  expect(() => proofOf(directory)).toThrow(/ has no alembic\.ini: add it, or use it only if it exists$/);
});

test.each([
  ['opens a file to write', 'open("/var/log/app.log", "a")'],
  ['creates a folder', 'import os; os.makedirs("/opt/shop", exist_ok=True)'],
])('code that %s outside of its own folder is rejected, because Lambda cannot write there', (_, line) => {
  expect(() => proofOf(backend(line))).toThrow(
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
  expect(() => packaged(directory)).toThrow(/^migrations\/env\.py:2 imports shop_missing, which /);
  const { target, manifest } = packaged(writeFiles(directory, { 'shop_missing.py': '' }));
  expect(manifest.writes).toBe(true);
  expect(readdirSync(join(target, 'backend')).sort()).not.toContain('logs');
  expect(readdirSync(join(target, 'backend', 'var'))).toEqual(['rows.csv']);
});

test('an env.py that writes beside its code, where a variable says, is rejected with the variable', () => {
  const directory = backend('import os', 'os.makedirs(os.getenv("SHOP_DATA_DIR", "/shop"))');
  expect(() => proofOf(directory)).toThrow(/ If SHOP_DATA_DIR says where, set environment: \{ SHOP_DATA_DIR: '\/tmp' \}$/);
});

test('code that writes to /tmp or tolerates a failed write is packaged', () => {
  proofOf(
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
