import { join } from 'node:path';
import { checkAlembicProject, readAlembicProject } from '../../lib/packaging/project/alembic-project';
import { ALEMBIC_INI, revisionFile, shown, temporaryDirectory, writeFiles } from './support';

function project(files: Record<string, string>): string {
  return writeFiles(temporaryDirectory(), files);
}

function headsOf(files: Record<string, string>): string[] | undefined {
  return readAlembicProject(project(files))?.revisions?.heads.map(({ revision }) => revision);
}

const ENV = { 'alembic/env.py': '', 'alembic/versions/a1.py': revisionFile('a1', null) };

test.each<[string, string]>([
  ['a plain assignment', 'revision = "b2"\ndown_revision = "a1"\n'],
  ['annotations', 'revision: str = "b2"\ndown_revision: Union[str, None] = "a1"\n'],
  ['comments and odd quotes', `revision = 'b2'  # was "a1"\n# down_revision = "zz"\ndown_revision = ('a1')\n`],
  ['a tuple', 'revision = "b2"\ndown_revision = ("a1",)\n'],
  ['a list', 'revision = "b2"\ndown_revision = ["a1"]\n'],
])('the head is found in a revision written with %s', (_, text) => {
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, ...ENV, 'alembic/versions/x.py': text })).toEqual(['b2']);
});

test('a merge joins two heads into one', () => {
  const files = {
    ...ENV,
    'alembic/versions/b2.py': revisionFile('b2', 'a1'),
    'alembic/versions/c3.py': revisionFile('c3', 'a1'),
  };
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, ...files })).toEqual(['b2', 'c3']);
  const merge = 'revision = "d4"\ndown_revision = ("b2", "c3")\n';
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, ...files, 'alembic/versions/d4.py': merge })).toEqual(['d4']);
});

describe('several heads', () => {
  const labelled = (id: string, down: string | null) => `${revisionFile(id, down)}branch_labels = ("${id}",)\n`;
  const errorsOf = (files: Record<string, string>) =>
    checkAlembicProject(
      project({ 'alembic.ini': ALEMBIC_INI, 'alembic/env.py': '', ...files }),
      undefined,
      'poetry run ',
    ).errors.map(shown);

  test('are accepted if every branch has a label', () => {
    const branches = { 'alembic/versions/a1.py': labelled('a1', null), 'alembic/versions/b1.py': labelled('b1', null) };
    expect(errorsOf({ ...branches, 'alembic/versions/a2.py': revisionFile('a2', 'a1') })).toEqual([]);
  });

  test('are rejected if they share their only label', () => {
    const branches = { 'alembic/versions/a1.py': labelled('a1', null), 'alembic/versions/b1.py': revisionFile('b1', 'a1') };
    expect(errorsOf({ ...branches, 'alembic/versions/c1.py': revisionFile('c1', 'a1') })).toEqual([
      expect.stringContaining('2 heads: b1 (b1.py), c1 (c1.py)'),
    ]);
  });

  test('are rejected if one has no label, with the command that merges them', () => {
    const files = { 'alembic/versions/a1.py': revisionFile('a1', null), 'alembic/versions/b1.py': labelled('b1', null) };
    expect(errorsOf(files)).toEqual([
      expect.stringMatching(/2 heads: a1 \(a1\.py\), b1 \(b1\.py\).*"poetry run alembic merge -m 'merge heads' a1 b1"/),
    ]);
  });
});

test('if env.py sets the folders of revisions, no claim is made about them', () => {
  const env = { 'alembic/env.py': 'context.script.version_locations = ["elsewhere"]\n' };
  const found = checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...env }));
  expect(found).toMatchObject({ errors: [], warnings: [] });
});

test('a configuration with scripts in other sections is rejected with what to write', () => {
  const ini = '[alembic]\n[core]\nscript_location = core\n[tenant]\nscript_location = tenant\n';
  expect(checkAlembicProject(project({ 'alembic.ini': ini })).errors.map(shown)).toEqual([
    expect.stringMatching(
      /sets no script_location for Alembic: its sections core, tenant do\. Write .* name it with alembicConfig$/,
    ),
  ]);
});

