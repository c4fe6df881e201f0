import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { needed } from '../production/environment';
import { CIRCLES, CROWDED, UP } from './exceptions';
import { circles, type Imports } from './graph';
import { PACKAGES, PYTHON, TYPESCRIPT } from './rooms';
import { arrowsUp, crowdedFolders, strangePackages } from './rules';
import { typescriptImports } from './typescript-imports';

const root = path.join(__dirname, '../..');

const typescript = typescriptImports(root);
const python = pythonImports(path.join(root, 'lambda/migrate'));

/** What every Python file imports from the others, by their paths from the folder. */
function pythonImports(folder: string): Imports {
  const read = spawnSync(needed('RUNNER_PYTHON'), [path.join(__dirname, 'imports.py'), folder], { encoding: 'utf8' });
  if (read.status !== 0) throw new Error(read.stderr);
  return new Map(Object.entries(JSON.parse(read.stdout)));
}

test('the check reads all files', () => {
  expect(typescript.files.get('lib/cli/migrate-invoke/main.ts')).toContain('lib/contract/index.ts');
  expect(typescript.packages.get('lib/constructs/alembic-migration.ts')).toContain('aws-cdk-lib');
  expect(python.get('cdk_alembic/handler.py')).toContain('cdk_alembic/run/commands.py');
});

test('no TypeScript files import each other in a cycle', () => {
  expect(CIRCLES.typescript).toEqual(expect.arrayContaining(circles(typescript.files)));
});

test('no Python files import each other in a cycle', () => {
  expect(CIRCLES.python).toEqual(expect.arrayContaining(circles(python)));
});

test('TypeScript imports only from rooms below', () => {
  expect(UP.typescript).toEqual(expect.arrayContaining(arrowsUp(typescript.files, TYPESCRIPT)));
});

test('Python imports only from rooms below', () => {
  expect(UP.python).toEqual(expect.arrayContaining(arrowsUp(python, PYTHON)));
});

test('only the constructs import the CDK', () => {
  expect(strangePackages(typescript.packages, PACKAGES)).toEqual([]);
});

test('a folder shows at most 15 files', () => {
  const most = new Map(CROWDED);
  const tests = ['test', 'bench'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.posix.join(folder, file)),
  );
  const crowded = crowdedFolders([
    ...typescript.files.keys(),
    ...python.keys(),
    ...tests.filter((file) => /\.(ts|py)$/.test(file)),
  ]);
  expect(crowded.filter(([folder, files]) => files > (most.get(folder) ?? 0))).toEqual([]);
});
