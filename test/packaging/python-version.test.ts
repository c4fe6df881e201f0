import { PackagingError } from '../../lib/packaging/errors';
import { allows, preferredPython, pythonProblem } from '../../lib/packaging/project/python-version';
import { shown, temporaryDirectory, writeFiles } from './support';

test.each<[string, string[]]>([
  ['>=3.11', ['3.11', '3.12', '3.13', '3.14']],
  ['>=3.12.2, <3.13', ['3.12']],
  ['<=3.11', ['3.11']],
  ['>=3.11,!=3.12.*', ['3.11', '3.13', '3.14']],
  ['>3.11,<4', ['3.11', '3.12', '3.13', '3.14']],
  ['~=3.12.1', ['3.12']],
  ['~=3.12', ['3.12', '3.13', '3.14']],
  ['==3.13.*', ['3.13']],
  ['^3.12', ['3.12', '3.13', '3.14']],
  ['~3.12', ['3.12']],
  ['3.12.*', ['3.12']],
  ['>=3.11 <3.13', ['3.11', '3.12']],
  ['^3.9 || ^3.13', ['3.11', '3.12', '3.13', '3.14']],
  ['~3.9 || ~3.13', ['3.13']],
  ['*', ['3.11', '3.12', '3.13', '3.14']],
])('"%s" allows %j', (text, versions) => {
  expect(['3.11', '3.12', '3.13', '3.14'].filter((version) => allows(text, version))).toEqual(versions);
});

const OLDER_LOCK = `[[package]]
name = "tool"
[[package]]
name = "pure"
[metadata.files]
tool = [{file = "tool-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"}, {file = "tool-1.0.tar.gz"}]
pure = [{file = "pure-2.0-py3-none-any.whl"}]
`;

function lockOf(...tags: string[]): string {
  const files = tags.map((tag) => `{ file = "tool-1.0-${tag}.whl" }`);
  return `[[package]]\nname = "tool"\nfiles = [${files.join(', ')}, { file = "tool-1.0.tar.gz" }]\n`;
}

test.each<[string, Record<string, string>, string]>([
  ['says nothing', {}, '3.13'],
  ['wants 3.14', { 'pyproject.toml': '[project]\nrequires-python = ">=3.14"\n' }, '3.14'],
  ['uses Poetry', { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "~3.12"\n' }, '3.12'],
  ['uses Pipenv', { Pipfile: '[requires]\npython_version = "3.11"\n' }, '3.11'],
  [
    'locks wheels up to 3.12',
    { 'poetry.lock': lockOf('cp311-cp311-manylinux2014_x86_64', 'cp312-cp312-manylinux2014_x86_64') },
    '3.12',
  ],
  [
    'locks wheels of its own system',
    { 'poetry.lock': lockOf('cp313-cp313-macosx_11_0_arm64', 'cp311-cp311-linux_x86_64') },
    '3.11',
  ],
  [
    'locks wheels of Alpine Linux',
    { 'poetry.lock': lockOf('cp313-cp313-musllinux_1_2_x86_64', 'cp312-cp312-manylinux2014_x86_64.linux_x86_64') },
    '3.12',
  ],
  [
    'locks wheels that are too new for the Linux of 3.11',
    { '.python-version': '3.9', 'poetry.lock': lockOf('cp311-cp311-manylinux_2_28_x86_64', 'cp312-cp312-manylinux_2_28_x86_64') },
    '3.12',
  ],
  ['locks a wheel for later Pythons, too', { 'poetry.lock': lockOf('cp310-abi3-manylinux_2_28_x86_64') }, '3.13'],
  [
    'locks an SQLAlchemy that does not run on 3.13',
    { 'poetry.lock': lockOf('py3-none-any').replace('tool-1.0-py3', 'SQLAlchemy-2.0.30-py3') },
    '3.12',
  ],
  ['locks a pure wheel', { 'pylock.toml': lockOf('py3-none-any').replace('package', 'packages') }, '3.13'],
  ['pins a Python for its tools', { '.python-version': '3.12.4\n' }, '3.12'],
  ['pins an older one than Lambda has', { '.python-version': '3.10.4\n' }, '3.11'],
  ['pins versions with wheels up to 3.12', { 'requirements.txt': 'pip>=20\nasyncpg==0.29.0\n' }, '3.12'],
  [
    'pins such versions in a pyproject.toml alone',
    { 'pyproject.toml': '[project]\nname = "x"\nversion = "1"\ndependencies = ["pip>=20", "asyncpg==0.29.0"]\n' },
    '3.12',
  ],
  ['locks such versions with Pipenv', { 'Pipfile.lock': '{ "default": { "asyncpg": { "version": "==0.29.0" } } }' }, '3.12'],
  ['pins pure wheels', { 'requirements.txt': 'mako==1.3.5\n' }, '3.13'],
  [
    'has an older lock of Poetry, with the files of all in one table',
    { 'pyproject.toml': '', 'poetry.lock': OLDER_LOCK },
    '3.11',
  ],
  [
    'has a lock of Poetry without files',
    {
      'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"\nasyncpg = "^0.29"\n',
      'poetry.lock': '[[package]]\nname = "asyncpg"\nversion = "0.29.0"\n[metadata.files]\nasyncpg = []\n',
    },
    '3.12',
  ],
  ['pins what no index has', { 'requirements.txt': 'mako==0.0.0.1\n' }, '3.13'],
])('a project that %s runs on the preferred Python that it allows', (_, files, version) => {
  expect(preferredPython(writeFiles(temporaryDirectory(), files))).toBe(version);
});

test('a project that allows no Python of Lambda is reported with the list of versions', () => {
  const directory = writeFiles(temporaryDirectory(), { 'pyproject.toml': '[project]\nrequires-python = "<3.10"\n' });
  const error =
    `${directory}/pyproject.toml requires Python <3.10 and the function runs 3.13: ` +
    'Lambda has Python 3.11, 3.12, 3.13, 3.14: allow one of them there';
  expect(pythonProblem(directory, '3.13')).toEqual({ error: new PackagingError('unsupported_python', error) });
});

test('a Python that only the tools of the project pin is a warning', () => {
  const directory = writeFiles(temporaryDirectory(), { Pipfile: '[requires]\npython_version = "3.12"\n' });
  const warning = `${directory}/Pipfile requires Python ==3.12.* and the function runs 3.13: set runtime: lambda.Runtime.PYTHON_3_12`;
  expect(shown(pythonProblem(directory, '3.13')?.warning ?? '')).toBe(warning);
});