test('a configuration that Alembic cannot read is rejected with the reason', () => {
  const directory = project({ ...ENV, 'alembic.ini': '[alembic]\nscript_location = alembic\nscript_location = alembic\n' });
  const file = join(directory, 'alembic.ini');
  expect(checkAlembicProject(directory).errors.map(shown)).toEqual([
    expect.stringMatching(new RegExp(`^${file} can't be read: .*option 'script_location' in section 'alembic' already exists$`)),
  ]);
});

test('a script_location that exists in two places means the one with env.py', () => {
  const directory = project({
    'migrations/alembic.ini': '[alembic]\nscript_location = .\n',
    'migrations/env.py': '',
    'migrations/versions/a1.py': revisionFile('a1', null),
  });
  expect(readAlembicProject(directory)).toMatchObject({ folder: 'migrations', revisions: { count: 1 } });
});

test('a script_location without env.py is rejected with the line for the only scripts', () => {
  const files = { 'alembic.ini': '[alembic]\nscript_location = db\n', 'db/README': '' };
  expect(checkAlembicProject(project(files)).errors.map(shown)).toEqual([
    expect.stringMatching(/\/db has no env\.py, which Alembic runs: correct it, or pass the folder of the backend that has it$/),
  ]);
  const scripts = { 'shop/env.py': '', 'shop/versions/a1.py': '' };
  expect(checkAlembicProject(project({ ...files, ...scripts })).errors.map(shown)).toEqual([
    expect.stringMatching(/\/db has no env\.py, which Alembic runs: set "script_location = %\(here\)s\/shop" there$/),
  ]);
});

test.each([
  ['with alembic.ini beside it', 'migrations/alembic.ini', '/usr/src/app/migrations', ''],
  ['below the folder of alembic.ini', 'alembic.ini', '/app/migrations', ''],
  ['of Flask-Migrate, which ignores the setting,', 'migrations/alembic.ini', 'elsewhere', 'from flask import current_app\n'],
])('a script_location of an image %s is found here', (_, ini, location, env) => {
  const files = { [ini]: `[alembic]\nscript_location = ${location}\n`, 'migrations/env.py': env };
  const directory = project({ ...files, 'migrations/versions/a1.py': revisionFile('a1', null) });
  expect(readAlembicProject(directory)).toMatchObject({ problems: [], revisions: { heads: [{ revision: 'a1' }] } });
});

test('a script_location that does not exist is rejected with the line for the only scripts', () => {
  const files = {
    'conf/alembic.ini': '[alembic]\nscript_location = /app/db\n',
    'back/db/env.py': '',
    'back/db/versions/.keep': '',
  };
  expect(checkAlembicProject(project(files)).errors.map(shown)).toEqual([
    expect.stringMatching(/is not a directory: set "script_location = %\(here\)s\/\.\.\/back\/db" there$/),
  ]);
});

test('a script_location may be relative to the folder where people call Alembic', () => {
  const files = {
    'alembic.ini': '[alembic]\nscript_location = db/migrations\n',
    'src/db/migrations/env.py': '',
    'src/db/migrations/versions/a1.py': revisionFile('a1', null),
    'tests/db/migrations/env.py': '',
    'tests/db/migrations/versions/b1.py': revisionFile('b1', null),
  };
  const directory = project(files);
  expect(readAlembicProject(directory)).toMatchObject({
    problems: [],
    folder: 'src',
    revisions: { heads: [{ revision: 'a1' }] },
  });
  writeFiles(directory, { 'other/db/migrations/env.py': '', 'other/db/migrations/versions/c1.py': revisionFile('c1', null) });
  expect(checkAlembicProject(directory).errors.map(shown)).toEqual([
    expect.stringMatching(/is not a directory: correct it, or pass the folder of the backend that has it$/),
  ]);
});

test("a script_location in a package is found in any folder, and Alembic is still called in the backend's", () => {
  const files = {
    'alembic.ini': '[alembic]\nscript_location = shop.db:migrations\n',
    'components/shop/db/migrations/env.py': '',
    'components/shop/db/migrations/versions/a1.py': revisionFile('a1', null),
    'components/stock/migrations/env.py': '',
    'components/stock/migrations/versions/b1.py': revisionFile('b1', null),
  };
  expect(readAlembicProject(project(files))).toMatchObject({
    problems: [],
    folder: '.',
    revisions: { heads: [{ revision: 'a1' }] },
  });
});

