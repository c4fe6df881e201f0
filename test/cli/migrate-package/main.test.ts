import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migratePackage } from '../../../lib/cli/migrate-package/main';
import { revisionFile, temporaryDirectory, writeFiles } from '../../packaging/support';

let printed: string;
beforeEach(() => {
  printed = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => jest.restoreAllMocks());

const folder = (files: Record<string, string>) => writeFiles(temporaryDirectory(), files);

test.each([
  ['a file in place of the folder', () => join(folder({ 'alembic.ini': '' }), 'alembic.ini'), 'is not a directory'],
  [
    'a folder with two configurations',
    () => folder({ 'a/alembic.ini': '', 'b/alembic.ini': '' }),
    'Say which one to use, such as --alembic-config a/alembic.ini (https://',
  ],
  ['a pyproject.toml that is not TOML', () => folder({ 'pyproject.toml': 'name =\n' }), "pyproject.toml can't be read as TOML: "],
])('%s fails with exit code 1 and the reason, and writes nothing', (_, backend, reason) => {
  const output = join(temporaryDirectory(), 'migrate.zip');
  expect(migratePackage([backend(), '--output', output], '1')).toBe(1);
  expect(printed).toContain(reason);
  expect(existsSync(output)).toBe(false);
});

test('a build that fails is shown with its code, and in GitHub as an annotation', () => {
  const backend = folder({
    'setup.py': 'raise SystemExit("set SHOP_HOME first")\n',
    'alembic.ini': '[alembic]\nscript_location = alembic\n',
    'alembic/env.py': '',
    'alembic/versions/a1.py': revisionFile('a1', null),
  });
  const { GITHUB_ACTIONS } = process.env;
  process.env.GITHUB_ACTIONS = 'true';
  try {
    expect(migratePackage([backend, '--output', join(temporaryDirectory(), 'migrate.zip')], '1')).toBe(1);
  } finally {
    process.env.GITHUB_ACTIONS = GITHUB_ACTIONS;
    if (GITHUB_ACTIONS === undefined) delete process.env.GITHUB_ACTIONS;
  }
  const page = 'https://cdk-alembic.github.io/cdk-alembic/packaging-errors.html#build_failed';
  const reason = `${backend} can't be built (set SHOP_HOME first): change it until "uv build --wheel" works there (${page})`;
  expect(printed).toBe(`✗ build_failed: ${reason}\n::error title=build_failed::${reason}\n`);
});
