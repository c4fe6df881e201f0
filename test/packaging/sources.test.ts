import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hashFiles, listSources } from '../../lib/packaging/project/sources';
import { temporaryDirectory, writeFiles } from './support';

function sourcesOf(files: readonly string[], alembicPaths: readonly string[] = [], exclude: readonly string[] = []): string[] {
  const root = writeFiles(temporaryDirectory(), Object.fromEntries(files.map((file) => [file, ''])));
  return listSources(
    root,
    alembicPaths.map((path) => join(root, path)),
    exclude,
  );
}

test('secrets, environments, caches, locks, logs and tests are left out', () => {
  const left = [
    '.env',
    '.env.prod',
    '.git/HEAD',
    '.venv/x.py',
    'myenv/pyvenv.cfg',
    'myenv/lib/x.py',
    'tests/test_app.py',
    'test/x.py',
  ];
  const caches = ['app/__pycache__/main.cpython-313.pyc', 'app/old.pyc', 'node_modules/a/index.js', '.ruff_cache/x'];
  const locks = ['uv.lock', 'libs/shared/poetry.lock'];
  expect(sourcesOf([...left, ...caches, ...locks, 'app.log', 'logs/app.log.1', 'app/main.py', 'pyproject.toml'])).toEqual([
    'app/main.py',
    'pyproject.toml',
  ]);
});

test('a nested package named tests is kept, because the backend may import it', () => {
  expect(sourcesOf(['app/tests/factory.py'])).toEqual(['app/tests/factory.py']);
});

test('a folder that Alembic reads is kept, whatever its name and the excludes', () => {
  const files = ['tests/migrations/env.py', 'tests/migrations/versions/test_a1.py', 'tests/test_app.py'];
  expect(sourcesOf(files, ['tests/migrations', 'tests/migrations/versions'], ['tests', 'test_*.py', 'versions'])).toEqual(
    files.slice(0, 2),
  );
});

test('caches and .env files are left out even there', () => {
  const files = ['alembic/versions/__pycache__/a1.cpython-313.pyc', 'alembic/.env', 'alembic/versions/a1.py'];
  expect(sourcesOf(files, ['alembic', 'alembic/versions'])).toEqual(['alembic/versions/a1.py']);
});

test.each<[string, string[]]>([
  ['*.csv', ['app/a.py', 'data/seed/b.sql']],
  ['data', ['app/a.py', 'app/a.csv']],
  ['data/seed', ['app/a.py', 'app/a.csv', 'data/c.csv']],
  ['/data/', ['app/a.py', 'app/a.csv']],
  ['**/*.sql', ['app/a.csv', 'app/a.py', 'data/c.csv']],
  ['app/?.py', ['app/a.csv', 'data/c.csv', 'data/seed/b.sql']],
])('exclude accepts %s', (pattern, left) => {
  expect(sourcesOf(['app/a.py', 'app/a.csv', 'data/c.csv', 'data/seed/b.sql'], [], [pattern])).toEqual([...left].sort());
});

test('a symbolic link to its own folder does not loop', () => {
  const root = writeFiles(temporaryDirectory(), { 'app/a.py': '' });
  symlinkSync(root, join(root, 'app', 'loop'));
  expect(listSources(root, [], [])).toEqual(['app/a.py']);
});

test('the hash changes if a file is renamed or content moves between files', () => {
  const hashOf = (files: Record<string, string>) => hashFiles(writeFiles(temporaryDirectory(), files), Object.keys(files).sort());
  const hashes = [
    { a: '1', b: '2' },
    { a: '1', c: '2' },
    { a: '2', b: '1' },
    { a: '12', b: '' },
    { a1: '', b: '2' },
  ].map((files) => hashOf(files as unknown as Record<string, string>));
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hashOf({ a: '1', b: '2' })).toBe(hashes[0]);
});