test('a script_location relative to a folder above is rejected with how to package that folder', () => {
  const root = project({
    'db/shop/alembic.ini': '[alembic]\nscript_location = db/shop/migrations\n',
    'db/shop/migrations/env.py': '',
    'db/shop/migrations/versions/a1.py': revisionFile('a1', null),
  });
  const directory = join(root, 'db', 'shop');
  const errorsOf = (...files: string[]) =>
    checkAlembicProject(
      directory,
      undefined,
      '',
      files.map((file) => join(directory, file)),
    ).errors.map(shown);
  const text = `the script_location "db/shop/migrations" of ${directory}/alembic.ini is not a directory, but in ${root}`;
  const next = `${text}: pass ${root}, with alembicConfig: 'db/shop/alembic.ini'`;
  expect(errorsOf('requirements.txt')).toEqual([`${next} and requirements: ['db/shop/requirements.txt']`]);
  expect(errorsOf('../../requirements.txt')).toEqual([next]);
  expect(errorsOf('poetry.lock', 'pyproject.toml')).toEqual([
    `${text}: set "script_location = %(here)s/migrations" there, which is right from everywhere`,
  ]);
});

test('two files with one revision id are reported as such, not as two heads', () => {
  const files = { ...ENV, 'alembic/versions/copy.py': revisionFile('a1', null) };
  expect(checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...files })).errors.map(shown)).toEqual([
    'two files have the revision id a1: a1.py and copy.py: give one of them a new id, and use that id in the revisions that follow it',
  ]);
});

test.each(['None', "''", '7'])('a file whose revision id is %s is reported with what to write', (id) => {
  const files = { ...ENV, 'alembic/versions/b2.py': `revision = ${id}\ndown_revision = 'a1'\n` };
  expect(checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...files })).errors.map(shown)).toEqual([
    'b2.py has no revision id: give it one, such as `revision = "1a2b3c4d5e6f"`, or move it out of the folder of the revisions',
  ]);
});

test('a cycle of revisions is reported with its files', () => {
  const circle = { 'alembic/versions/b2.py': revisionFile('b2', 'c3'), 'alembic/versions/c3.py': revisionFile('c3', 'b2') };
  expect(checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...ENV, ...circle })).errors.map(shown)).toEqual([
    'revisions follow each other in a cycle: b2 (b2.py), c3 (c3.py): correct down_revision or depends_on in one of them',
  ]);
});

test('a revision whose parent is missing is reported', () => {
  const files = { 'alembic.ini': ALEMBIC_INI, ...ENV, 'alembic/versions/b2.py': revisionFile('b2', 'gone') };
  expect(checkAlembicProject(project(files)).errors.map(shown)).toEqual([
    expect.stringContaining('revision b2 (b2.py) follows gone, which no file has'),
  ]);
});

test.each([
  [
    "down_revision = ''",
    'has an empty id in down_revision: set down_revision to the revision that it follows, or None if it is the first one',
  ],
  ["down_revision = ('a1', '')", 'has an empty id in down_revision: set down_revision to the revision that it follows, or None'],
  ["down_revision = ('a1', 'gone')", 'follows gone, which no file has: add the file of that revision, or correct down_revision'],
  ["down_revision = ' a1'", "follows ' a1', which no file has"],
  ["down_revision = 'None'", "follows 'None', which no file has"],
  [
    "down_revision = 'a1'\ndepends_on = 'gone'",
    'depends on gone, which no file has: add the file of that revision, or correct depends_on',
  ],
  ["down_revision = 'a1'\ndepends_on = ('main', '')", 'has an empty id in depends_on'],
])('a revision with %s is rejected with what to write', (lines, problem) => {
  const revisions = {
    'alembic/versions/a1.py': `${revisionFile('a1', null)}branch_labels = ("main",)\n`,
    'alembic/versions/b2.py': `revision = 'b2'\n${lines}\n`,
  };
  expect(checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...ENV, ...revisions })).errors.map(shown)).toEqual([
    expect.stringContaining(`revision b2 (b2.py) ${problem}`),
  ]);
});

