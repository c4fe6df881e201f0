import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { failureOf, NeedsCompiling } from '../../lib/packaging/install/compiled';
import { newerVersions, otherPython } from '../../lib/packaging/install/other-python';
import { projectWheel } from '../../lib/packaging/install/project-wheel';
import { foundWith, manifestWarnings } from '../../lib/packaging/layout/manifest';
import type { FunctionPlatform } from '../../lib/packaging/platform';
import { UvFailed } from '../../lib/packaging/uv';
import { ALEMBIC_INI, packageOf, revisionFile, temporaryDirectory, writeFiles } from './support';

jest.setTimeout(300_000);

const lambda: FunctionPlatform = { architecture: 'arm64', pythonVersion: '3.13' };

function run(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout.trim();
}

const PURE = {
  'pyproject.toml': `[project]\nname = "pure-tool"\nversion = "1.5"\n[build-system]\nrequires = ["uv_build>=0.9"]\nbuild-backend = "uv_build"\n`,
  'src/pure_tool/__init__.py': 'NAME = "pure"\n',
};
const COMPILED = {
  'pyproject.toml': '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
  'setup.py':
    'from setuptools import Extension, setup\n' +
    'setup(name="fast-tool", version="1.0", ext_modules=[Extension("fast_tool", ["fast.c"])])\n',
  'fast.c': 'int fast(void) { return 1; }\n',
  'MANIFEST.in': 'include fast.c\n',
};

/** Named after the machine that builds it even without its compiled part, as SQLAlchemy's. */
const OPTIONAL = {
  'pyproject.toml': COMPILED['pyproject.toml'],
  'setup.py':
    'from setuptools import Extension, setup\n' +
    'part = Extension("calm_tool_fast", ["fast.c"], optional=True)\n' +
    'setup(name="calm-tool", version="1.0", py_modules=["calm_tool"], ext_modules=[part], install_requires=["pure-tool"])\n',
  'calm_tool.py': 'NAME = "calm"\n',
  'fast.c': COMPILED['fast.c'],
  'MANIFEST.in': COMPILED['MANIFEST.in'],
};

const WHEEL_OF_ONE_MACHINE = `
import zipfile
with zipfile.ZipFile("maps-1.0-cp313-cp313-manylinux_2_17_aarch64.whl", "w") as wheel:
    wheel.writestr("maps.so", "")
    wheel.writestr("maps-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: maps\\nVersion: 1.0\\n")
    wheel.writestr("maps-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp313-cp313-linux_aarch64\\n")
    wheel.writestr("maps-1.0.dist-info/RECORD", "maps.so,,\\nmaps-1.0.dist-info/METADATA,,\\nmaps-1.0.dist-info/WHEEL,,\\nmaps-1.0.dist-info/RECORD,,\\n")
`;

/** A folder of distributions, as `--find-links` takes it. */
function distributions(...projects: Record<string, string>[]): string {
  const folder = temporaryDirectory();
  for (const files of projects) {
    run('uv', ['build', '--sdist', '--quiet', '--out-dir', folder], writeFiles(temporaryDirectory(), files));
  }
  return folder;
}

function backend(requirements: string): string {
  return writeFiles(temporaryDirectory(), {
    'requirements.txt': `alembic==1.16.5\nsqlalchemy==2.0.43\npg8000==1.31.5\n${requirements}\n`,
    'alembic.ini': ALEMBIC_INI,
    'alembic/env.py': '',
    'alembic/versions/a1.py': revisionFile('a1', null),
  });
}

function packaged(directory: string, options = {}): string {
  const target = temporaryDirectory();
  packageOf(directory, lambda, options).build(target);
  return join(target, 'site-packages');
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it went well');
}

let links: string;
beforeAll(() => {
  links = distributions(PURE, COMPILED, OPTIONAL);
});

/** A project whose build decides its version. */
function dynamic(requires: string, backend: string): string {
  const build = `[build-system]\nrequires = ["${requires}"]\nbuild-backend = "${backend}"\n`;
  return `[project]\nname = "shop"\ndynamic = ["version", "dependencies"]\n${build}[tool.hatch.version]\npath = "nowhere.py"\n`;
}

