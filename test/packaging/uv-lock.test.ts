import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionPlatform } from '../../lib/packaging/platform';
import { findPython } from '../../lib/packaging/uv';
import {
  checked,
  copyOf,
  filesBelow,
  host,
  lockedBackend,
  packageOf,
  read,
  revisionFile,
  shown,
  temporaryDirectory,
  writeFiles,
} from './support';

const lambda: FunctionPlatform = { architecture: 'arm64', pythonVersion: '3.13' };

let backend: string;
beforeAll(() => {
  backend = lockedBackend();
});

function build(directory: string, platform: FunctionPlatform, options = {}): string {
  const target = temporaryDirectory();
  packageOf(directory, platform, options).build(target);
  return target;
}

function hashOf(directory: string, platform: FunctionPlatform = lambda): string {
  return packageOf(directory, platform).hash;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it went well');
}

describe('a package for this machine', () => {
  let target: string;
  beforeAll(() => {
    target = build(backend, host);
  });

  test('contains what Alembic needs, and finds the revisions of the backend', () => {
    const run = spawnSync('python3', ['-m', 'alembic', 'heads'], {
      cwd: join(target, 'backend'),
      env: { PATH: process.env.PATH, PYTHONPATH: join(target, 'site-packages') },
      encoding: 'utf8',
    });
    expect(run.stdout).toContain('b2 (head)');
  });

  test('contains the runner and the sources, and nothing that is only for development', () => {
    const files = filesBelow(target).filter((file) => !file.startsWith('site-packages/') && !file.endsWith('.pyc'));
    expect(files.filter((file) => file.startsWith('backend/'))).toEqual([
      'backend/alembic.ini',
      'backend/alembic/env.py',
      'backend/alembic/script.py.mako',
      'backend/alembic/versions/a1.py',
      'backend/alembic/versions/b2.py',
      'backend/app/models.py',
      'backend/pyproject.toml',
    ]);
    expect(files).toContain('cdk_alembic/rds-ca.pem');
    expect(existsSync(join(target, 'site-packages', 'iniconfig'))).toBe(false);
  });

  test('contains the group of development if it is asked for', () => {
    const target = build(backend, host, { groups: ['dev'] });
    expect(existsSync(join(target, 'site-packages', 'iniconfig'))).toBe(true);
  });

  test('contains what importlib.metadata needs to find versions', () => {
    const script = 'from importlib.metadata import version; print(version("alembic"), version("sqlalchemy"))';
    const run = spawnSync('python3', ['-S', '-c', script], {
      env: { PATH: process.env.PATH, PYTHONPATH: join(target, 'site-packages') },
      encoding: 'utf8',
    });
    expect(run.stdout).toMatch(/^1\.\d+\S* 2\.\d+\S*$/m);
  });

  test('has bytecode that the dates in a zip cannot make stale', () => {
    const compiled = filesBelow(target).filter((file) => file.endsWith('.pyc'));
    for (const folder of ['backend/alembic/versions/__pycache__/', 'cdk_alembic/run/', 'site-packages/alembic/']) {
      expect(compiled).toContainEqual(expect.stringContaining(folder));
    }
    // PEP 552: the first bit says that a hash is used, the second that it is checked.
    for (const file of compiled) expect(read(target, file).readUInt32LE(4)).toBe(1);
  });

  test('contains no path of the machine that built it', () => {
    for (const file of filesBelow(target).filter((name) => !name.endsWith('.so'))) {
      const content = read(target, file);
      expect([file, content.includes(target), content.includes(backend)]).toEqual([file, false, false]);
    }
  });

  test('contains no password of the developer', () => {
    for (const file of filesBelow(target)) expect(read(target, file).includes('hunter2')).toBe(false);
  });
});

test.each<[FunctionPlatform, RegExp]>([
  [{ architecture: 'arm64', pythonVersion: '3.13' }, /cpython-313-aarch64-linux-gnu\.so$/],
  [{ architecture: 'x86_64', pythonVersion: '3.12' }, /cpython-312-x86_64-linux-gnu\.so$/],
])('libraries are for the function, not for this machine: %j', (platform, name) => {
  const libraries = filesBelow(build(backend, platform)).filter((file) => file.endsWith('.so'));
  expect(libraries.length).toBeGreaterThan(0);
  for (const library of libraries) expect(library).toMatch(name);
});

test('the same backend has the same hash in any folder', () => {
  expect(hashOf(copyOf(backend))).toBe(hashOf(backend));
});