test('a dependency on a branch label or an empty string means the same as in Alembic', () => {
  const revisions = {
    'alembic/versions/a1.py': `${revisionFile('a1', null)}branch_labels = ("main",)\n`,
    'alembic/versions/b2.py': `${revisionFile('b2', 'a1')}depends_on = 'main'\n`,
    'alembic/versions/c3.py': `${revisionFile('c3', 'b2')}depends_on = ''\n`,
  };
  expect(checkAlembicProject(project({ 'alembic.ini': ALEMBIC_INI, ...ENV, ...revisions })).errors.map(shown)).toEqual([]);
});

test('revisions in bytecode without source are left to Alembic', () => {
  const ini = `${ALEMBIC_INI}sourceless = true\n`;
  const files = { 'alembic.ini': ini, ...ENV, 'alembic/versions/b2.py': revisionFile('b2', 'gone') };
  expect(checkAlembicProject(project(files)).errors.map(shown)).toEqual([]);
});

describe("Alembic's configuration is found", () => {
  const scripts = { 'alembic/env.py': '', 'alembic/versions/a1.py': revisionFile('a1', null) };
  const configOf = (files: Record<string, string>, named?: string) => {
    const { alembic, errors } = checkAlembicProject(project(files), named);
    return errors.length ? shown(errors[0] ?? 'no error') : alembic;
  };

  test('among the scripts, as Flask-Migrate writes it', () => {
    const files = {
      'migrations/alembic.ini': '[alembic]\n',
      'migrations/env.py': '',
      'migrations/versions/a1.py': revisionFile('a1', null),
    };
    expect(configOf(files)).toMatchObject({
      config: 'migrations/alembic.ini',
      paths: [expect.stringMatching(/\/migrations$/), expect.anything()],
    });
  });

  test('if it is the only one, and Alembic is called from there if its paths require it', () => {
    const inSource = Object.fromEntries(Object.entries(scripts).map(([path, text]) => [`src/app/${path}`, text]));
    const ini = '[alembic]\nscript_location = alembic\n';
    expect(configOf({ 'src/app/alembic.ini': ini, ...inSource })).toMatchObject({
      config: 'src/app/alembic.ini',
      folder: 'src/app',
    });
  });

  test('at alembicConfig', () => {
    const ini = '[alembic]\nscript_location = alembic\n';
    expect(configOf({ 'alembic.ini': '', 'conf/alembic.ini': ini, ...scripts }, 'conf/alembic.ini')).toMatchObject({
      config: 'conf/alembic.ini',
      folder: '.',
    });
  });

  test('as the upper one of several with the same scripts, or the only one with scripts', () => {
    const ini = (location: string) => `[alembic]\nscript_location = ${location}\n`;
    const files = {
      'app/migrations/env.py': '',
      'app/migrations/versions/a1.py': revisionFile('a1', null),
      'app/migrations/alembic.ini': ini('.'),
      'old/alembic.ini': ini('nowhere'),
    };
    expect(configOf({ ...files, 'app/alembic.ini': ini('migrations') })).toMatchObject({ config: 'app/alembic.ini' });
    expect(configOf(files)).toMatchObject({ config: 'app/migrations/alembic.ini' });
    const two = { 'other/alembic.ini': ini('%(here)s/scripts'), 'other/scripts/env.py': '' };
    expect(configOf({ ...files, ...two })).toMatch(/ has 3 files alembic\.ini: /);
  });

  test('never by guessing: several are reported', () => {
    expect(configOf({ 'a/alembic.ini': '', 'b/alembic.ini': '' })).toMatch(
      /2 files alembic\.ini: a\/alembic\.ini, b\/alembic\.ini\. Say which one to use, such as alembicConfig: 'a\/alembic\.ini'/,
    );
  });

  test('or the error says what to write if there is none', () => {
    expect(configOf({ 'app/migrations/env.py': '', 'app/migrations/versions/a1.py': '' })).toContain(
      'Its scripts are in app/migrations: write an alembic.ini that says so',
    );
  });
});

test("a package's marker and an editor's lock file are not revisions", () => {
  const extra = { 'alembic/versions/__init__.py': '', 'alembic/versions/.#a1.py': 'revision = "zz"\n' };
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, ...ENV, ...extra })).toEqual(['a1']);
});