describe.each([
  ['the backend itself', ''],
  ['a project that it requires', '/libs'],
])('%s, whose build fails,', (_, folder) => {
  test.each([
    ['a missing file', { 'setup.py': 'open("VERSION")\n' }, "FileNotFoundError: [Errno 2] No such file or directory: 'VERSION'"],
    ['an exit', { 'setup.py': 'import sys\nprint("checking")\nsys.exit("set SHOP_HOME first")\n' }, 'set SHOP_HOME first'],
    ['a syntax error', { 'setup.py': 'setup(\n' }, "SyntaxError: '(' was never closed"],
    [
      'a version',
      { 'pyproject.toml': dynamic('hatchling', 'hatchling.build') },
      'OSError: Error getting the version from source',
    ],
    [
      'a missing module',
      { 'pyproject.toml': dynamic('setuptools', 'shop_build') },
      "ModuleNotFoundError: No module named 'shop_build'",
    ],
    [
      'a missing backend',
      { 'pyproject.toml': dynamic('cdk-alembic-no-index', 'x') },
      'Because cdk-alembic-no-index was not found',
    ],
  ])('is rejected with the reason in one line: %s', (_, files, reason) => {
    const directory = backend(folder ? `.${folder}` : '');
    if (!folder) rmSync(join(directory, 'requirements.txt'));
    writeFiles(join(directory, folder), files);
    const message = messageOf(() => packaged(directory));
    expect(message.startsWith(`${directory}${folder} can't be built (${reason}`)).toBe(true);
    expect(message).toMatch(/^[^\n]*\): change it until "uv build --wheel" works there$/);
    expect(message).not.toMatch(/Traceback|File "|cause:/);
  });
});

test('a source distribution of pure Python is built and packaged', () => {
  const target = packaged(backend(`--find-links ${links}\npure-tool==1.5`));
  expect(existsSync(join(target, 'pure_tool', '__init__.py'))).toBe(true);
});

test.each([
  ['locked', () => packaged(backend(`--find-links ${links}\npure-tool==1.5\ncalm-tool==1.0 ; platform_machine == "aarch64"`))],
  ['added', () => packaged(backend(`--find-links ${links}`), { add: ['calm-tool==1.0'] })],
])('a source distribution with an optional compiled part is built without it: %s', (_, site) => {
  const files = readdirSync(site());
  expect(files).toEqual(expect.arrayContaining(['calm_tool.py', 'pure_tool']));
  expect(files.filter((name) => name.startsWith('calm_tool_fast'))).toEqual([]);
});

test.each<[string, { only?: 'imported' }]>([
  ['with every dependency', {}],
  ['with what migrations import', { only: 'imported' }],
])('scripts that a dependency has are packaged with it, %s', (_, { only }) => {
  const models = {
    'pyproject.toml': PURE['pyproject.toml'].replace('pure-tool', 'shop-models'),
    'src/shop_models/__init__.py': '',
    'src/shop_models/migrations/env.py': 'import pure_tool\nfrom alembic import context\nassert pure_tool\n',
    'src/shop_models/migrations/versions/a1.py': revisionFile('a1', null),
  };
  const directory = backend(`--find-links ${links}\n--find-links ${distributions(models)}\nshop-models==1.5\npure-tool==1.5`);
  rmSync(join(directory, 'alembic'), { recursive: true });
  writeFiles(directory, { 'alembic.ini': '[alembic]\nscript_location = shop_models:migrations\n' });
  const site = packaged(directory, { onlyImported: only === 'imported' });
  expect(readdirSync(join(site, 'shop_models/migrations/versions'))).toContain('a1.py');
  expect(manifestWarnings(dirname(site)).join()).toContain('a dependency has the revisions');
  writeFiles(directory, { 'alembic.ini': '[alembic]\nscript_location = shop_models:migration\n' });
  expect(messageOf(() => packaged(directory))).toMatch(
    /^no dependency has shop_models\/migration\/env\.py, which the script_location of .*alembic\.ini names: correct it, or add the distribution that has it$/,
  );
});