test.each<[string, (copy: string) => void]>([
  ['a changed source', (copy) => writeFileSync(join(copy, 'app', 'models.py'), 'TABLES = [1]\n')],
  ['a renamed source', (copy) => renameSync(join(copy, 'app', 'models.py'), join(copy, 'app', 'tables.py'))],
  ['another lock', (copy) => writeFileSync(join(copy, 'uv.lock'), `${read(copy, 'uv.lock')}\n`)],
])('%s changes the hash', (_, change) => {
  const copy = copyOf(backend);
  change(copy);
  expect(hashOf(copy)).not.toBe(hashOf(backend));
});

test('another platform changes the hash', () => {
  const platforms: FunctionPlatform[] = [lambda, { ...lambda, architecture: 'x86_64' }, { ...lambda, pythonVersion: '3.12' }];
  expect(new Set(platforms.map((platform) => hashOf(backend, platform))).size).toBe(3);
});

test('files that are not packaged do not change the hash', () => {
  const copy = writeFiles(copyOf(backend), { 'tests/test_new.py': '', '.env': 'A=1', 'app/__pycache__/x.pyc': '' });
  expect(hashOf(copy)).toBe(hashOf(backend));
});

test('without a Python to compile with, a warning says how to get one', () => {
  const { warnings } = packageOf(backend, { architecture: 'arm64', pythonVersion: '3.99' });
  expect(warnings).toEqual([expect.stringMatching(/no Python 3\.99 .* "uv python install 3\.99"/)]);
});

test('a backend may constrain versions of indirect dependencies', () => {
  const constrained = lockedBackend(undefined, { 'constraint-dependencies': ['mako<1.4'] });
  expect(filesBelow(build(constrained, lambda)).some((file) => /site-packages\/mako-1\.3\..*\.dist-info/.test(file))).toBe(true);
});

test('a download that differs from the lock is rejected', () => {
  const forged = copyOf(backend);
  const lock = join(forged, 'uv.lock');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/sha256:[0-9a-f]{64}/g, `sha256:${'0'.repeat(64)}`));
  expect(messageOf(() => build(forged, lambda))).toMatch(/[Hh]ash mismatch/);
});

test('a backend without Alembic among its dependencies is rejected', () => {
  const without = lockedBackend([]);
  expect(messageOf(() => build(without, lambda))).toMatch(/\(uv\.lock in .*\) hold no Alembic: run "uv add alembic" in /);
});

test('a lock that is not TOML is reported', () => {
  const broken = copyOf(backend);
  writeFileSync(join(broken, 'uv.lock'), 'not a lock');
  expect(messageOf(() => build(broken, lambda))).toMatch(new RegExp(`^${broken}/uv.lock can't be read as TOML: `));
});

test('a lock that uv cannot read is reported with the message of uv, short and without colors', () => {
  const broken = copyOf(backend);
  writeFileSync(join(broken, 'uv.lock'), 'version = 999\n');
  const message = messageOf(() => build(broken, lambda));
  expect(message).toMatch(new RegExp(`^"uv export" failed in ${broken}: error: `));
  expect(message).not.toContain('\u001b');
  expect(message.length).toBeLessThan(2000);
});