test.each<[string, string]>([
  ['a file without an id', 'X = 1\n'],
  ['an id that is computed', 'revision = make()\ndown_revision = "a1"\n'],
  ['syntax that this Python does not know', 'revision = "b2" ???\n'],
])('%s is left to the check of the function', (_, text) => {
  const directory = project({ 'alembic.ini': ALEMBIC_INI, ...ENV, 'alembic/versions/x.py': text });
  expect(checkAlembicProject(directory)).toMatchObject({ errors: [], warnings: [] });
});

test.each<[string, Record<string, string>]>([
  ['alembic.ini, relative to the project', { 'alembic.ini': '[alembic]\nscript_location = db/migrations\n' }],
  ['alembic.ini, with %(here)s', { 'alembic.ini': '[alembic]\nscript_location = %(here)s/db/migrations\n' }],
  ['alembic.ini, as a package', { 'alembic.ini': '[alembic]\nscript_location = db:migrations\n' }],
  ['pyproject.toml', { 'pyproject.toml': '[tool.alembic]\nscript_location = "%(here)s/db/migrations"\n' }],
  [
    'pyproject.toml, next to an alembic.ini for logging',
    { 'pyproject.toml': '[tool.alembic]\nscript_location = "db/migrations"\n', 'alembic.ini': '[loggers]\nkeys = root\n' },
  ],
])('the scripts are found at %s', (_, files) => {
  const scripts = { 'db/migrations/env.py': '', 'db/migrations/versions/a1.py': revisionFile('a1', null) };
  expect(headsOf({ ...files, ...scripts })).toEqual(['a1']);
});

test('alembic.ini takes precedence over pyproject.toml, as in Alembic', () => {
  const toml = '[tool.alembic]\nscript_location = "elsewhere"\n';
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, 'pyproject.toml': toml, ...ENV })).toEqual(['a1']);
});

test.each([
  ['spaces', '', 'one two'],
  ['commas', '', 'one, two'],
  ['os.pathsep', 'path_separator = os', '%(here)s/one:%(here)s/two'],
  ['newlines', 'path_separator = newline', '\n  one\n  two'],
  ['the older option', 'version_path_separator = ;', 'one;two'],
])('version_locations may be separated by %s', (_, option, locations) => {
  const ini = `[alembic]\nscript_location = alembic\n${option}\nversion_locations = ${locations}\n`;
  const files = { 'alembic/env.py': '', 'one/a1.py': revisionFile('a1', null), 'two/b1.py': revisionFile('b1', null) };
  expect(headsOf({ 'alembic.ini': ini, ...files })).toEqual(['a1', 'b1']);
});

test('subfolders of versions count only if alembic.ini says so', () => {
  const files = { ...ENV, 'alembic/versions/2026/b2.py': revisionFile('b2', 'a1') };
  expect(headsOf({ 'alembic.ini': ALEMBIC_INI, ...files })).toEqual(['a1']);
  expect(headsOf({ 'alembic.ini': `${ALEMBIC_INI}recursive_version_locations = true\n`, ...files })).toEqual(['b2']);
});

test('a password with a percent sign in alembic.ini is not a problem', () => {
  expect(headsOf({ 'alembic.ini': `${ALEMBIC_INI}sqlalchemy.url = postgresql://a:50%@b/c\n`, ...ENV })).toEqual(['a1']);
});

test('a missing script_location is reported', () => {
  const directory = project({ 'alembic.ini': '[alembic]\nscript_location = nowhere\n' });
  expect(checkAlembicProject(directory).errors.map(shown)).toEqual([
    `the script_location "nowhere" of ${join(directory, 'alembic.ini')} is not a directory: correct it, or pass the folder of the backend that has it`,
  ]);
});

test('revisions outside of the backend are rejected, because they cannot be packaged', () => {
  const root = project({
    'back/alembic.ini': '[alembic]\nscript_location = ../shared\n',
    'shared/env.py': '',
    'shared/versions/a1.py': revisionFile('a1', null),
  });
  expect(checkAlembicProject(join(root, 'back')).errors.map(shown)).toContainEqual(
    expect.stringContaining(`${join(root, 'shared')} lies outside of`),
  );
});

test('no code of the project runs', () => {
  const bomb = 'raise SystemExit("run!")\n';
  expect(
    headsOf({
      'alembic.ini': ALEMBIC_INI,
      ...ENV,
      'alembic/env.py': bomb,
      'alembic/versions/b2.py': bomb + revisionFile('b2', 'a1'),
    }),
  ).toEqual(['b2']);
});
