import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { useTestBed } from '../installed-command';

const bed = useTestBed();

/** What the migrations lack: autogenerate finds one, and only the catalogs show the other. */
const STANDING = ['sa.Column("old", sa.Text())', 'sa.CheckConstraint("id > 0", name="ck_positive")'];
const EMAIL = 'sa.Column("email", sa.Text())';

const read = (file: string) => readFileSync(path.join(bed.project.directory, file), 'utf8');

async function create(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { stdout, stderr } = await bed.start(['create', ...args, '--json'], env).ended;
  if (!stdout) throw new Error(stderr);
  const document = JSON.parse(stdout);
  return { ...document, text: document.created?.files.map(read).join('\n') };
}

test('differences that the default branch has already are left out and counted, unless --with-drift asks for them', async () => {
  bed.project.models(STANDING);
  bed.project.commit();
  const unchanged = await create(['Add email to users']);
  expect(unchanged.error).toMatchObject({ code: 'nothing_to_create', next: expect.stringContaining('--with-drift') });
  expect(unchanged.error.message).toContain('only as there, in 2 places');

  bed.project.models([...STANDING, EMAIL]);
  const { text, created, review } = await create(['Add email to users']);
  expect([created.standing, created.left, review.findings]).toEqual([2, [], []]);
  expect(text).toContain("'email'");
  expect(text).not.toMatch(/'old'|ck_positive/);

  const all = await create(['Add old to users', '--with-drift']);
  expect(all.text).toContain("'old'");
  expect(all.text).toContain('ck_positive');
  expect(all.text).not.toContain("'email'");
});

test('an object that a branch changes too is written whole', async () => {
  bed.project.models(['sa.Column("old", sa.Text())', 'sa.Index("ix_old", "old")']);
  bed.project.commit();
  bed.project.models(['sa.Column("old", sa.Integer())', 'sa.Index("ix_old", "old")']);
  const { text, created } = await create(['Add old to users', '--fail-on', 'never']);
  expect(created.standing).toBe(1);
  expect(text).toContain("'old', sa.Integer()");
});

test('the models of the default branch are loaded with the settings that git ignores, also from a folder on the PYTHONPATH that a revision imports from', async () => {
  const { project } = bed;
  const folder = path.join(project.directory, 'src/backend');
  mkdirSync(folder, { recursive: true });
  const models = (columns: readonly string[]) => {
    project.models(columns);
    project.write('src/backend/its_models.py', read('models.py'));
  };
  project.write(
    'migrations/env.py',
    `open(".secrets").close()\n${read('migrations/env.py').replace('import models', 'import its_models as models')}`,
  );
  const revision = 'migrations/versions/a1.py';
  project.write(revision, read(revision).replace('import sqlalchemy as sa', 'import its_models\nimport sqlalchemy as sa'));
  models(STANDING);
  project.commit();
  project.write('.gitignore', '__pycache__\n.secrets\n');
  project.write('.secrets', '');
  models([...STANDING, EMAIL]);
  const { text, created } = await create(['Add email to users'], { PYTHONPATH: folder });
  expect(created.standing).toBe(2);
  expect(text).toContain("'email'");
});

test('the first revision of a project has all of the models', async () => {
  rmSync(path.join(bed.project.directory, 'migrations/versions/a1.py'));
  bed.project.write('migrations/versions/.gitkeep', '');
  bed.project.commit();
  const { text, created } = await create(['Add users table']);
  expect(created.standing).toBeUndefined();
  expect(text).toContain("op.create_table('users'");
});

describe('all differences are written if the models of the default branch', () => {
  const writesAll = async (reason: string) => {
    const { stdout } = await bed.start(['create', 'Add email and old to users']).ended;
    for (const name of ["'email'", "'old'", 'ck_positive']) expect(stdout).toContain(name);
    const line = `^! the models of main could not be loaded, so differences that it has too are written: .*${reason}`;
    expect(stdout).toMatch(new RegExp(line, 'm'));
  };

  test('can not be loaded', async () => {
    bed.project.write('models.py', 'import nothing_like_this');
    bed.project.commit();
    bed.project.models([...STANDING, EMAIL]);
    await writesAll("No module named 'nothing_like_this'");
  });

  test('are hidden by those of the branch, whose folder env.py names', async () => {
    const folder = `import sys; sys.path.insert(0, ${JSON.stringify(bed.project.directory)})\n`;
    bed.project.write('migrations/env.py', folder + read('migrations/env.py'));
    bed.project.models(STANDING);
    bed.project.commit();
    bed.project.models([...STANDING, EMAIL]);
    await writesAll(`models.py was imported, and not the default branch's`);
  });
});