test('a wheel for the function whose metadata names only the machine that built it is packaged', () => {
  const files = writeFiles(temporaryDirectory(), {
    'odd_tool/fast.so': '',
    'odd_tool-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: odd-tool\nVersion: 1.0\n',
    'odd_tool-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp313-linux_aarch64\n',
    'odd_tool-1.0.dist-info/RECORD': 'odd_tool/fast.so,,\n',
  });
  const folder = temporaryDirectory();
  const wheel = join(folder, 'odd_tool-1.0-cp313-cp313-manylinux_2_28_aarch64.whl');
  run('python3', ['-m', 'zipfile', '-c', wheel, 'odd_tool', 'odd_tool-1.0.dist-info'], files);
  const site = packaged(backend(`--find-links ${folder}\nodd-tool==1.0`));
  expect(existsSync(join(site, 'odd_tool', 'fast.so'))).toBe(true);
});

test('an empty folder in place of a project next to the backend is rejected with the command that checks out submodules', () => {
  const project = temporaryDirectory();
  expect(() => projectWheel(project, undefined, temporaryDirectory())).toThrow(
    `${project}, on which the backend depends, is empty: check out its code, for a git submodule with "git submodule update --init"`,
  );
});

test.each(['./libs/common', '-e ./libs/common'])('a project next to the backend that is not there is rejected: %s', (line) => {
  const directory = backend(line);
  expect(messageOf(() => packaged(directory))).toMatch(
    new RegExp(`^${join(directory, 'libs', 'common')}, on which the backend depends, does not exist: check out its code`),
  );
});

