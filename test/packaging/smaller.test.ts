import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dropDebugInformation } from '../../lib/packaging/layout/debug-information';
import { manifestWarnings } from '../../lib/packaging/layout/manifest';
import { checkSize } from '../../lib/packaging/layout/package';
import { prune } from '../../lib/packaging/layout/prune';
import {
  checked,
  copyOf,
  filesBelow,
  host,
  lockedBackend,
  packageOf,
  shown,
  temporaryDirectory,
  uvWithoutPython,
  writeFiles,
} from './support';

let backend: string;
let target: string;
beforeAll(() => {
  backend = lockedBackend(['alembic>=1.16', 'sqlalchemy[asyncio]>=2', 'asyncpg>=0.30', 'click>=8', 'pydantic>=2']);
  writeFiles(backend, {
    'alembic/env.py': 'from app import models\n',
    'app/__init__.py': '',
    'app/models.py': 'import pydantic\n',
  });
  target = temporaryDirectory();
  packageOf(backend, host).build(target);
});

test('an excluded name that nothing requires is a warning, also the name of an extra; one that a requirement or its extra names is not', () => {
  const folder = temporaryDirectory();
  packageOf(backend, host, { without: ['Greenlet', 'click', 'annotatedtypes', 'asyncio', 'mysql', 'files'] }).build(folder);
  expect(manifestWarnings(folder).map(shown)).toEqual([
    `without has no effect on annotatedtypes, asyncio, mysql, files: nothing in uv.lock in ${backend} requires them`,
  ]);
});

const inPackage = (file: string) => existsSync(join(target, 'site-packages', file));
const compiled = (module: string) => inPackage(`${module}/__pycache__`) || inPackage(`${module}/__init__.pyc`);

test('modules that migrations import have bytecode, directly or through the backend; others have none', () => {
  expect(['alembic', 'sqlalchemy/orm', 'asyncpg', 'pydantic', 'typing_inspection'].filter((name) => !compiled(name))).toEqual([]);
  expect(compiled('click')).toBe(false);
});

