import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migratePackage } from '../../../lib/cli/migrate-package/main';
import { temporaryDirectory, writeFiles } from '../../packaging/support';

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
    'Say which one to use, such as --alembic-config a/alembic.ini',
  ],
  ['a pyproject.toml that is not TOML', () => folder({ 'pyproject.toml': 'name =\n' }), "pyproject.toml can't be read as TOML: "],
])('%s fails with exit code 1 and the reason, and writes nothing', (_, backend, reason) => {
  const output = join(temporaryDirectory(), 'migrate.zip');
  expect(migratePackage([backend(), '--output', output], '1')).toBe(1);
  expect(printed).toContain(reason);
  expect(existsSync(output)).toBe(false);
});
