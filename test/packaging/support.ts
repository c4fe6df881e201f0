import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inTypeScript, written } from '../../lib/packaging/code-in-messages';
import type { PackagingError } from '../../lib/packaging/errors';
import type { Package } from '../../lib/packaging/layout/package';
import type { FunctionPlatform } from '../../lib/packaging/platform';
import type { BackendOptions } from '../../lib/packaging/project/backend';
import { backendPackage, type CheckedBackend } from '../../lib/packaging/project/known-project';

const made: string[] = [];

/** A directory that is removed after the tests of the file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cdk-alembic-test-'));
  made.push(directory);
  return directory;
}

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

export function writeFiles(directory: string, files: Record<string, string>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

export function copyOf(directory: string): string {
  const copy = temporaryDirectory();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** The text of a revision file, as Alembic's template writes it. */
export function revisionFile(revision: string, down: string | null): string {
  return `"""Step ${revision}"""\nrevision: str = "${revision}"\ndown_revision = ${down === null ? 'None' : JSON.stringify(down)}\n`;
}

export const ALEMBIC_INI = '[alembic]\nscript_location = %(here)s/alembic\n';

/** What uv has locked in this file, by what it was asked. */
const locks = new Map<string, string>();

/** A small backend with real dependencies, locked. */
export function lockedBackend(
  dependencies: readonly string[] = ['alembic>=1.16', 'sqlalchemy[asyncio]>=2', 'asyncpg>=0.30'],
  settings: Record<string, readonly string[]> = {},
): string {
  const directory = writeFiles(temporaryDirectory(), {
    'pyproject.toml': `[project]
name = "tiny-back"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ${JSON.stringify(dependencies)}

[dependency-groups]
dev = ["iniconfig"]

[tool.uv]
${Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)}`,
    'alembic.ini': ALEMBIC_INI,
    'alembic/env.py': '',
    'alembic/script.py.mako': '',
    'alembic/versions/a1.py': revisionFile('a1', null),
    'alembic/versions/b2.py': revisionFile('b2', 'a1'),
    'app/models.py': 'TABLES = []\n',
    'app/__pycache__/models.cpython-39.pyc': 'stale',
    'tests/test_models.py': '',
    '.env': 'POSTGRES_PASSWORD=hunter2\n',
    '.venv/pyvenv.cfg': '',
  });
  const [asked, lock] = [JSON.stringify([dependencies, settings]), join(directory, 'uv.lock')];
  const known = locks.get(asked);
  if (known !== undefined) {
    writeFileSync(lock, known);
    return directory;
  }
  const run = spawnSync('uv', ['lock', '--quiet'], { cwd: directory, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`uv lock failed: ${run.error ?? run.stderr}`);
  locks.set(asked, readFileSync(lock, 'utf8'));
  return directory;
}

const OPTIONS: BackendOptions = {
  requirements: [],
  groups: [],
  extras: [],
  without: [],
  add: [],
  exclude: [],
  onlyImported: false,
  environment: {},
};

/** Checks a backend as `MigrationCode.fromProject` does. */
export function checked(directory: string, platform: FunctionPlatform, options: Partial<BackendOptions> = {}): CheckedBackend {
  return backendPackage(directory, { ...OPTIONS, ...options }, platform, true);
}

/** The package of a backend that has no errors. */
export function packageOf(directory: string, platform: FunctionPlatform, options: Partial<BackendOptions> = {}): Package {
  const found = checked(directory, platform, options);
  if (!found.package || found.errors.length) throw new Error(found.errors.map(shown).join('\n'));
  return found.package();
}

/** A message as a CDK app in TypeScript shows it. */
export const shown = (message: string | PackagingError) =>
  written(typeof message === 'string' ? message : message.text, inTypeScript);

/** The version of this machine's Python, such as `3.11`. */
export function hostPython(): string {
  return spawnSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' }).stdout.trim();
}

/** This machine, as the platform of a function. */
export const host: FunctionPlatform = {
  architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
  pythonVersion: hostPython(),
};

/** A `uv` that finds no Python, as where the function's is not installed: packages are neither loaded nor compiled. */
export function uvWithoutPython(): string {
  const uv = join(temporaryDirectory(), 'uv');
  writeFileSync(uv, '#!/bin/sh\n[ "$1 $2" = "python find" ] && exit 1\nexec uv "$@"\n', { mode: 0o755 });
  return uv;
}

export function filesBelow(directory: string): string[] {
  return (readdirSync(directory, { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

export function read(...path: string[]): Buffer {
  return readFileSync(join(...path));
}
