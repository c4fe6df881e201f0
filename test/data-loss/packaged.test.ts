import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, MANIFEST_FILE } from '../../lib/contract';
import { manifestWarnings, writeManifest } from '../../lib/packaging/layout/manifest';
import { checkAlembicProject } from '../../lib/packaging/project/alembic-project';
import { listFiles } from '../../lib/packaging/project/sources';
import { findDataLosses, readDataLosses } from '../../lib/packaging/proof/data-losses';
import { judged } from './judged';

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'data-loss-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FILES = {
  'alembic.ini': '[alembic]\nscript_location = alembic\n',
  'alembic/env.py': 'from alembic import op\nop.drop_table("not_a_revision")\n',
  'alembic/versions/aa.py': 'revision = "aa"\ndown_revision = None\n\n\ndef upgrade():\n    gone("users")\n',
  'alembic/versions/bb.py': 'revision = "bb"\ndown_revision = "aa"\n\n\ndef upgrade():\n    print("DROP TABLE users")\n',
};

test('the manifest says what each revision destroys, so the function does not have to guess', () => {
  const helper = 'from app.helpers import gone\n';
  const files = {
    ...FILES,
    'alembic/versions/aa.py': helper + FILES['alembic/versions/aa.py'],
    'app/helpers.py': 'from alembic import op\n\n\ndef gone(name):\n    op.execute(f"DROP TABLE {name}")\n',
  };
  const backend = join(folder, BACKEND_DIRECTORY);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(backend, name)), { recursive: true });
    writeFileSync(join(backend, name), text);
  }
  const { alembic } = checkAlembicProject(backend);
  if (!alembic) throw new Error('the project was not found');
  const destroys = findDataLosses(backend, alembic.paths, listFiles(backend));
  writeManifest(folder, alembic, { roots: [], destroys });
  expect(JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')).destroys).toEqual({
    'alembic/versions/aa.py': [{ rule: 'drop-table', what: 'DROP TABLE users', line: 7, of: { kind: 'table', name: 'users' } }],
  });
});

test('a package whose revisions could not be read has a warning that the guard finds less', () => {
  for (const [destroys, warnings] of [
    [{}, []],
    [undefined, [expect.stringContaining('install Python 3.11 or later')]],
  ] as const) {
    writeManifest(folder, { config: 'alembic.ini', folder: '.' }, { roots: [], destroys });
    expect(manifestWarnings(folder)).toEqual(warnings);
  }
});

describe('an upgrade that is not a function of the file', () => {
  const unread = { rule: 'unread-sql', what: "runs Python code that can't be read", line: 1 };
  const dropped = (line: number) => ({
    rule: 'drop-table',
    what: 'DROP TABLE users',
    line,
    of: { kind: 'table', name: 'users' },
  });
  const callable = 'class Gone:\n    def __call__(self):\n        op.drop_table("users")\n\n';
  const chosen = 'if os.environ["A"]:\n    upgrade = Gone()\nelse:\n    upgrade = their_library.upgrade';
  const cases = [
    { title: 'is imported from a library', head: 'from their_library import upgrade', found: [unread] },
    { title: 'a library makes', head: 'import their_library\nupgrade = their_library.upgrade_of("users")', found: [unread] },
    { title: 'is imported with all other names', head: 'from their_library import *', found: [unread] },
    { title: 'is bound at run time', head: 'globals()["upgrade"] = lambda: op.drop_table("users")', found: [unread] },
    { title: 'is a callable object', head: `${callable}upgrade = Gone()`, found: [dropped(11)] },
    { title: 'is chosen at run time', head: `import os, their_library\n${callable}${chosen}`, found: [unread, dropped(12)] },
  ];
  const results = judged(cases);

  test.each(cases.map(({ title, found }, index) => [title, found, index] as const))('but %s is reported', (_, found, index) => {
    expect(results[index]).toEqual(found);
  });
});

test('a failure to judge the revisions is not mistaken for a missing Python', () => {
  const node = jest.replaceProperty(process, 'execPath', '/nowhere/node');
  try {
    expect(() => judged([{ title: 'any', up: 'op.drop_table("users")' }])).toThrow(
      /^could not determine what the revisions destroy: spawnSync \/nowhere\/node ENOENT$/,
    );
  } finally {
    node.restore();
  }
});

test('a failure to read the revisions is not mistaken for a missing Python', () => {
  expect(() => readDataLosses('python3', '\0', ['aa.py'])).toThrow(
    /^could not determine what the revisions destroy: ValueError: .*null/,
  );
});

test.each([
  ['is missing', '/nowhere/python3'],
  ['only says that it is not installed', 'false'],
])('a Python that %s reads nothing', (_, python) => {
  expect(readDataLosses(python, folder, ['aa.py'])).toBeUndefined();
});

test('a recursion that is too deep to read is reported', () => {
  const head = 'def gone(tables):\n    if tables:\n        op.drop_table(tables[0])\n        gone(tables[1:])\n';
  const [found] = judged([{ title: 'recursion', head, up: 'gone(["a", "b", "c", "d", "e"])' }]);
  expect(found).toContainEqual(expect.objectContaining({ rule: 'unread-sql', what: "runs a recursion that can't be read" }));
});

test('a helper module next to the revisions is not reported', () => {
  const backend = mkdtempSync(join(folder, 'helper-'));
  writeFileSync(join(backend, 'helper.py'), 'from their_library import *\n\n\ndef gone(name):\n    return name\n');
  expect(readDataLosses('python3', backend, ['helper.py'])).toEqual({});
});
