import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDependencies } from '../../lib/packaging/dependencies/find';
import { noDependencies } from '../../lib/packaging/dependencies/no-dependencies';
import type { DependencySource, Selection } from '../../lib/packaging/dependencies/source';
import { checked, copyOf, shown, temporaryDirectory, writeFiles } from './support';

const NOTHING: Selection = { groups: [], extras: [], without: [], add: [], requirements: [] };
const platform = { architecture: 'arm64', pythonVersion: '3.13' } as const;

function sourceOf(files: Record<string, string>, selection: Partial<Selection> = {}): DependencySource {
  const found = findDependencies(writeFiles(temporaryDirectory(), files), { ...NOTHING, ...selection });
  if (!found) throw new Error('nothing was found');
  return found;
}

const textsOf = (source: DependencySource) =>
  source
    .resolve(platform)
    .requirements.map(({ text }) => text)
    .sort();

describe('poetry.lock', () => {
  const PYPROJECT = `[tool.poetry.dependencies]
python = "^3.11"
alembic = "^1.13"
sqlalchemy = { version = "^2", extras = ["asyncio"] }
sentry = { version = "1", optional = true }
[tool.poetry.extras]
observe = ["sentry"]
[tool.poetry.group.cloud.dependencies]
boto3 = "*"
[tool.poetry.group.dev.dependencies]
pytest = "*"
`;
  const entry = (name: string, more = '') =>
    `[[package]]\nname = "${name}"\nversion = "1.0"\nfiles = [{file = "${name}-1.0.whl", hash = "sha256:${name}"}]\n${more}\n`;
  const LOCK = [
    entry('alembic', '[package.dependencies]\nSQLAlchemy = ">=1.4"\nMako = "*"'),
    entry('mako'),
    entry(
      'sqlalchemy',
      '[package.dependencies]\ngreenlet = {version = "*", optional = true}\npymysql = {version = "*", optional = true}\n' +
        'tomli = {version = "*", markers = "python_version < \\"3.11\\""}\n[package.extras]\nasyncio = ["greenlet (!=0.4.17)"]\nmysql = ["pymysql"]',
    ),
    ...['greenlet', 'pymysql', 'tomli', 'boto3', 'pytest', 'sentry'].map((name) => entry(name)),
  ].join('');

  test('gives what the main group needs, with hashes, conditions and the requested extras', () => {
    const source = sourceOf({ 'pyproject.toml': PYPROJECT, 'poetry.lock': LOCK });
    expect(textsOf(source)).toEqual([
      'alembic==1.0',
      'greenlet==1.0',
      'mako==1.0',
      'sqlalchemy==1.0',
      'tomli==1.0 ; python_version < "3.11"',
    ]);
    expect(source.resolve(platform).requirements[0]?.hashes).toEqual([expect.stringMatching(/^sha256:/)]);
  });

  test('gives groups and extras on request, and leaves out excluded packages with their own dependencies', () => {
    const selection = { groups: ['cloud'], extras: ['observe'], without: ['alembic'] };
    const texts = textsOf(sourceOf({ 'pyproject.toml': PYPROJECT, 'poetry.lock': LOCK }, selection));
    expect(texts).toEqual([
      'boto3==1.0',
      'greenlet==1.0',
      'sentry==1.0',
      'sqlalchemy==1.0',
      'tomli==1.0 ; python_version < "3.11"',
    ]);
  });

  test("knows Poetry 1's group of development, and names of groups and extras in other spellings", () => {
    const pyproject = PYPROJECT.replace('group.cloud', 'group.Cloud_Tools').replace('group.dev.', 'dev-');
    const files = { 'pyproject.toml': pyproject, 'poetry.lock': LOCK };
    const added = (selection: Partial<Selection>) => {
      const without = textsOf(sourceOf(files));
      return textsOf(sourceOf(files, selection)).filter((text) => !without.includes(text));
    };
    expect(added({ groups: ['cloud-tools'] })).toEqual(['boto3==1.0']);
    expect(added({ groups: ['dev'] })).toEqual(['pytest==1.0']);
    expect(added({ extras: ['Observe'] })).toEqual(['sentry==1.0']);
  });

  test('gives what an extra of a dependency needs, although Poetry 1 repeats the extra in the condition', () => {
    const fastapi = `[package.dependencies]
email-validator = {version = "*", optional = true, markers = "extra == \\"all\\""}
orjson = {version = "*", optional = true, markers = "python_version < \\"3.14\\" and (extra == \\"all\\" or extra == \\"json\\")"}
ujson = {version = "*", optional = true, markers = "extra == \\"json\\""}
[package.extras]
all = ["email-validator (>=2.0.0)", "orjson (>=3)"]
json = ["orjson (>=3)", "ujson (>=3)"]`;
    const source = sourceOf({
      'pyproject.toml': '[tool.poetry.dependencies]\nfastapi = { version = "*", extras = ["all"] }\n',
      'poetry.lock': [entry('fastapi', fastapi), ...['email-validator', 'orjson', 'ujson'].map((name) => entry(name))].join(''),
    });
    expect(textsOf(source)).toEqual([
      'email-validator==1.0',
      'fastapi==1.0',
      'orjson==1.0 ; python_version < "3.14" and (python_version >= "3" or python_version >= "3")',
    ]);
  });

  test("uses Poetry 2's own conditions for the groups and extras of this package", () => {
    const lock = entry('alembic', 'groups = ["main"]\nmarkers = "extra == \\"observe\\" or sys_platform == \\"linux\\""');
    expect(
      textsOf(sourceOf({ 'pyproject.toml': '[project]\nname = "a"\ndependencies = ["alembic"]\n', 'poetry.lock': lock })),
    ).toEqual(['alembic==1.0 ; python_version < "3" or sys_platform == "linux"']);
  });

  test('with a git or a path dependency gives its commit or its directory', () => {
    const git =
      '[package.source]\ntype = "git"\nurl = "https://example.org/a.git"\nreference = "main"\nresolved_reference = "c0ffee"';
    const directory = '[package.source]\ntype = "directory"\nurl = "../common"';
    const files = {
      'back/pyproject.toml': '[tool.poetry.dependencies]\nalembic = "*"\ncommon = { path = "../common" }\n',
      'back/poetry.lock': entry('alembic', git) + entry('common', directory),
    };
    const root = writeFiles(temporaryDirectory(), files);
    const source = findDependencies(join(root, 'back'), NOTHING) as DependencySource;
    expect(textsOf(source)).toEqual(['alembic @ git+https://example.org/a.git@c0ffee']);
    expect(source.projects).toEqual([join(root, 'common')]);
  });

  test('that lacks a dependency of pyproject.toml is rejected with the command that locks', () => {
    const { errors } = sourceOf({ 'pyproject.toml': `${PYPROJECT}[project]\ndependencies = ["httpx"]\n`, 'poetry.lock': LOCK });
    expect(errors.map(shown)).toEqual([
      expect.stringMatching(/does not have httpx, which pyproject\.toml requires: run "poetry lock" in /),
    ]);
  });

  test('may lack what Poetry 1 never locks', () => {
    const asked = ['setuptools', 'wheel', 'pip', 'distribute'].map((name) => `${name} = "*"\n`).join('');
    const pyproject = PYPROJECT.replace('alembic =', `${asked}alembic =`);
    expect(sourceOf({ 'pyproject.toml': pyproject, 'poetry.lock': LOCK }).errors.map(shown)).toEqual([]);
  });
});