/** A repository with a project and its commit, for the address of a git dependency. */
function repositoryOfPureTool(): string {
  const repository = writeFiles(temporaryDirectory(), PURE);
  run('git', ['init', '--quiet', '--initial-branch=main'], repository);
  run('git', ['add', '.'], repository);
  run('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '-m', 'one'], repository);
  return `${repository}@${run('git', ['rev-parse', 'HEAD'], repository)}`;
}

test.each([
  ['a git dependency', (address: string) => `pure-tool @ git+file://${address}`],
  ['an editable git dependency, as pip freeze writes it,', (address: string) => `-e git+file://${address}#egg=pure-tool`],
])('%s is built from its commit', (_, line) => {
  const target = packaged(backend(line(repositoryOfPureTool())));
  expect(existsSync(join(target, 'pure_tool', '__init__.py'))).toBe(true);
});

describe('a git dependency that cannot be fetched is rejected for that reason', () => {
  const address = () => `git+file://${join(temporaryDirectory(), 'nowhere')}`;

  test('by name', () => {
    const line = `pure-tool @ ${address()}@c0ffee0123456789012345678901234567890123`;
    expect(messageOf(() => packaged(backend(line)))).toMatch(
      /^pure-tool comes from git, and this machine could not fetch it .*: give it access, or without: \['pure-tool'\] leaves it out/,
    );
  });

  test('with all others that cannot be fetched', () => {
    const commit = 'c0ffee0123456789012345678901234567890123';
    const lines = ['a-tool', 'b-tool', 'c-tool'].map((name) => `${name} @ ${address()}@${commit}`);
    const there = `pure-tool @ git+file://${repositoryOfPureTool()}`;
    const message = messageOf(() => packaged(backend([...lines, there].join('\n'))));
    const [, names = ''] = /^(.*) come from git, and this machine could not fetch them /.exec(message) ?? ['', message];
    expect(names.split(', ').sort()).toEqual(['a-tool', 'b-tool', 'c-tool']);
    expect(message).toMatch(
      /: give it access, or without: \['.-tool', '.-tool', '.-tool'\] leaves them out if migrations do not import them$/,
    );
  });

  test('by its address, if it has no name', () => {
    expect(messageOf(() => packaged(backend(address())))).toMatch(
      /^file:\/\/\S+nowhere comes from git, and this machine could not fetch it \(fatal: .*\): give it access, or remove it .* "<name> @ git\+\.\.\."/,
    );
  });
});

describe('a source distribution that needs a compiler', () => {
  const directory = () => backend(`--find-links ${links}\nfast-tool==1.0`);

  test('is rejected by name with what to do', () => {
    expect(messageOf(() => packaged(directory()))).toMatch(
      /^fast-tool has no wheel for Python 3\.13 on Linux arm64 and can't be built without a compiler: without: \['fast-tool'\] leaves out/,
    );
  });

  test('is reported in one message with all others', () => {
    const others = backend(`--find-links ${links}\nfast-tool==1.0\npsycopg2==2.9.6`);
    expect(messageOf(() => packaged(others))).toMatch(
      /^(?=.*psycopg2-binary)(?=.*fast-tool).* have no wheel .*; add: \['psycopg2-binary==2\.9\.10'\] .*; without: \['fast-tool'\]/,
    );
  });

  test('is rejected together with a missing driver, and both suggested lines work', () => {
    const directory = writeFiles(backend(''), {
      'requirements.txt': `alembic==1.16.5\nsqlalchemy==2.0.43\n--find-links ${links}\nfast-tool==1.0\n`,
    });
    expect(messageOf(() => packaged(directory))).toMatch(
      /^fast-tool has no wheel .*: without: \['fast-tool'\] .*\. Besides, the dependencies of .* have no driver, .* add: \['psycopg2-binary'\] packages it/,
    );
    expect(existsSync(join(packaged(directory, { without: ['fast-tool'], add: ['psycopg2-binary'] }), 'psycopg2'))).toBe(true);
  });

  test('is reported with the newer versions that have a wheel', () => {
    const unbuilt = [
      { name: 'greenlet', version: '1.1.2' },
      { name: 'httptools', version: '0.4.0' },
      { name: 'cdk-alembic-fast-tool', version: '1.0' },
    ];
    const newer = newerVersions(temporaryDirectory(), unbuilt, lambda);
    expect(newer).toEqual(['greenlet==3.1.0', 'httptools==0.6.2']);
    const { message } = new NeedsCompiling(unbuilt, lambda, { newer, other: { version: '3.11', names: ['httptools'] } });
    expect(message).toMatch(
      /: add: \['greenlet==3\.1\.0', 'httptools==0\.6\.2'\] packages newer versions, which have some; runtime: lambda\.Runtime\.PYTHON_3_11 has wheels for httptools; without: \['cdk-alembic-fast-tool'\] leaves out/,
    );
  });

  test('is reported with the solution for all, without one for some', () => {
    const unbuilt = [
      { name: 'greenlet', version: '1.1.2' },
      { name: 'httptools', version: '0.4.0' },
    ];
    const newer = ['greenlet==3.1.0', 'httptools==0.6.2'];
    const messages = [
      new NeedsCompiling(unbuilt, lambda, { newer, other: { version: '3.11', names: ['httptools'] } }),
      new NeedsCompiling(unbuilt, lambda, {
        newer: newer.slice(1),
        other: { version: '3.11', names: ['greenlet', 'httptools'] },
      }),
    ].map(({ message }) => message.slice(message.indexOf(': ') + 2));
    expect(messages).toEqual([
      "add: ['greenlet==3.1.0', 'httptools==0.6.2'] packages newer versions, which have some",
      'runtime: lambda.Runtime.PYTHON_3_11 has wheels for greenlet, httptools',
    ]);
  });

  test('is not reported as missing if it is the driver', () => {
    const files = { 'requirements.txt': 'alembic==1.16.5\nsqlalchemy==2.0.43\nasyncpg==0.29.0\n' };
    const message = messageOf(() => packaged(writeFiles(backend(''), files)));
    expect(message).toMatch(/^asyncpg has no wheel .*; add: \['asyncpg==0\.30\.0'\]/);
    expect(message).not.toMatch(/no driver/);
  });

  test('is looked up without a download of the Python in question', () => {
    const directory = writeFiles(temporaryDirectory(), { 'uv.toml': 'no-index = true\nfind-links = ["."]\n' });
    run('uv', ['build', '--wheel', '--quiet', '--out-dir', directory], writeFiles(temporaryDirectory(), PURE));
    const [managed, saved] = [temporaryDirectory(), { ...process.env }];
    Object.assign(process.env, {
      UV_PYTHON_DOWNLOADS: 'automatic',
      UV_PYTHON_INSTALL_DIR: managed,
      UV_PYTHON_INSTALL_MIRROR: `file://${managed}/none`,
      PATH: ['uv', 'python3'].map((command) => dirname(run('which', [command], managed))).join(delimiter),
    });
    try {
      const unbuilt = [{ name: 'pure-tool', version: '1.0' }];
      expect(newerVersions(directory, unbuilt, { ...lambda, pythonVersion: '3.12' })).toEqual(['pure-tool==1.5']);
    } finally {
      process.env = saved;
    }
    // uv locks it to install a Python.
    expect(readdirSync(managed)).toEqual([]);
  });

  test('without a wheel for this Python is rejected with a Python that has one', () => {
    const stderr =
      'error: No solution found when resolving dependencies\n  cause: Because pyqlib>=0.9.5 has no wheels with a matching Python ' +
      'ABI tag (e.g., `cp313`) and shop depends on pyqlib>=0.9.5, we can conclude that your requirements are unsatisfiable.';
    const error = failureOf(new UvFailed('uv failed', stderr), {
      architecture: 'x86_64',
      pythonVersion: '3.13',
    }) as NeedsCompiling;
    expect(error.unbuilt).toEqual([{ name: 'pyqlib', range: 'pyqlib>=0.9.5' }]);
    expect(otherPython(temporaryDirectory(), error.unbuilt, error.platform, ['3.13', '3.12'])).toEqual({
      version: '3.12',
      names: ['pyqlib'],
    });
  });

  test.each([
    ['all versions of onepassword-sdk have no wheels with a matching platform tag (e.g., `manylinux_2_28_x86_64`)'],
    ['all versions of onepassword-sdk have no usable wheels'],
  ])('without a wheel for the Linux of this Python is rejected with the Python whose Linux is newer: %s', (why) => {
    const stderr = `error: No solution found when resolving dependencies\n  cause: Because ${why} and shop depends on onepassword-sdk, we can conclude that your requirements are unsatisfiable.`;
    const error = failureOf(new UvFailed('uv failed', stderr), {
      architecture: 'x86_64',
      pythonVersion: '3.11',
    }) as NeedsCompiling;
    expect(error.unbuilt).toEqual([{ name: 'onepassword-sdk', range: 'onepassword-sdk' }]);
    expect(otherPython(temporaryDirectory(), error.unbuilt, error.platform, ['3.13'])).toEqual({
      version: '3.13',
      names: ['onepassword-sdk'],
    });
  });

  test('is not called one without wheels if the index does not answer', () => {
    const folder = temporaryDirectory();
    // The name of its file is right, and what is in it names the machine that built it.
    run('python3', ['-c', WHEEL_OF_ONE_MACHINE], folder);
    const uv =
      '#!/bin/sh\ncase " $* " in *" --dry-run "*) echo "error: Failed to fetch: $INDEX" >&2; exit 2;; esac\nexec uv "$@"\n';
    writeFileSync(join(folder, 'uv'), uv, { mode: 0o755 });
    const { UV } = process.env;
    process.env.UV = join(folder, 'uv');
    try {
      expect(messageOf(() => packaged(backend(`--find-links ${folder}\nmaps==1.0`)))).toMatch(
        /^"uv pip install" failed in .*: error: Failed to fetch/,
      );
    } finally {
      if (UV === undefined) delete process.env.UV;
      else process.env.UV = UV;
    }
  });

  test('is rejected with the single option that solves everything, if the package would also be too large', () => {
    const { message } = new NeedsCompiling([{ name: 'fast-tool' }], lambda, { tooLarge: 616 });
    expect(message).toMatch(
      /: only: PackageOnly\.IMPORTED leaves out everything that migrations do not import \(without fast-tool alone, the package would have 616 MB, and Lambda allows 250\); wheels adds /,
    );
  });

  test('is never left out if every run imports it', () => {
    const { message } = new NeedsCompiling([{ name: 'sqlalchemy' }, { name: 'fast-tool' }], lambda);
    expect(message).toMatch(/: without: \['fast-tool'\] leaves out .*; wheels adds a folder of wheels/);
  });

  test('can be left out', () => {
    expect(readdirSync(packaged(directory(), { without: ['fast-tool'] })).filter((name) => name.startsWith('fast'))).toEqual([]);
  });

  test('may come as a wheel that the team built', () => {
    const wheels = temporaryDirectory();
    const pure = {
      'pyproject.toml': COMPILED['pyproject.toml'],
      'setup.py': 'from setuptools import setup\nsetup(name="fast-tool", version="1.0", py_modules=["fast_tool"])\n',
      'fast_tool.py': '',
    };
    run('uv', ['build', '--wheel', '--quiet', '--out-dir', wheels], writeFiles(temporaryDirectory(), pure));
    expect(existsSync(join(packaged(directory(), { wheels }), 'fast_tool.py'))).toBe(true);
  });
});

test('a distribution with wheels for an older Python only is rejected with the runtime to choose', () => {
  expect(messageOf(() => packaged(backend('psycopg2-binary==2.9.6')))).toMatch(
    /^psycopg2-binary has no wheel for Python 3\.13 .*: runtime: lambda\.Runtime\.PYTHON_3_11 has wheels for psycopg2-binary; add: /,
  );
});

test('a distribution with neither a source nor a wheel for the function is rejected with the runtime to choose', () => {
  expect(messageOf(() => packaged(backend('psycopg-binary==3.1.19')))).toMatch(
    /^psycopg-binary has no wheel for Python 3\.13 .*: runtime: lambda\.Runtime\.PYTHON_3_12 has wheels for psycopg-binary; add: /,
  );
});

test("a wheel for the newest Linux that Lambda's Python runs on is packaged", () => {
  expect(existsSync(join(packaged(backend('onepassword-sdk==0.4.0')), 'onepassword'))).toBe(true);
});

test('on Python 3.11, the wheel for its older Linux is packaged, although uv prefers the newer one', () => {
  const target = temporaryDirectory();
  packageOf(backend('bcrypt==4.2.0'), { ...lambda, pythonVersion: '3.11' }).build(target);
  expect(readdirSync(join(target, 'site-packages', 'bcrypt'))).toContain('_bcrypt.abi3.so');
});

test('on Python 3.11, a wheel for a newer Linux is rejected with an older version and the runtime, unless migrations do not import it', () => {
  const older: FunctionPlatform = { ...lambda, pythonVersion: '3.11' };
  const directory = backend('numpy==2.3.3');
  expect(messageOf(() => packageOf(directory, older).build(temporaryDirectory()))).toMatch(
    /^numpy-2\.3\.3 can't run on Lambda's Python 3\.11, whose Linux is too old: add: \['numpy==2\.[0-3]\.\d+'\] packages what it can run, or set runtime: lambda\.Runtime\.PYTHON_3_13$/,
  );
  const target = temporaryDirectory();
  packageOf(directory, older, { onlyImported: true }).build(target);
  expect(existsSync(join(target, 'site-packages', 'numpy'))).toBe(false);
});

test('on Python 3.11, a project that allows no other gets a version with a wheel for its Linux, and the suggested line works', () => {
  const older: FunctionPlatform = { ...lambda, pythonVersion: '3.11' };
  const directory = writeFiles(backend('numpy>=2,<=2.3.3'), { 'pyproject.toml': '[project]\nrequires-python = "==3.11.*"\n' });
  const message = messageOf(() =>
    packageOf(directory, older, { requirements: ['requirements.txt'] }).build(temporaryDirectory()),
  );
  const [, add = ''] =
    /^numpy-2\.3\.3 can't run .*, whose Linux is too old: add: \['(.*)'\] packages what it can run$/.exec(message) ?? [];
  expect([message, add]).toEqual([message, expect.stringMatching(/^numpy==2\.[0-3]\./)]);
  const target = temporaryDirectory();
  packageOf(directory, older, { requirements: ['requirements.txt'], add: [add] }).build(target);
  expect(existsSync(join(target, 'site-packages', 'numpy'))).toBe(true);
});

describe('psycopg2, which has no wheels,', () => {
  const infos = (target: string) =>
    readdirSync(join(target, 'site-packages')).filter((name) => name.startsWith('psycopg2') && name.endsWith('-info'));
  const built = (requirement: string, options = {}) => {
    const target = temporaryDirectory();
    packageOf(backend(requirement), lambda, options).build(target);
    return target;
  };

  test.each([{}, { onlyImported: true }])('is replaced by the same version of a distribution with wheels: %j', (options) => {
    const target = built('psycopg2==2.9.10', options);
    expect(infos(target)).toEqual(['psycopg2_binary-2.9.10.dist-info']);
    expect(foundWith('packaged', target)).toBe('packaged, and psycopg2-binary==2.9.10 in place of psycopg2');
  });

  test('is replaced by an added requirement', () => {
    const target = built('psycopg2==2.9.10', { add: ['psycopg2-binary==2.9.11'] });
    expect(infos(target)).toEqual(['psycopg2_binary-2.9.11.dist-info']);
    expect(foundWith('packaged', target)).toBe('packaged');
  });

  test('is rejected with the version that works, if the other distribution lacks this version too', () => {
    const message = messageOf(() => built('psycopg2==2.9.6'));
    expect(message).toMatch(
      /^psycopg2-binary has no wheel for Python 3\.13 .*: runtime: lambda\.Runtime\.PYTHON_3_11 has wheels for psycopg2-binary; add: \['psycopg2-binary==2\.9\.10'\] packages a newer version/,
    );
    const [, add = ''] = /add: \['([^']+)'\]/.exec(message) ?? [];
    for (const requirement of ['psycopg2==2.9.6', 'psycopg2-binary==2.9.6']) {
      expect(infos(built(requirement, { add: [add] }))).toEqual(['psycopg2_binary-2.9.10.dist-info']);
    }
  });
});