test('shared libraries still load without debug symbols', () => {
  const script =
    'import asyncpg.protocol.protocol, greenlet, pydantic_core\n' +
    'from sqlalchemy.util import has_compiled_ext\n' +
    'assert has_compiled_ext() and greenlet.greenlet(lambda: 7).switch() == 7\n' +
    'print(asyncpg.protocol.protocol.__file__)';
  const env = { PATH: process.env.PATH, PYTHONPATH: join(target, 'site-packages') };
  const run = spawnSync('python3', ['-c', script], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(statSync(run.stdout.trim()).size).toBeLessThan(2_000_000);
});

test('files that are not libraries of 64-bit Linux stay unchanged', () => {
  const files = { script: '#!/bin/sh\n', zeros: '\0'.repeat(4096), empty: '' };
  const directory = writeFiles(temporaryDirectory(), files);
  for (const [name, content] of Object.entries(files)) {
    dropDebugInformation(join(directory, name));
    expect(readFileSync(join(directory, name), 'utf8')).toBe(content);
  }
});

test('type stubs, C sources and tests of dependencies are left out', () => {
  const files = filesBelow(join(target, 'site-packages'));
  expect(files.filter((file) => /\.(?:pyi|c|cpp|h|pyx|pxd)$|\/RECORD$|^[^/]+\/tests\//.test(file))).toEqual([]);
});

test('a nested test folder is kept only if something imports it or reads its files', () => {
  const sitePackages = writeFiles(temporaryDirectory(), {
    'frames/core/tests/test_core.py': '',
    'frames/core/tests/data.csv': '1',
    // A word in a text keeps nothing.
    'frames/core/api.py': '"""Run the tests with pytest."""\nimport pytest\nlatest = "greatest"\n',
    'frames/api.py': 'PARTS = ["io", "tests"]\n',
    'frames/testing/__init__.py': '',
    'frames/_testing/__init__.py': 'from frames.plots.tests import common\n',
    'frames/plots/tests/common.py': '',
    'frames/conftest.py': 'from frames.core.tests import data\n',
    'frames/sql/tests/__init__.py': '',
    'frames/sql/load.py': 'def load():\n    from .tests import (\n        helpers,\n    )\n',
    'frames/text/load.py': 'from . import tests\n',
    'frames/text/tests/__init__.py': '',
    'frames/samples/api.py': 'DATA = Path(__file__).parent / "tests" / "data"\n',
    'frames/samples/tests/data/a.txt': '',
    'frames/io/tests/a.txt': '',
    'frames/web/test/client.py': '',
    'frames/web/test/tests/test_client.py': '',
    'other/__init__.py': 'import importlib\nimportlib.import_module("frames.web.test.client")\n',
    'third/test/__init__.py': '',
    'third/tests/__init__.py': '',
  });
  prune(sitePackages, temporaryDirectory());
  const folders = filesBelow(sitePackages).filter((file) => /test.*\//.test(file));
  expect(folders.sort()).toEqual([
    'frames/_testing/__init__.py',
    'frames/io/tests/a.txt',
    'frames/plots/tests/common.py',
    'frames/samples/tests/data/a.txt',
    'frames/sql/tests/__init__.py',
    'frames/testing/__init__.py',
    'frames/text/tests/__init__.py',
    'frames/web/test/client.py',
    'frames/web/test/tests/test_client.py',
  ]);
});

test.each([
  ['the backend', 'backend/models.py', 'from sqlalchemy.testing.schema import mapped_column\n', true],
  ['a dependency', 'site-packages/models/base.py', 'from sqlalchemy import testing, text\n', true],
  ['SQLAlchemy itself', 'site-packages/sqlalchemy/dialects/provision.py', 'from sqlalchemy.testing import config\n', false],
])("SQLAlchemy's folder for tests is kept only if others import it: %s", (_, file, content, isKept) => {
  const testing = 'site-packages/sqlalchemy/testing/schema.py';
  const directory = writeFiles(temporaryDirectory(), { 'backend/app.py': '', [testing]: '', [file]: content });
  prune(join(directory, 'site-packages'), join(directory, 'backend'));
  expect(filesBelow(directory).includes(testing)).toBe(isKept);
});

test('the README of a distribution is removed from the package but not from the cache of uv', () => {
  const fields = 'Metadata-Version: 2.4\nName: frames\nVersion: 1.2\nRequires-Dist: plots>=3\n';
  const cache = writeFiles(temporaryDirectory(), { METADATA: `${fields}\n# Frames\n\nDraws frames.\n` });
  const sitePackages = writeFiles(temporaryDirectory(), { 'frames-1.2.dist-info/top_level.txt': 'frames\n' });
  const metadata = join(sitePackages, 'frames-1.2.dist-info/METADATA');
  linkSync(join(cache, 'METADATA'), metadata);
  prune(sitePackages, temporaryDirectory());
  expect(readFileSync(metadata, 'utf8')).toBe(fields);
  expect(readFileSync(join(cache, 'METADATA'), 'utf8')).toContain('Draws frames.');
});

test('the names of modules are kept from RECORD, which is removed, unless the distribution has them itself', () => {
  const record = (...files: string[]) => [...files, 'bin/draw', '../LICENSE', 'RECORD'].map((file) => `${file},,\n`).join('');
  const sitePackages = writeFiles(temporaryDirectory(), {
    'frames_py-1.2.dist-info/METADATA': 'Name: frames-py\n',
    'frames_py-1.2.dist-info/RECORD': record('frames/a.py', 'one.py', 'fast.cpython-313-x86_64-linux-gnu.so', 'frames.libs/b.so'),
    'plots-1.0.dist-info/RECORD': record('plots/a.py', 'plots_cli.py'),
    'plots-1.0.dist-info/top_level.txt': 'plots\n',
  });
  prune(sitePackages, temporaryDirectory());
  const kept = (name: string) => readFileSync(join(sitePackages, `${name}.dist-info/top_level.txt`), 'utf8');
  expect([kept('frames_py-1.2'), kept('plots-1.0')]).toEqual(['fast\nframes\none\n', 'plots\n']);
  expect(readdirSync(join(sitePackages, 'frames_py-1.2.dist-info')).sort()).toEqual(['METADATA', 'top_level.txt']);
});

test('a package over 250 MB is rejected with its largest distributions and the size with only: imported', () => {
  const large = temporaryDirectory();
  const distributions = [
    { name: 'maps', megabytes: 200 },
    { name: 'pictures', megabytes: 60 },
    { name: 'alembic', megabytes: 2 },
  ].map(({ name, megabytes }) => {
    writeFiles(large, { [`site-packages/${name}/data`]: '' });
    // Takes no space on most disks.
    truncateSync(join(large, 'site-packages', name, 'data'), megabytes * 1024 * 1024);
    return { name, version: '1', entries: [name], modules: [name], requirements: [], isDialect: false };
  });
  writeFiles(large, { 'backend/films': '' });
  truncateSync(join(large, 'backend', 'films'), 30 * 1024 * 1024);
  expect(() => checkSize(large, 'back', distributions, { reached: () => new Set(distributions.slice(2)) })).toThrow(
    'the package of back has 292 MB unzipped, and Lambda allows 250: with only: PackageOnly.IMPORTED it would have at most 32 MB; ' +
      "without: ['maps'] leaves out the largest, with 200 MB, if migrations do not import it (next: pictures, 60 MB; alembic, 2 MB); " +
      'exclude leaves out files of the backend, which have 30 MB; or use MigrationCode.fromImage',
  );
  expect(() => checkSize(large, 'back', distributions, { reasons: ['env.py fails'] })).toThrow(
    'allows 250: env.py fails; without: ',
  );
});

test('a package that only its bytecode makes too large goes without', () => {
  const size = (files: readonly string[]) => files.reduce((sum, file) => sum + statSync(join(target, file)).size, 0);
  const files = filesBelow(target);
  const bytecode = files.filter((file) => file.includes('__pycache__/'));
  const [large, folder] = [copyOf(backend), temporaryDirectory()];
  writeFiles(large, { films: '' });
  truncateSync(join(large, 'films'), 250 * 1024 * 1024 - size(files) + Math.floor(size(bytecode) / 2));
  packageOf(large, host).build(folder);
  expect(filesBelow(folder).filter((file) => file.includes('__pycache__/'))).toEqual([]);
  expect(manifestWarnings(folder).map(shown)).toEqual([
    expect.stringMatching(
      /^with bytecode, the package would have 25\d MB unzipped \(Lambda allows 250\), so bytecode is left out: the function starts a few seconds slower; only: PackageOnly\.IMPORTED packages only what migrations import$/,
    ),
  ]);
});

test('a package that is too large because this machine lacks its Python is rejected with the command that installs it', () => {
  const large = lockedBackend(['alembic>=1.16', 'asyncpg>=0.30']);
  writeFiles(large, { films: '' });
  truncateSync(join(large, 'films'), 251 * 1024 * 1024);
  const { UV } = process.env;
  process.env.UV = uvWithoutPython();
  try {
    expect(() => packageOf(large, host, { onlyImported: true }).build(temporaryDirectory())).toThrow(
      `allows 250: "uv python install ${host.pythonVersion}" lets this machine load the package`,
    );
  } finally {
    process.env.UV = UV;
    if (UV === undefined) delete process.env.UV;
  }
});

test('a package that is too large because env.py needs a setting is rejected with that setting', () => {
  const large = lockedBackend(['alembic>=1.16', 'asyncpg>=0.30']);
  writeFiles(large, { films: '', 'alembic/env.py': 'import os\nos.environ["SIGNING_KEY"]\n' });
  truncateSync(join(large, 'films'), 251 * 1024 * 1024);
  expect(() => packageOf(large, host, { onlyImported: true }).build(temporaryDirectory())).toThrow(
    /allows 250: only.* kept everything that the code may import, because the package could not be loaded \(env\.py of .* fails with the function's environment: KeyError: 'SIGNING_KEY'.* Set .*SIGNING_KEY.*\); /,
  );
});

describe('the manifest', () => {
  const manifest = (root: string) => JSON.parse(readFileSync(join(root, 'cdk_alembic', 'manifest.json'), 'utf8'));

  test('names the driver and the location of Alembic', () => {
    expect(manifest(target)).toMatchObject({ driver: 'asyncpg', config: 'alembic.ini', folder: '.' });
  });
});

describe('the cached analysis of a backend', () => {
  const { UV, XDG_CACHE_HOME } = process.env;
  let known: string;
  beforeEach(() => {
    known = lockedBackend();
    process.env.XDG_CACHE_HOME = temporaryDirectory();
  });
  afterEach(() => {
    for (const [name, value] of Object.entries({ UV, XDG_CACHE_HOME })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  /** Counts the processes of uv. */
  function countUv(): () => number {
    const directory = temporaryDirectory();
    const [calls, counter] = [join(directory, 'calls'), join(directory, 'uv')];
    writeFileSync(calls, '');
    writeFileSync(counter, `#!/bin/sh\necho call >> ${calls}\nexec uv "$@"\n`, { mode: 0o755 });
    process.env.UV = counter;
    return () => readFileSync(calls, 'utf8').split('call').length - 1;
  }

  test('is made once, and needs no uv process the next time', () => {
    const calls = countUv();
    const first = packageOf(known, host).hash;
    const before = calls();
    expect(before).toBeGreaterThan(0);
    expect(packageOf(known, host).hash).toBe(first);
    expect(calls()).toBe(before);
  });

  test.each([
    ['a changed source', 'app/models.py', 'TABLES = [1]\n'],
    ['a new file', 'app/new.py', ''],
    ['another lock', 'uv.lock', ''],
    ['other options of Alembic', 'alembic.ini', '[alembic]\nscript_location = elsewhere\n'],
  ])('is made again after %s', (_, file, text) => {
    packageOf(known, host);
    const calls = countUv();
    writeFiles(known, { [file]: text });
    const { errors } = checked(known, host);
    expect(errors.length > 0 || calls() > 0).toBe(true);
  });

  test('is made again if the cache entry is truncated', () => {
    const { hash } = packageOf(known, host);
    const directory = join(process.env.XDG_CACHE_HOME as string, 'cdk-alembic');
    for (const file of filesBelow(directory)) writeFileSync(join(directory, file), '{"paths": [');
    expect(packageOf(known, host).hash).toBe(hash);
  });

  test('is made without a writable cache', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    process.env.XDG_CACHE_HOME = join(file, 'below');
    expect(packageOf(known, host).hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a project with two heads is rejected every time', () => {
    mkdirSync(join(known, 'alembic', 'versions'), { recursive: true });
    writeFiles(known, { 'alembic/versions/c3.py': 'revision = "c3"\ndown_revision = "a1"\n' });
    for (let time = 0; time < 2; time++) expect(checked(known, host).errors).toHaveLength(1);
  });
});