test('pdm.lock gives what the project reaches, with the extras that have entries of their own', () => {
  const lock = `[[package]]
name = "sqlalchemy"
version = "2.0"
dependencies = ["typing-extensions>=4", "greenlet; platform_machine == 'x86'"]
files = [{file = "x.whl", hash = "sha256:1"}]
[[package]]
name = "sqlalchemy"
version = "2.0"
extras = ["asyncio"]
dependencies = ["SQLAlchemy==2.0", "greenlet>=1"]
[[package]]
name = "greenlet"
version = "3.0"
[[package]]
name = "typing-extensions"
version = "4.0"
[[package]]
name = "pytest"
version = "9.0"
`;
  const files = { 'pdm.lock': lock, 'pyproject.toml': '[project]\nname = "a"\ndependencies = ["SQLAlchemy[asyncio]>=2"]\n' };
  expect(textsOf(sourceOf(files))).toEqual(['greenlet==3.0', 'sqlalchemy==2.0', 'typing-extensions==4.0']);
  const plain = { ...files, 'pyproject.toml': '[project]\nname = "a"\ndependencies = ["SQLAlchemy>=2"]\n' };
  expect(textsOf(sourceOf(plain))).toContain("greenlet==3.0 ; platform_machine == 'x86'");
});

test('Pipfile.lock gives the default section, and the address of a private index with its variables filled in', () => {
  const lock = {
    _meta: { sources: [{ url: 'https://pypi.org/simple' }, { url: 'https://$CDK_ALEMBIC_TEST@example.org/simple' }] },
    default: {
      alembic: { version: '==1.16.0', hashes: ['sha256:1'], markers: "python_version >= '3.9'" },
      tool: { git: 'https://example.org/tool.git', ref: 'c0ffee' },
      common: { path: './common', editable: true },
    },
    develop: { pytest: { version: '==9.0' } },
  };
  process.env.CDK_ALEMBIC_TEST = 'secret';
  const source = sourceOf({ 'Pipfile.lock': JSON.stringify(lock), Pipfile: '[packages]\nalembic = "*"\n' });
  expect(textsOf(source)).toEqual([
    "alembic==1.16.0 ; python_version >= '3.9'",
    'tool @ git+https://example.org/tool.git@c0ffee',
  ]);
  expect(source.resolve(platform).options).toEqual(['--extra-index-url https://secret@example.org/simple']);
  expect(source.projects).toEqual([expect.stringMatching(/\/common$/)]);
});

