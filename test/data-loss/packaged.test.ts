import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, MANIFEST_FILE } from '../../lib/contract';
import { manifestWarnings, writeManifest } from '../../lib/packaging/layout/manifest';
import { checkAlembicProject } from '../../lib/packaging/project/alembic-project';
import { listFiles } from '../../lib/packaging/project/sources';
import { findDataLosses } from '../../lib/packaging/proof/data-losses';

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'data-loss-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FILES = {
  'alembic.ini': '[alembic]\nscript_location = alembic\n',
  'alembic/env.py': 'from alembic import op\nop.drop_table("not_a_revision")\n',
  'alembic/versions/aa.py': 'revision = "aa"\ndown_revision = None\n\n\ndef upgrade():\n    gone("users")\n',
  'alembic/versions/bb.py': 'revision = "bb"\ndown_revision = "aa"\n\n\ndef upgrade():\n    print("DROP TABLE users")\n',
};

test('the manifest says what each revision destroys, so that the function does not guess it', () => {
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
  writeManifest(folder, alembic, [], undefined, false, destroys);
  expect(JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')).destroys).toEqual({
    'alembic/versions/aa.py': [{ rule: 'drop-table', what: 'DROP TABLE users', line: 7 }],
  });
});

test('a package whose revisions could not be read warns that the guard finds less', () => {
  for (const [destroys, warnings] of [
    [{}, []],
    [undefined, [expect.stringContaining('install Python 3.11 or later')]],
  ] as const) {
    writeManifest(folder, { config: 'alembic.ini', folder: '.' }, [], undefined, false, destroys);
    expect(manifestWarnings(folder)).toEqual(warnings);
  }
});