test('an added requirement comes with its dependencies', () => {
  expect(readdirSync(packaged(backend(''), { add: ['psycopg[binary]==3.2.10'] }))).toEqual(
    expect.arrayContaining(['psycopg', 'psycopg_binary']),
  );
});

test('an added requirement is searched where the requirements file says, including a folder beside it', () => {
  const directory = backend('--find-links ./distributions');
  cpSync(links, join(directory, 'distributions'), { recursive: true });
  expect(readdirSync(packaged(directory, { add: ['pure-tool==1.5'] }))).toContain('pure_tool');
});

describe('a requirement that is not on the index', () => {
  const NAME = 'cdk-alembic-test-of-no-index';

  test('is rejected with the line that packages it, if it is a project of the same repository', () => {
    const repository = writeFiles(temporaryDirectory(), {
      '.git/HEAD': '',
      'packages/contracts/pyproject.toml': PURE['pyproject.toml'].replace('pure-tool', NAME),
      'packages/contracts/src/cdk_alembic_test_of_no_index/__init__.py': '',
    });
    const directory = join(repository, 'services', 'api');
    cpSync(backend(NAME), directory, { recursive: true });
    const message = messageOf(() => packaged(directory));
    const [, list = '[]'] = /has this name: requirements: (\[.*\]) packages it from there$/.exec(message) ?? ['', message];
    expect(message).toMatch(/^cdk-alembic-test-of-no-index, which .*\/services\/api requires, is not on the package index: /);
    const requirements = JSON.parse(list.replaceAll("'", '"'));
    expect(readdirSync(packaged(directory, { requirements }))).toContain('cdk_alembic_test_of_no_index');
  });

  test('is rejected with what to set, if it is not in the repository either', () => {
    expect(messageOf(() => packaged(backend(NAME)))).toMatch(
      /is not on the package index: if it is on an index of your own, set UV_INDEX to its address; without: \['cdk-alembic-test-of-no-index'\]/,
    );
  });
});

test('a version that the runner does not support is rejected before anything is built', () => {
  const directory = writeFiles(backend(''), {
    'requirements.txt': `alembic==1.7.7\nsqlalchemy==1.4.54\n--find-links ${links}\nfast-tool==1.0\n`,
  });
  expect(messageOf(() => packaged(directory))).toMatch(
    /have alembic 1\.7\.7, and the runner supports Alembic 1\.8 or later: update it, or add: \['alembic==1\.8\.1'\] packages another/,
  );
});