test('pylock.toml gives its wheels, with the requested groups', () => {
  const lock = `lock-version = "1.0"
[[packages]]
name = "alembic"
version = "1.16"
wheels = [{url = "https://example.org/alembic.whl", hashes = {sha256 = "1"}}]
[[packages]]
name = "boto3"
version = "1.0"
marker = "'cloud' in dependency_groups"
[[packages]]
name = "common"
directory = {path = "../common", editable = true}
`;
  const source = sourceOf({ 'pylock.toml': lock }, { groups: ['cloud'] });
  expect(textsOf(source)).toEqual(['alembic==1.16', 'boto3==1.0 ; python_version >= "3"']);
  expect(textsOf(sourceOf({ 'pylock.toml': lock }))).toContain('boto3==1.0 ; python_version < "3"');
  expect(source.projects).toEqual([expect.stringMatching(/\/common$/)]);
});

describe('requirements.txt', () => {
  test('with hashes is installed unchanged, with the files it includes', () => {
    const files = {
      'requirements.txt':
        '-r base.txt\n--extra-index-url https://example.org/simple\nalembic==1.16 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n',
      'base.txt': 'mako==1.3 ; python_version >= "3.9" --hash=sha256:3  # via alembic\n',
    };
    const source = sourceOf(files);
    expect(source.resolve(platform)).toEqual({
      requirements: [
        { name: 'mako', text: 'mako==1.3 ; python_version >= "3.9"', hashes: ['sha256:3'] },
        { name: 'alembic', text: 'alembic==1.16', hashes: ['sha256:1', 'sha256:2'] },
      ],
      projects: [],
      options: ['--extra-index-url https://example.org/simple'],
    });
    expect(source.files.map((file) => file.split('/').at(-1))).toEqual(['requirements.txt', 'base.txt']);
    expect(source.warnings).toEqual([]);
  });

  test('that does not pin everything is packaged with a warning, and its local paths are packaged as code', () => {
    const source = sourceOf({
      'requirements.txt': 'alembic>=1.16\n-c limits.txt\n-e common\n-e .\n',
      'limits.txt': '',
      'common/setup.py': '',
    });
    expect(source.warnings).toEqual([
      expect.stringContaining('requirements.txt does not pin alembic: another machine may package'),
    ]);
    expect(source.projects).toEqual([expect.stringMatching(/\/common$/)]);
  });

  test.each([
    ['little', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['big', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('in UTF-16 (%s endian), as Windows PowerShell writes it, is read', (_, encode) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'requirements.txt'), encode('mako==1.3.5 --hash=sha256:abc\r\n'));
    const source = findDependencies(directory, NOTHING) as DependencySource;
    expect(textsOf(source)).toEqual(['mako==1.3.5']);
  });

  test('that is a pyproject.toml stands for its project', () => {
    const directory = writeFiles(temporaryDirectory(), {
      'packages/core/pyproject.toml':
        '[project]\nname = "core"\nversion = "1"\ndependencies = ["sqlalchemy>=2", "mako==1.3.5"]\n',
    });
    const selection = { ...NOTHING, requirements: ['packages/core/pyproject.toml'] };
    const source = findDependencies(directory, selection) as DependencySource;
    expect(source.projects).toEqual([join(directory, 'packages/core')]);
    expect(source.files).toEqual([join(directory, 'packages/core/pyproject.toml')]);
    expect(source.warnings).toEqual([expect.stringContaining('packages/core/pyproject.toml does not pin sqlalchemy: another')]);
  });

  test('in a folder of requirements is found', () => {
    const files = { 'requirements/requirements.txt': 'alembic==1.16.1\n', 'requirements/base.txt': 'mako\n' };
    expect(sourceOf(files).found).toMatch(/^requirements\/requirements\.txt in /);
  });

  test('that includes a missing file is rejected', () => {
    expect(sourceOf({ 'requirements.txt': '-r nowhere.txt\n' }).errors.map(shown)).toEqual([
      expect.stringMatching(/requirements file .*\/nowhere\.txt does not exist/),
    ]);
  });
});

test.each([
  [
    'pyproject.toml',
    '[project]\ndependencies = ["alembic"] # not cluod, but obsreve\n[dependency-groups]\nCloud_Tools = ["boto3"]\n',
    'poetry.lock',
    'Cloud_Tools',
  ],
  ['Pipfile.lock', '{"default": {"cluod": {"version": "==1.0"}}, "cloud-tools": {}}', 'Pipfile.lock', 'cloud-tools'],
  ['pylock.toml', 'lock-version = "1.0" # cluod\ndependency-groups = ["cloud-tools"]\n', 'pylock.toml', 'cloud-tools'],
])('a group or an extra that %s does not declare is rejected', (name, text, found, group) => {
  const directory = writeFiles(temporaryDirectory(), { [name]: text, ...(found === 'poetry.lock' && { 'poetry.lock': '' }) });
  const { errors } = checked(directory, platform, { groups: ['cloud.tools', 'cluod'], extras: ['obsreve'] });
  expect(errors.map(shown)).toEqual(
    expect.arrayContaining([
      `groups: ['cluod']: ${found} in ${directory} has no cluod; it has ${group}`,
      `extras: ['obsreve']: ${found} in ${directory} has no obsreve`,
    ]),
  );
  expect(errors.map(shown).join()).not.toContain('cloud.tools');
});

test('a folder without dependencies is rejected with the file that has them, even elsewhere in its repository', () => {
  const repository = writeFiles(temporaryDirectory(), {
    '.git/HEAD': '',
    'db/alembic.ini': '[alembic]\n',
    'services/agents/pyproject.toml': '[project]\nname = "agents"\n',
    'services/agents/alembic/pyproject.toml': '[project]\nname = "tool"\n',
    'packages/core/pyproject.toml': '[project]\nname = "core"\ndependencies = ["SQLAlchemy>=2"]\n',
  });
  expect(shown(noDependencies(repository))).toMatch(
    /requirements files, such as requirements: \['packages\/core\/pyproject.toml'\]$/,
  );
  expect(shown(noDependencies(join(repository, 'db')))).toMatch(
    `: pass ${repository}, with alembicConfig: 'db/alembic.ini' and requirements: ['packages/core/pyproject.toml']`,
  );
});

test('a backend below, whose Alembic is called from the folder, is reported with the options that package it', () => {
  const directory = writeFiles(temporaryDirectory(), {
    'back/alembic.ini': '[alembic]\nscript_location = back/migrations\n',
    'back/migrations/env.py': '',
    'back/requirements.txt': 'alembic\n',
  });
  expect(shown(noDependencies(directory))).toMatch(
    /: name its files with alembicConfig: 'back\/alembic\.ini' and requirements: \['back\/requirements\.txt'\]$/,
  );
  writeFiles(directory, { 'back/alembic.ini': '[alembic]\nscript_location = %(here)s/migrations\n' });
  expect(shown(noDependencies(directory))).toMatch(/: pass .*\/back, which has them and an alembic\.ini$/);
});

describe.each([
  ['poetry', 'pyproject.toml', 'poetry lock'],
  ['pdm', 'pyproject.toml', 'pdm lock'],
  ['pipenv', 'Pipfile', 'pipenv lock'],
])('a lock as %s writes it', (kind, file, command) => {
  const directory = copyOf(join(__dirname, '..', 'projects', kind));

  test('fits its project', () => {
    expect(findDependencies(directory, NOTHING)).toMatchObject({ errors: [], warnings: [] });
  });

  test('is rejected if the requirements have changed since, with the command that updates it', () => {
    const path = join(directory, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace('1.16', '1.17'));
    expect(findDependencies(directory, NOTHING)?.errors.map(shown)).toEqual([
      expect.stringMatching(
        new RegExp(`lock is older than ${path}: the dependencies have changed since. Run "${command}" in ${directory}`),
      ),
    ]);
  });
});

test.each([
  ['before 2026', '8ca30d859a6a3b372668a70307d2aa8e8ccec416b5cca0c125987c2861d37daa'],
  ['since 2026', '0e91dbe8dd001f678d699bbea66b6eb1df0c53365164746f0c3d64057ca0c397'],
])("a lock fits a Pipfile with capital letters in its names, with Pipenv's checksum %s", (_, sha256) => {
  const Pipfile = '[packages]\nalembic = "*"\nFlask_SQLAlchemy = "*"\n\n[Telemetry]\nOpenTelemetry-API = "*"\n';
  const locked = { alembic: { version: '==1.16.0' }, 'flask-sqlalchemy': { version: '==3.1.1' } };
  const lock = JSON.stringify({ _meta: { hash: { sha256 } }, default: locked, develop: {} });
  expect(sourceOf({ 'Pipfile.lock': lock, Pipfile }).errors.map(shown)).toEqual([]);
  const changed = Pipfile.replace('alembic = "*"', 'alembic = ">=1.16"');
  expect(sourceOf({ 'Pipfile.lock': lock, Pipfile: changed }).errors.map(shown)).toEqual([
    expect.stringContaining('is older than'),
  ]);
});

test('a pyproject.toml alone is packaged with a warning that says how to lock it', () => {
  const { warnings } = sourceOf({ 'pyproject.toml': '[tool.poetry.dependencies]\nalembic = "*"\n' });
  expect(warnings).toEqual([expect.stringMatching(/nothing locks the versions .*"poetry lock" in /)]);
});

test('a folder with requirements files of other names is reported with the one that has Alembic, and not with one for development', () => {
  const root = writeFiles(temporaryDirectory(), {
    'requirements/common.txt': 'alembic\npsycopg[binary]\n',
    'requirements/ci-tests.txt': '-r common.txt\npytest-alembic\n',
    'requirements/live.txt': '-r common.txt\ngunicorn\n',
  });
  expect(shown(noDependencies(root))).toMatch(/requirements files, such as requirements: \['requirements\/common\.txt'\]$/);
});

test('a directory without requirements is rejected, and the error names a requirements file further below', () => {
  const files = ['back/infra/cdk/requirements.txt', 'back/requirements.txt', 'back/tests/requirements.txt'];
  const root = writeFiles(temporaryDirectory(), Object.fromEntries(files.map((file) => [file, ''])));
  expect(shown(noDependencies(root))).toMatch(/requirements files, such as requirements: \['back\/requirements\.txt'\]$/);
});

test('a directory with dependencies for conda is rejected with the command that exports them for PyPI', () => {
  const root = writeFiles(temporaryDirectory(), {
    'environment.yml': 'name: shop\ndependencies:\n  - alembic\n',
    'pyproject.toml': '[tool.black]\nline-length = 100\n',
  });
  expect(shown(noDependencies(root))).toMatch(
    /environment\.yml lists conda packages, .*"conda run -n shop pip list --format=freeze > requirements\.txt" in /,
  );
});

test.each([
  [
    'pixi.toml',
    '',
    /pixi\.toml lists conda packages, .* to a requirements\.txt in .*, with the versions that "pixi list" shows$/,
  ],
  ['Pipfile', '', /Pipfile is not locked: run "pipenv lock" in /],
  ['requirements/base.in', '', /base\.in is not compiled: run "uv pip compile base\.in -o base\.txt" in \/.*\/requirements, /],
  [
    'setup.cfg',
    '[options]\ninstall_requires =\n  alembic\n',
    /setup\.cfg only beside a setup\.py: add one that says "import setuptools; setuptools\.setup\(\)"$/,
  ],
])('a directory whose dependencies only %s declares is rejected with the step that makes them readable', (file, text, step) => {
  const root = writeFiles(temporaryDirectory(), { [file]: text });
  expect(findDependencies(root, NOTHING)).toBeUndefined();
  expect(shown(noDependencies(root))).toMatch(step);
});

test('a setup.cfg with settings of tools alone declares nothing, and does not hide the folder above', () => {
  const tools = { 'setup.cfg': '[flake8]\nmax-line-length = 100\n', 'pyproject.toml': '[tool.black]\nline-length = 100\n' };
  const root = writeFiles(temporaryDirectory(), {
    'requirements.txt': '',
    ...Object.fromEntries(Object.entries(tools).map(([name, text]) => [`app/${name}`, text])),
  });
  expect(findDependencies(join(root, 'app'), NOTHING)).toBeUndefined();
  expect(shown(noDependencies(join(root, 'app')))).toContain(`: pass ${root}, which declares them, with alembicConfig`);
});

test('a uv.lock without a pyproject.toml next to it does not hide the lock above', () => {
  const project = { 'pyproject.toml': '[project]\nname = "app"\nversion = "1"\n', 'uv.lock': 'version = 1\n' };
  const root = writeFiles(temporaryDirectory(), { ...project, 'back/uv.lock': 'version = 1\n' });
  expect(findDependencies(join(root, 'back'), NOTHING)?.found).toBe(`uv.lock of the workspace ${root}`);
});

test('a directory without requirements is rejected, and the error names the folder above that has some', () => {
  const root = writeFiles(temporaryDirectory(), { 'requirements.txt': '', 'app/alembic.ini': '' });
  expect(findDependencies(join(root, 'app'), NOTHING)).toBeUndefined();
  expect(shown(noDependencies(join(root, 'app')))).toMatch(
    `: pass ${root}, which declares them, with alembicConfig: 'app/alembic.ini'`,
  );
});

test('a pyproject.toml with settings of tools alone is not said to be missing, and is not named as the file above with dependencies', () => {
  const tools = '[tool.black]\nline-length = 100\n';
  const root = writeFiles(temporaryDirectory(), { 'pyproject.toml': tools, 'api/pyproject.toml': tools });
  const message = shown(noDependencies(join(root, 'api')));
  expect(message).toContain('and no pyproject.toml that declares dependencies');
  expect(message).toMatch(/: list its requirements files with requirements$/);
});

test('a folder of --find-links is relative to the requirements file', () => {
  const files = {
    'requirements.txt': '-r more/requirements.txt\n-f https://example.org/wheels\n',
    'more/requirements.txt': '--find-links=./wheels\nalembic==1.0 --hash=sha256:1\n',
    'more/wheels/README': '',
  };
  expect(sourceOf(files).resolve(platform).options).toEqual([
    expect.stringMatching(/^--find-links \/.+\/more\/wheels$/),
    '-f https://example.org/wheels',
  ]);
});
