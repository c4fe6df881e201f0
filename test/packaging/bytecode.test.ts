import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileBytecode } from '../../lib/packaging/bytecode/bytecode';
import { filesBelow, host, lockedBackend, packageOf, temporaryDirectory, writeFiles } from './support';

const { pythonVersion } = host;

const { XDG_CACHE_HOME } = process.env;
let cache: string;
beforeEach(() => {
  process.env.XDG_CACHE_HOME = temporaryDirectory();
  cache = join(process.env.XDG_CACHE_HOME, 'cdk-alembic');
});
afterEach(() => {
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
});

describe('a package', () => {
  let backend: string;
  let target: string;
  beforeAll(() => {
    backend = lockedBackend(['alembic>=1.16', 'sqlalchemy[asyncio]>=2', 'asyncpg>=0.30', 'click>=8']);
    target = temporaryDirectory();
    packageOf(backend, host).build(target);
  });

  const python = (script: string, packages: string) =>
    spawnSync('python3', ['-c', script], { env: { PATH: process.env.PATH, PYTHONPATH: packages }, encoding: 'utf8' });
  const inPackage = (file: string) => existsSync(join(target, 'site-packages', file));

  test('contains only bytecode of the runner, Alembic, SQLAlchemy and the driver, and keeps all other sources', () => {
    const bare = [
      'alembic/op',
      'alembic/runtime/migration',
      'sqlalchemy/orm/session',
      'sqlalchemy/__init__',
      'asyncpg/connection',
    ];
    for (const name of bare) expect([name, inPackage(`${name}.pyc`), inPackage(`${name}.py`)]).toEqual([name, true, false]);
    const runner = ['cdk_alembic/handler.pyc', 'cdk_alembic/handler.py'].map((file) => existsSync(join(target, file)));
    expect(runner).toEqual([true, false]);
    const whole = ['click/core', 'sqlalchemy/dialects/mysql/base'];
    for (const name of whole) expect([name, inPackage(`${name}.pyc`), inPackage(`${name}.py`)]).toEqual([name, false, true]);
  });

  test('shows files and lines of libraries in errors, and keeps their assertions', () => {
    const script = `import traceback, sqlalchemy as sa
from sqlalchemy.event.legacy import _augment_fn_docs
try: sa.create_engine("postgresql+nothing://")
except Exception: traceback.print_exc()
function = lambda: None
function._omit_standard_example = True
try: _augment_fn_docs(None, None, function)
except AssertionError: print("asserted")`;
    const run = python(script, join(target, 'site-packages'));
    expect(run.stderr).toMatch(/File "\/var\/task\/site-packages\/sqlalchemy\/engine\/create\.py", line \d+, in create_engine/);
    expect(run.stdout).toBe('asserted\n');
  });

  test('imports every module of Alembic, SQLAlchemy and the driver as from source', () => {
    const script = `import importlib, json, pkgutil
def names(name):
    package = importlib.import_module(name)
    found = pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None)
    return [module.name for module in found if not any(part in module.name for part in ("templates", "testing", "testbase", "provision", "__main__"))]
failed, all = [], [module for name in ("alembic", "sqlalchemy", "asyncpg", "mako") for module in names(name)]
for module in all:
    try: importlib.import_module(module)
    except ImportError as error: failed.append([module, error.name])
print(json.dumps([sorted(all), sorted(failed)]))`;
    const [whole, lock] = [temporaryDirectory(), join(temporaryDirectory(), 'requirements.txt')];
    spawnSync('uv', ['export', '--frozen', '--quiet', '--no-dev', '--no-emit-project', '--output-file', lock], { cwd: backend });
    spawnSync('uv', ['pip', 'install', '--quiet', '--target', whole, '--requirement', lock]);
    const [ours, theirs] = [join(target, 'site-packages'), whole].map((packages) => JSON.parse(python(script, packages).stdout));
    expect(ours[0].length).toBeGreaterThan(200);
    expect(ours).toEqual(theirs);
  });
});

