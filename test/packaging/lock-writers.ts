import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';

// biome-ignore lint/suspicious/noExplicitAny: uv's lock, as it is.
type Table = Record<string, any>;

/** What uv resolves for a project, from the registry that this machine reaches: its packages without the project itself. */
function resolved(directory: string): Table[] {
  const run = spawnSync('uv', ['lock', '--quiet'], { cwd: directory, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  const lock = parse(readFileSync(join(directory, 'uv.lock'), 'utf8')) as Table;
  rmSync(join(directory, 'uv.lock'));
  return lock.package.filter(({ source }: Table) => !source.virtual);
}

function hashes({ wheels = [], sdist }: Table): string[] {
  return [...wheels, ...(sdist ? [sdist] : [])].map(({ hash }: Table) => hash);
}

const isShared = ({ name }: Table) => name === 'shared';

/** A poetry.lock, version 2.1. */
export function writePoetryLock(directory: string, pyproject: string): void {
  const entries = resolved(directory).map((found) => {
    const extras = Object.entries<Table[]>(found['optional-dependencies'] ?? {});
    const optional = extras.flatMap(([, list]) => list).map(({ name }) => [name, { version: '*', optional: true }]);
    const needed = (found.dependencies ?? []).map(({ name, marker }: Table) => [
      name,
      { version: '*', ...(marker && { markers: marker }) },
    ]);
    return {
      name: found.name,
      version: found.version ?? '0',
      files: hashes(found).map((hash) => ({ file: 'x', hash })),
      dependencies: Object.fromEntries([...optional, ...needed]),
      extras: Object.fromEntries(extras.map(([extra, list]) => [extra, list.map(({ name }) => `${name} (>=0)`)])),
      ...(isShared(found) && { source: { type: 'directory', url: 'shared' } }),
    };
  });
  writeFileSync(join(directory, 'poetry.lock'), stringify({ package: entries, metadata: { 'lock-version': '2.1' } }));
  writeFileSync(join(directory, 'pyproject.toml'), pyproject);
}

/** A pdm.lock: a distribution with extras has an entry of its own. */
export function writePdmLock(directory: string): void {
  const text = ({ name, marker }: Table) => `${name}${marker ? `; ${marker}` : ''}`;
  const entries = resolved(directory).flatMap((found) => {
    const common = { name: found.name, version: found.version ?? '0', files: hashes(found).map((hash) => ({ file: 'x', hash })) };
    const own = { ...common, dependencies: (found.dependencies ?? []).map(text), ...(isShared(found) && { path: './shared' }) };
    const extras = Object.entries<Table[]>(found['optional-dependencies'] ?? {});
    return [own, ...extras.map(([extra, list]) => ({ ...common, extras: [extra], dependencies: list.map(text) }))];
  });
  writeFileSync(join(directory, 'pdm.lock'), stringify({ package: entries }));
}

/** A Pipfile.lock: everything in one section. */
export function writePipfileLock(directory: string): void {
  const entries = resolved(directory).filter(({ name }) => name !== 'iniconfig');
  const section = entries.map((found) => [
    found.name,
    isShared(found) ? { path: './shared', editable: true } : { version: `==${found.version}`, hashes: hashes(found) },
  ]);
  writeFileSync(
    join(directory, 'Pipfile.lock'),
    JSON.stringify({ _meta: { sources: [] }, default: Object.fromEntries(section) }),
  );
  rmSync(join(directory, 'pyproject.toml'));
}