test('a uv.lock in a folder without a pyproject.toml is not the lock of the project above', () => {
  const root = copyOf(backend);
  mkdirSync(join(root, 'service'));
  for (const name of ['alembic.ini', 'alembic']) renameSync(join(root, name), join(root, 'service', name));
  writeFiles(root, { 'service/uv.lock': 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n' });
  expect(filesBelow(build(join(root, 'service'), host))).toContain('site-packages/alembic/__init__.pyc');
});

describe('a lock that is older than pyproject.toml', () => {
  const changed = () => {
    const copy = copyOf(backend);
    const file = join(copy, 'pyproject.toml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('asyncpg>=0.30', 'asyncpg>=0.29'));
    return copy;
  };

  test('is rejected with the command that updates it', () => {
    const copy = changed();
    expect(checked(copy, lambda).errors.map(shown)).toEqual([
      `${copy}/uv.lock is older than ${copy}/pyproject.toml: the dependencies have changed since. Run "uv lock" in ${copy}`,
    ]);
  });

  test('is accepted if only the version of the project has changed', () => {
    const copy = copyOf(backend);
    const file = join(copy, 'pyproject.toml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('version = "0.1.0"', 'version = "0.2.0-dev"'));
    expect(checked(copy, lambda).errors.map(shown)).toEqual([]);
    writeFileSync(file, readFileSync(file, 'utf8').replace('asyncpg>=0.30', 'asyncpg>=0.29'));
    expect(checked(copy, lambda).errors.map(shown)).toEqual([expect.stringContaining('is older than')]);
  });

  test('is accepted if only the version of a project in a folder above has changed', () => {
    const root = temporaryDirectory();
    const copy = join(root, 'api');
    cpSync(backend, copy, { recursive: true });
    const file = join(copy, 'pyproject.toml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('asyncpg>=0.30', 'shop-common", "asyncpg>=0.30'));
    appendFileSync(file, '\n[tool.uv.sources]\nshop-common = { path = "../shop-common" }\n');
    const common = (version: string, requires: string) =>
      writeFiles(root, {
        'shop-common/pyproject.toml': `[project]\nname = "shop-common"\nversion = "${version}"\ndependencies = ${requires}\n`,
      });
    common('1', '[]');
    spawnSync('uv', ['lock', '--quiet'], { cwd: copy });
    expect(read(copy, 'uv.lock').toString()).toContain('directory = "../shop-common"');
    common('2', '[]');
    expect(checked(copy, lambda).errors.map(shown)).toEqual([]);
    common('2', '["alembic"]');
    expect(checked(copy, lambda).errors.map(shown)).toEqual([expect.stringContaining('is older than')]);
  });

  test('is recognized, whichever mirror of the index this machine uses', () => {
    process.env.UV_DEFAULT_INDEX = 'https://pypi.example.org/simple';
    try {
      expect(checked(copyOf(backend), lambda).errors.map(shown)).toEqual([]);
      expect(checked(changed(), lambda).errors).toHaveLength(1);
    } finally {
      delete process.env.UV_DEFAULT_INDEX;
    }
  });

  test('is not mistaken for a lock made with or without the settings of this machine', () => {
    const date = '2025-06-01T00:00:00Z';
    const dated = copyOf(backend);
    spawnSync('uv', ['lock', '--quiet', '--exclude-newer', date], { cwd: dated });
    expect(read(dated, 'uv.lock').toString()).toContain(`exclude-newer = "${date}"`);
    process.env.UV_EXCLUDE_NEWER = date;
    try {
      expect(checked(dated, lambda).errors.map(shown)).toEqual([]);
      expect(checked(copyOf(backend), lambda).errors.map(shown)).toEqual([]);
      expect(checked(changed(), lambda).errors).toHaveLength(1);
    } finally {
      delete process.env.UV_EXCLUDE_NEWER;
    }
  });
});

describe('with a uv', () => {
  const { UV } = process.env;
  afterEach(() => {
    if (UV === undefined) delete process.env.UV;
    else process.env.UV = UV;
  });

  function useUv(script: string): void {
    const uv = join(temporaryDirectory(), 'uv');
    writeFileSync(uv, `#!/bin/sh\n[ "$1" = --version ] && exit\n${script}\n`, { mode: 0o755 });
    process.env.UV = uv;
  }

  test('that fails at a private index, the error does not contain the token', () => {
    useUv('echo "error: https://ci:t0ken@pypi.example.org/simple said 403" >&2; exit 2');
    expect(messageOf(() => build(backend, lambda))).toContain('https://***@pypi.example.org/simple said 403');
  });

  test('that cannot check the lock, each synth warns until it can', () => {
    const copy = copyOf(backend);
    const warning = `this machine could not check whether ${copy}/uv.lock is up to date: run "uv lock --check" in ${copy}`;
    useUv('[ "$1" = lock ] && exit 2; exec uv "$@"');
    for (let synth = 0; synth < 2; synth++) {
      const found = checked(copy, host);
      expect(found).toMatchObject({ errors: [], warnings: [warning] });
      found.package();
    }
    process.env.UV = 'uv';
    expect(checked(copy, host).warnings).toEqual([]);
  });

  test('that is gone when the package of a known backend is built, the error says so', () => {
    const copy = copyOf(backend);
    checked(copy, host).package();
    const known = checked(copy, host).package();
    process.env.UV = '/nowhere/uv';
    expect(messageOf(() => known.build(temporaryDirectory()))).toMatch(/^uv is needed to package the backend/);
  });

  test("that meets pyenv's commands, it finds the Python that pyenv has and has not selected", () => {
    const [{ PATH }, folder] = [process.env, temporaryDirectory()];
    const real = findPython(folder, host.pythonVersion) as string;
    const command = `[ "$PYENV_VERSION" = ${host.pythonVersion} ] && exec ${real} "$@"\necho "pyenv: command not found" >&2\nexit 127`;
    writeFileSync(join(folder, `python${host.pythonVersion}`), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    process.env.UV = spawnSync('which', ['uv'], { encoding: 'utf8' }).stdout.trim();
    process.env.PATH = folder;
    try {
      expect(findPython(folder, host.pythonVersion)).toBe(real);
    } finally {
      process.env.PATH = PATH;
    }
  });

  test('that finds no Python to compile with, the package has another hash', () => {
    const compiled = hashOf(backend, host);
    useUv('exit 2');
    expect(hashOf(backend, host)).not.toBe(compiled);
  });
});

describe('a uv workspace', () => {
  const member = (name: string, dependencies: string, sources: string) =>
    `[project]\nname = "${name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ${dependencies}\n` +
    `[build-system]\nrequires = ["uv_build>=0.9"]\nbuild-backend = "uv_build"\n[tool.uv.sources]\n${sources}\n`;
  const revision = 'import common, vendored\nrevision = "a1"\ndown_revision = None\n';
  let root: string;
  beforeAll(() => {
    root = writeFiles(temporaryDirectory(), {
      'pyproject.toml': '[tool.uv.workspace]\nmembers = ["back", "common"]\n',
      'back/pyproject.toml': member(
        'back',
        '["alembic>=1.16", "pg8000", "common", "vendored"]',
        'common = { workspace = true }\nvendored = { path = "../vendored", editable = true }',
      ),
      'back/alembic.ini': '[alembic]\nscript_location = alembic\n',
      'back/alembic/env.py': '',
      'back/alembic/versions/a1.py': revision,
      'common/pyproject.toml': member('common', '[]', ''),
      'common/src/common/__init__.py': 'NAME = "common"\n',
      'vendored/pyproject.toml': member('vendored', '[]', ''),
      'vendored/src/vendored/__init__.py': 'NAME = "vendored"\n',
    });
    spawnSync('uv', ['lock', '--quiet'], { cwd: root });
  });

  test('packages the code of members and path dependencies, without paths of this machine', () => {
    const target = build(join(root, 'back'), lambda);
    const files = filesBelow(join(target, 'site-packages'));
    expect(files).toEqual(expect.arrayContaining(['common/__init__.py', 'vendored/__init__.py', 'back-1.dist-info/METADATA']));
    expect(files.filter((file) => file.endsWith('.pth'))).toEqual([]);
    for (const file of filesBelow(target)) expect([file, read(target, file).includes(root)]).toEqual([file, false]);
  });

  test('gets a new hash and the new code after a path dependency is edited', () => {
    const copy = copyOf(root);
    const before = hashOf(join(copy, 'back'));
    expect(hashOf(join(copy, 'back'))).toBe(before);
    writeFiles(copy, { 'vendored/src/vendored/__init__.py': 'NAME = "edited"\n' });
    expect(hashOf(join(copy, 'back'))).not.toBe(before);
    const target = build(join(copy, 'back'), lambda);
    expect(read(target, 'site-packages', 'vendored', '__init__.py').toString()).toBe('NAME = "edited"\n');
  });
});

describe('a project in a repository whose lock does not have it', () => {
  const project = (name: string, dependencies: readonly string[]) =>
    `[project]\nname = "${name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ${JSON.stringify(dependencies)}\n`;
  let root: string;
  beforeAll(() => {
    root = writeFiles(temporaryDirectory(), {
      '.git/HEAD': '',
      'pyproject.toml': project('everything', []),
      'packages/api/pyproject.toml': project('api', ['alembic>=1.16', 'pg8000', 'cdk-alembic-no-index-core']),
      'packages/api/alembic.ini': '[alembic]\nscript_location = alembic\n',
      'packages/api/alembic/env.py': '',
      'packages/api/alembic/versions/a1.py': revisionFile('a1', null),
      'packages/core/pyproject.toml': `${project('cdk-alembic-no-index-core', [])}[build-system]\nrequires = ["uv_build>=0.9"]\nbuild-backend = "uv_build"\n`,
      'packages/core/src/cdk_alembic_no_index_core/__init__.py': '',
    });
    spawnSync('uv', ['lock', '--quiet'], { cwd: root });
  });

  test('is rejected with the line that packages what it requires from there, and that line works', () => {
    const api = join(root, 'packages/api');
    expect(messageOf(() => build(api, lambda))).toMatch(
      /is not on the package index: \.\.\/core\/pyproject\.toml has this name: requirements: \['pyproject\.toml', '\.\.\/core\/pyproject\.toml'\]/,
    );
    const target = temporaryDirectory();
    packageOf(api, lambda, { requirements: ['pyproject.toml', '../core/pyproject.toml'] }).build(target);
    expect(existsSync(join(target, 'site-packages/cdk_alembic_no_index_core/__init__.py'))).toBe(true);
  });
});