describe('bytecode', () => {
  const FILES = ['backend/app.py', 'backend/app/models.py', 'site-packages/sqlalchemy/a.py', 'site-packages/typing_x.py'];
  const BYTECODE = [
    `backend/__pycache__/app.cpython-${pythonVersion.replace('.', '')}.pyc`,
    `backend/app/__pycache__/models.cpython-${pythonVersion.replace('.', '')}.pyc`,
    'site-packages/sqlalchemy/a.pyc',
    `site-packages/__pycache__/typing_x.cpython-${pythonVersion.replace('.', '')}.pyc`,
  ];

  let starts: string;
  let python: string;
  beforeEach(() => {
    const directory = temporaryDirectory();
    [starts, python] = [join(directory, 'starts'), join(directory, 'python')];
    writeFileSync(starts, '');
    writeFileSync(python, `#!/bin/sh\necho x >> ${starts}\nexec python3 "$@"\n`, { mode: 0o755 });
  });
  const countStarts = () => readFileSync(starts, 'utf8').length / 2;

  /** Lays out and compiles; returns the content of each file of bytecode. */
  function compile(sources: Record<string, string> = {}, version = pythonVersion): string[] {
    const all = Object.fromEntries(FILES.map((file) => [file, `"""About."""\nNAME = "${file}"\n`]));
    const target = writeFiles(temporaryDirectory(), { ...all, ...sources });
    compileBytecode({ python, pythonVersion: version }, target, FILES);
    return filesBelow(target)
      .filter((file) => file.endsWith('.pyc'))
      .map((file) => `${file} ${readFileSync(join(target, file), 'latin1')}`);
  }
  const compiledAnew = (sources: Record<string, string>, version?: string) => {
    compile();
    const before = countStarts();
    compile(sources, version);
    return countStarts() > before;
  };
  const kept = (extension: string) => (existsSync(cache) ? filesBelow(cache) : []).filter((file) => file.endsWith(extension));

  test('of the same sources is compiled once', () => {
    const first = compile();
    expect(first.map((file) => file.split(' ')[0])).toEqual([...BYTECODE].sort());
    expect(countStarts()).toBe(1);
    expect(compile()).toEqual(first);
    expect(countStarts()).toBe(1);
  });

  test('is compiled again for a changed source and reused for other packages', () => {
    expect(compiledAnew({})).toBe(false);
    expect(compiledAnew({ 'backend/app.py': 'NAME = 1\n' })).toBe(true);
    expect(compiledAnew({}, '3.99')).toBe(true);
  });

  test.each<[string, (file: string) => void]>([
    ['cut short', (file) => truncateSync(file, statSync(file).size - 1)],
    ['emptied', (file) => truncateSync(file)],
    [
      'changed by one bit',
      (file) => {
        const content = readFileSync(file);
        content[content.length >> 1] = (content[content.length >> 1] as number) ^ 1;
        writeFileSync(file, content);
      },
    ],
    ['exchanged for another one', (file) => writeFileSync(file, readFileSync(join(cache, kept('.pyc')[0] as string)))],
  ])('that was %s in the cache is never packaged, and is replaced', (_, damage) => {
    const first = compile();
    for (const file of filesBelow(cache)) damage(join(cache, file));
    expect(compile()).toEqual(first);
    expect(countStarts()).toBe(2);
    expect(compile()).toEqual(first);
    expect(countStarts()).toBe(2);
  });

  test('of a Python prerelease is not packaged, and the source stays', () => {
    const old = writeFiles(temporaryDirectory(), { 'site-packages/sqlalchemy/a.py': 'NAME = 1\n' });
    compileBytecode({ python, pythonVersion: pythonVersion === '3.12' ? '3.13' : '3.12' }, old, [
      'site-packages/sqlalchemy/a.py',
    ]);
    expect(filesBelow(old)).toEqual(['site-packages/sqlalchemy/a.py']);
    expect(kept('.pyc')).toEqual([]);
  });

  test('is left out if the source does not compile, and the source stays', () => {
    const files = compile({ 'site-packages/sqlalchemy/a.py': '???\n' });
    expect(files).toHaveLength(FILES.length - 1);
    expect(compile({ 'site-packages/sqlalchemy/a.py': '???\n' })).toEqual(files);
  });

  test('is compiled even if nothing can be cached', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const first = compile();
    process.env.XDG_CACHE_HOME = join(file, 'below');
    expect(compile()).toEqual(first);
  });
});
