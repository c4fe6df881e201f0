import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../../../lib/review';
import { useScratchDatabase, useTestBed } from '../installed-command';
import { eventually } from '../processes';

const bed = useTestBed();
const onScratch = useScratchDatabase();

const read = (file: string) => readFileSync(path.join(bed.project.directory, file), 'utf8');

const create = (...args: string[]) => createOnOwnServer(...args, ...onScratch());

async function createOnOwnServer(...args: string[]) {
  const { code, stdout, stderr } = await bed.run(['create', ...args, '--json']);
  if (!stdout) throw new Error(stderr);
  return { code, document: JSON.parse(stdout) };
}

test('a change that needs several transactions is written as a series of revisions', async () => {
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  const { code, document } = await createOnOwnServer('Add email to users');
  expect([code, document.review.findings.filter(({ severity }: { severity: string }) => severity === 'error')]).toEqual([0, []]);
  const [first, last] = document.created.files.map(read);
  expect(first).toContain('"""Add email to users (1 of 2)"""');
  expect(first).toContain("op.add_column('users'");
  expect(last).toContain('"""Add email to users (2 of 2)"""');
  expect(last).toMatch(/autocommit_block[\s\S]*"ix_users_email"[\s\S]*postgresql_concurrently=True/);
  const [, id] = /revision = ['"](\w+)/.exec(first) ?? [];
  expect(last).toContain(`down_revision = '${id}'`);
});

test('changes of two tables are written as revisions that lock one table each, a default before the NOT NULL', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add teams table',
    'op.create_table("teams", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("code", sa.Text()))',
    'op.drop_table("teams")',
  );
  bed.project.models(['sa.Column("note", sa.Text())', 'sa.Column("age", sa.Integer())']);
  const columns = `sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("note", sa.Text()),
    sa.Column("code", sa.Text(), nullable=False, server_default="")`;
  bed.project.write('models.py', `${read('models.py')}\nsa.Table("teams", metadata, ${columns})\n`);
  const { code, document } = await create('Add notes of users and teams');
  expect([code, document.review.findings.map(({ rule }: Finding) => rule)]).toEqual([0, []]);
  const texts: string[] = document.created.files.map((file: string) => read(file).replace(/^""".*/, ''));
  expect(texts.filter((text) => /["']users["']/.test(text) && text.includes('teams'))).toEqual([]);
  expect(texts.filter((text) => /["']users["']/.test(text))).toEqual([expect.stringMatching(/'note'[\s\S]*'age'/)]);
  const [given, required] = ['server_default=', 'nullable=False'].map((what) => texts.findIndex((text) => text.includes(what)));
  expect(given).toBeLessThan(required as number);
});

test('the options of "alembic revision" apply to the whole series, and each verb passes -x to env.py', async () => {
  const { project } = bed;
  const added = '%(here)s/migrations/versions:%(here)s/billing';
  project.write('alembic.ini', `${read('alembic.ini')}version_locations = ${added}\nfile_template = %%(rev)s_%%(slug)s\n`);
  mkdirSync(path.join(project.directory, 'billing'));
  project.write(
    'billing/c1.py',
    'revision = "c1"\ndown_revision = None\nbranch_labels = "other"\ndef upgrade(): pass\ndef downgrade(): pass\n',
  );
  const ids = `branch_labels = \${repr(branch_labels)}\ndepends_on = \${repr(depends_on)}\n\n\ndef upgrade`;
  project.write('migrations/script.py.mako', read('migrations/script.py.mako').replace('\n\ndef upgrade', ids));
  const needed = 'if context.get_x_argument(as_dictionary=True) != {"env": "dev"}: raise RuntimeError("no env")\n';
  project.write('migrations/env.py', read('migrations/env.py').replace('engine = ', `${needed}engine = `));
  project.models(['sa.Column("email", sa.Text(), index=True)']);
  const where = '--head a1 --branch-label billing --version-path billing --rev-id 0042 --depends-on c1'.split(' ');
  const { code, document } = await create('Add email to users', ...where, '-x', 'env=dev');
  expect([code, document.created.files]).toEqual([
    0,
    ['billing/0042_1_add_email_to_users.py', 'billing/0042_add_email_to_users.py'],
  ]);
  const [first, last] = document.created.files.map(read);
  expect(first).toContain("revision = '0042_1'\ndown_revision = 'a1'\nbranch_labels = None\ndepends_on = 'c1'\n");
  expect(last).toContain("revision = '0042'\ndown_revision = '0042_1'\nbranch_labels = ('billing',)\ndepends_on = None\n");

  const review = async (...args: string[]) => (await bed.run(['review', '--all', ...args, ...onScratch()])).code;
  expect([await review('-x', 'env=dev'), await review()]).toEqual([0, 3]);
});

describe('a revision that could not be reviewed', () => {
  /** Writes revisions that do something else first. */
  const upgradesBegin = (code: string) => {
    const template = read('migrations/script.py.mako');
    bed.project.write('migrations/script.py.mako', template.replace(/(def upgrade\(\).*:\n)/, `$1    ${code}\n`));
    bed.project.models(['sa.Column("email", sa.Text())']);
  };

  test('is removed when the command is interrupted', async () => {
    const begun = path.join(bed.project.directory, 'begun');
    upgradesBegin(`open(${JSON.stringify(begun)}, "w").close(); op.execute("SELECT pg_sleep(3000)")`);
    const running = bed.start(['create', 'Add email to users', '--json']);
    await eventually(() => existsSync(begun));
    running.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'interrupted', message: 'nothing was changed' });
    expect([code, bed.project.revisions]).toEqual([130, ['a1.py']]);
  });

  test('is removed when Python dies', async () => {
    upgradesBegin('import os; os._exit(9)');
    const { document } = await createOnOwnServer('Add email to users');
    expect([document.error.code, bed.project.revisions]).toEqual(['observer_died', ['a1.py']]);
  });
});

test('each revision that env.py writes is in the safe form, and none is left where that is refused', async () => {
  const hook = `
def add_index(context, revision, directives):
    from alembic.operations import ops
    index = ops.CreateIndexOp("ix_users_again", "users", ["id"])
    up, down = ops.UpgradeOps([index]), ops.DowngradeOps([index.reverse()])
    directives.insert(0, ops.MigrationScript("0001", up, down, message="Add index of id", head="head"))
    directives[1].head = "0001"

`;
  const env = read('migrations/env.py').replace('engine = ', `${hook}engine = `);
  const hooked = env.replace('context.configure(', 'context.configure(process_revision_directives=add_index, ');
  expect(hooked).toContain('directives=add_index,');
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  bed.project.write('migrations/env.py', hooked.replace('engine.connect()', 'engine.begin()'));
  expect((await create('Add email to users')).document.error.code).toBe('one_transaction');
  expect(bed.project.revisions).toEqual(['a1.py']);

  bed.project.write('migrations/env.py', hooked);
  const { code, document } = await create('Add email to users');
  expect([code, document.created.files.length]).toEqual([0, 3]);
  const [index, first, last] = document.created.files.map(read);
  expect(index).toMatch(/Add index of id[\s\S]*postgresql_concurrently=True/);
  expect(first).toContain("down_revision = '0001'");
  expect(last).toContain('Add email to users (2 of 2)');
});

test('a post_write_hook that fails is named, and the revision is in the safe form all the same', async () => {
  const hook = '[post_write_hooks]\nhooks = own\nown.type = exec\nown.executable = no-such-formatter\n';
  bed.project.write('alembic.ini', `${read('alembic.ini')}\n${hook}`);
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  const { code, document } = await create('Add email to users');
  expect([code, document.created.files.length]).toEqual([0, 2]);
  expect(document.created.hookFailure).toContain('no-such-formatter');
  expect(read(document.created.file)).toContain('postgresql_concurrently=True');
  expect((await create('Add nothing', '--empty')).document.created.hookFailure).toContain('no-such-formatter');
});

test('--as-is writes the same as Alembic, and reviews it', async () => {
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  const { code, document } = await create('Add email to users', '--as-is');
  expect(code).toBe(1);
  expect(document.review.findings.map(({ rule }: { rule: string }) => rule)).toContain('index-not-concurrent');
  expect(bed.project.revisions).toHaveLength(2);
  expect(read(document.created.file)).toContain("op.create_index(op.f('ix_users_email'), 'users', ['email'], unique=False)");
});

test('create asks about a change that looks like a rename, and --rename keeps the old name for this release', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add name',
    'op.add_column("users", sa.Column("name", sa.Text()))',
    'op.drop_column("users", "name")',
  );
  bed.project.models(['sa.Column("full_name", sa.Text())']);
  const { code, document } = await create('Rename name of users');
  expect([code, document.error.code]).toEqual([3, 'looks_like_rename']);
  expect(document.error.next).toContain('--rename users.name=users.full_name');
  expect(bed.project.revisions).toEqual(['a1.py', 'b2.py']);

  const renamed = await create('Rename name of users', '--rename', 'users.name=users.full_name');
  const [add, fill] = renamed.document.created.files.map(read);
  expect(add).toContain('op.execute("ALTER TABLE users ADD COLUMN full_name text")');
  expect(fill).toContain('UPDATE users SET full_name = name');
  expect(fill).toContain('#         op.execute("ALTER TABLE users DROP COLUMN name")');
  expect(renamed.document.review.findings.map(({ rule }: { rule: string }) => rule)).not.toContain('rename');

  // The next release. A change with another description does not drop the column.
  const [name, age] = ['sa.Column("full_name", sa.Text())', 'sa.Column("age", sa.Integer())'];
  bed.project.models([name, age]);
  const aged = await create('Add age to users');
  expect(read(aged.document.created.file).match(/op\.\w+\(/g)).toEqual(['op.add_column(', 'op.drop_column(']);
  expect(aged.document.created.left).toEqual([]);
  const found = ({ review }: { review: { findings: Finding[] } }) => review.findings.map(({ rule, instead }) => [rule, instead]);
  expect(found(aged.document)).toEqual([['drop-due', expect.stringContaining('create "Drop name of users"')]]);
  // The trigger would make it fail.
  bed.project.models(['sa.Column("full_name", sa.String(80))', age]);
  const { error } = (await create('Shorten full_name of users')).document;
  expect([error.code, error.message]).toEqual([
    'create_failed',
    expect.stringMatching(/^users\.full_name can't change yet: a trigger of \w+\.py keeps it equal to another column until /),
  ]);
  expect(error.next).toContain('run `safe-alembic create "Drop name of users"`');
  // What no revision can have is still named, once.
  bed.project.models(['sa.Column("full_name", sa.Text())', 'sa.Column("age", sa.Integer(), sa.Computed("id * 2"))']);
  // A change without an effect on the schema must not become the drop.
  const unnamed = (await create('Add a kind of name to users')).document.error;
  expect([unnamed.code, unnamed.next]).toEqual([
    'nothing_to_create',
    'for it run `safe-alembic create "Drop name of users"`; otherwise change the models first',
  ]);
  const dropped = await create('Drop name of users');
  expect(dropped.document.created.left).toEqual([expect.stringMatching(/^column users\.age is integer in the migrations/)]);
  expect(read(dropped.document.created.file)).toMatch(
    /allow drop-column[\s\S]*DROP TRIGGER[\s\S]*DROP COLUMN name"[\s\S]*ADD COLUMN name text/,
  );
  expect([dropped.code, dropped.document.review.summary.replayed, dropped.document.review.summary.errors]).toEqual([0, 1, 0]);
  const open = dropped.document.review.findings.filter(({ acknowledged }: Finding) => acknowledged === undefined);
  expect(open).toEqual([]);
  bed.project.models([name, age]);
  expect((await create('Nothing is left')).document.error.code).toBe('nothing_to_create');

  // A comment that was carried out does not count, even if its column is there again.
  const [, head] = /^revision(?:: str)? = ['"](\w+)/m.exec(read(dropped.document.created.file)) ?? [];
  bed.project.revision(
    'c3',
    head as string,
    'Add name again',
    'op.add_column("users", sa.Column("name", sa.Text()))',
    'op.drop_column("users", "name")',
  );
  const again = await create('Drop name of users again');
  expect(read(again.document.created.file)).not.toContain('DROP TRIGGER');
});

test('what a rename leaves to the next release is not offered again before the release', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add name',
    'op.add_column("users", sa.Column("name", sa.Text(), index=True, nullable=False, server_default="?"))',
    'op.drop_column("users", "name")',
  );
  bed.project.commit();
  const name = 'sa.Column("full_name", sa.Text(), index=True, nullable=False, server_default="?")';
  bed.project.models([name]);
  const { document } = await create('Rename name of users', '--rename', 'users.name=users.full_name');
  const rules = (review: { findings: { rule: string }[] }) => review.findings.map(({ rule }) => rule);
  expect(rules(document.review)).not.toContain('drift');
  const { error } = (await create('Nothing is left')).document;
  expect([error.code, error.message]).toEqual([
    'nothing_to_create',
    expect.stringMatching(/^models and migrations agree: only the next release changes something, as a comment in \w+\.py says$/),
  ]);
  // Only what is new is written.
  bed.project.models([name, 'sa.Column("age", sa.Integer())']);
  const aged = await create('Add age to users');
  expect(aged.document.created.files).toHaveLength(1);
  expect(read(aged.document.created.file).match(/op\.\w+\(/g)).toEqual(['op.add_column(', 'op.drop_column(']);
  expect(rules(aged.document.review)).not.toContain('drift');
  const filled = await create('Fill age of users', '--backfill', 'users.age = 7');
  expect(rules(filled.document.review)).not.toContain('drift');
  const verify = async () => JSON.parse((await bed.run(['verify', '--json', ...onScratch()])).stdout);
  const { checks } = await verify();
  expect(checks).toContainEqual(expect.objectContaining({ check: 'models', passed: true }));
  bed.project.models([
    'sa.Column("other_name", sa.Text(), index=True, nullable=False, server_default="?")',
    'sa.Column("age", sa.Integer())',
  ]);
  const twice = await create('Rename it again', '--rename', 'users.full_name=users.other_name');
  expect([twice.document.error.code, twice.document.error.next]).toEqual([
    'create_failed',
    expect.stringMatching(/^release what this branch has first; after that, take the change out of the models, run /),
  ]);
  bed.project.models([name, 'sa.Column("age", sa.Integer())']);
  // The release.
  bed.project.commit();
  const released = await verify();
  expect(released.checks).toContainEqual(expect.objectContaining({ check: 'models', passed: true }));
  const dropped = await create('Drop name of users');
  expect(read(dropped.document.created.file)).toContain('DROP COLUMN name');
  expect((await create('Nothing is left')).document.error.message).toContain('models and migrations agree: there is nothing');
});

test('a required column without a default is added as nullable, and the next release requires it', async () => {
  bed.project.commit();
  bed.project.models(['sa.Column("email", sa.Text(), nullable=False)']);
  const { code, document } = await create('Add email to users');
  const added = read(document.created.file);
  expect([code, document.created.files.length, document.review.findings]).toEqual([0, 1, []]);
  expect(added).toMatch(/op\.add_column\(.*nullable=True\)\)\n.*next release[\s\S]*#.* SET NOT NULL/);
  const verify = async () => JSON.parse((await bed.run(['verify', '--json', ...onScratch()])).stdout);
  expect((await verify()).checks).toContainEqual(expect.objectContaining({ check: 'models', passed: true }));
  // The release.
  bed.project.commit();
  const { findings } = JSON.parse((await bed.run(['review', '--all', '--format', 'json', ...onScratch()])).stdout);
  expect(findings).toEqual([
    expect.objectContaining({ rule: 'drop-due', instead: expect.stringContaining('create "Require email of users"') }),
  ]);
  expect((await create('Nothing is left')).document.error.next).toContain('create "Require email of users"');
  const required = await create('Require email of users');
  const [check, validate, last] = required.document.created.files.map(read);
  expect([required.code, required.document.review.findings]).toEqual([0, []]);
  expect(check).toContain('"email IS NOT NULL"');
  expect(validate).toContain('--backfill "users.email = ..."');
  expect(last).toContain('op.alter_column("users", "email", nullable=False)');
});

test('what waits for the next release is named beside what differs', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add name',
    'op.add_column("users", sa.Column("name", sa.Text())); op.create_check_constraint("ck", "users", "id > 0")',
    'op.drop_constraint("ck", "users"); op.drop_column("users", "name")',
  );
  bed.project.commit();
  bed.project.models(['sa.Column("full_name", sa.Text())']);
  await create('Rename name of users', '--rename', 'users.name=users.full_name');
  expect((await create('Nothing is left')).document.error.message).toMatch(
    /^nothing can be written, .*: only the migrations have constraint users.ck; the next release .* a comment in \w+\.py says$/,
  );
});

test('a revision that needs a role or an extension is refused with the option for a server that has it', async () => {
  const next = async (statement: string) => {
    bed.project.revision('b2', 'a1', 'Prepare the server', `op.execute("${statement}")`);
    return (await createOnOwnServer('Nothing is new')).document.error.next;
  };
  const pass = (what: string) => `pass an empty database on a server that has the ${what} with --database-url`;
  expect(await next('CREATE EXTENSION no_such')).toBe(pass('extension'));
  expect(await next('GRANT SELECT ON users TO no_such')).toBe(pass('role'));
});

test('a changed type is written as a second column that takes the name, of which the review warns of nothing', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add seen',
    'op.add_column("users", sa.Column("seen", sa.Integer()))',
    'op.drop_column("users", "seen")',
  );
  bed.project.models(['sa.Column("seen", sa.BigInteger())']);
  const { code, document } = await create('Make seen a bigint');
  expect([code, document.created.files.length]).toEqual([0, 3]);
  expect(read(document.created.file)).toMatch(/DROP TRIGGER[\s\S]*RENAME COLUMN seen_new TO seen/);
  const open = document.review.findings.filter(({ acknowledged }: { acknowledged?: string }) => acknowledged === undefined);
  expect(open).toEqual([]);
});

test('create names what it leaves as Alembic wrote it, with the reason, and writes the rest safely', async () => {
  bed.project.models([
    'sa.Column("email", sa.Text(), nullable=False)',
    'sa.Column("name", sa.Text(), index=True)',
    'sa.Column("twice", sa.Integer(), sa.Computed("id * 2", persisted=True))',
  ]);
  const { code, stdout } = await bed.start(['create', 'Add email to users', ...onScratch()]).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /• not fixed: PostgreSQL can add a stored generated column .*\n {4}table-rewrite {2}migrations\/versions\//,
  );
  expect(stdout).toContain('• proved without rows in users: the revision itself fails on rows');
  expect(stdout).toContain('postgresql_concurrently=True');
});

test.each([
  [
    'opens a transaction',
    'with engine.connect() as connection:',
    'with engine.begin() as connection:',
    'write `with engine.connect()',
  ],
  [
    'runs a statement first',
    '    context.configure',
    '    connection.execute(sa.text("SELECT 1"))\n    context.configure',
    'commit()',
  ],
  [
    'begins its own transaction',
    'context.begin_transaction()',
    'connection.begin()',
    'write `with context.begin_transaction():` there',
  ],
])(
  'if env.py %s, a change that needs several transactions is not written, and the error names the line to change',
  async (_, from, to, next) => {
    const env = read('migrations/env.py').replace(from, to);
    bed.project.write(
      'migrations/env.py',
      `${env}    connection.commit()\n`.replace(/(begin\(\) as[\s\S]*) {4}connection.commit\(\)\n$/, '$1'),
    );
    bed.project.models(['sa.Column("email", sa.Text())']);
    expect((await create('Add email to users')).code).toBe(0);
    bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
    const { code, document } = await create('Add index of email');
    expect([code, document.error.code]).toEqual([3, 'one_transaction']);
    expect(document.error.message).toMatch(/migrations\/env\.py:\d+ /);
    expect(document.error.next).toContain(next);
    expect(bed.project.revisions).toHaveLength(2);
    expect((await create('Add index of email', '--as-is')).code).toBe(1);
    expect(bed.project.revisions).toHaveLength(3);
  },
);
