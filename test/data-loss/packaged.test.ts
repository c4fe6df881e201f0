import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY, MANIFEST_FILE } from '../../lib/contract';
import { checkAlembicProject } from '../../lib/packaging/alembic-project';
import { directoryPackage } from '../../lib/packaging/directory';

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
  const [source, target] = [join(folder, 'source'), join(folder, 'target')];
  const helper = 'from app.helpers import gone\n';
  const files = {
    ...FILES,
    'alembic/versions/aa.py': helper + FILES['alembic/versions/aa.py'],
    'app/helpers.py': 'from alembic import op\n\n\ndef gone(name):\n    op.execute(f"DROP TABLE {name}")\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(source, BACKEND_DIRECTORY, name)), { recursive: true });
    writeFileSync(join(source, BACKEND_DIRECTORY, name), text);
  }
  mkdirSync(join(source, DEPENDENCIES_DIRECTORY));
  mkdirSync(target);
  const { alembic } = checkAlembicProject(join(source, BACKEND_DIRECTORY));
  if (!alembic) throw new Error('the project was not found');
  directoryPackage(source, alembic, { pythonVersion: '3.13', architecture: 'arm64' }).build(target);
  expect(JSON.parse(readFileSync(join(target, MANIFEST_FILE), 'utf8')).destroys).toEqual({
    'alembic/versions/aa.py': [{ rule: 'drop-table', what: 'DROP TABLE users', line: 7 }],
  });
});
