import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Database } from '../../production/database';
import { CATALOG, fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, fix } = useFixing();

const UNSAFE = `op.add_column("users", sa.Column("team_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"], ondelete="SET NULL")
    # people are looked up by their team
    op.create_index(op.f("ix_users_team_id"), "users", ["team_id"])
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.alter_column("email", existing_type=sa.Text(), nullable=False)
        batch_op.create_unique_constraint("uq_users_email", ["email"])
        batch_op.create_check_constraint("age", "age > 0")
    op.add_column("users", sa.Column("token", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False))`;
const UNSAFE_DOWN = `op.drop_column("users", "token")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_constraint("age", type_="check")
        batch_op.drop_constraint("uq_users_email", type_="unique")
        batch_op.alter_column("email", existing_type=sa.Text(), nullable=True)
    op.drop_index(op.f("ix_users_team_id"), table_name="users")
    op.drop_constraint("fk_users_team", "users", type_="foreignkey")
    op.drop_column("users", "team_id")`;

test('an unsafe revision becomes a series of safe ones with the same final schema, and databases that already have it need nothing', async () => {
  bed.project.models([], 'naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"}');
  bed.project.revision('c3', 'b2', 'Add team to users', UNSAFE, UNSAFE_DOWN);
  bed.project.revision(
    'd4',
    'c3',
    'Add note to users',
    'op.add_column("users", sa.Column("note", sa.Text()))',
    'op.drop_column("users", "note")',
  );
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    expect(meant).toContainEqual({ what: 'constraint ck_users_age', is: 'CHECK ((age > 0))true' });

    const review = await fix();
    const messages = review.graph.revisions.map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringMatching(/^Add team to users \(1 of \d\)$/));
    expect(fixed(review)).toEqual([
      'check-not-valid',
      'constraint-builds-index',
      'foreign-key-not-valid',
      'index-not-concurrent',
      'set-not-null-scan',
      'table-rewrite',
    ]);
    const rules = ['foreign-key-not-valid', 'index-not-concurrent', 'table-rewrite', 'set-not-null-scan'];
    expect(review.findings.filter(({ rule }) => rules.includes(rule))).toEqual([]);
    expect(bed.project.revisions).toEqual([
      'a1.py',
      'b2.py',
      'c3.py',
      'c3_1.py',
      'c3_2.py',
      'c3_3.py',
      'c3_4.py',
      'c3_5.py',
      'd4.py',
    ]);
    expect(review.fixes?.files.map(({ file }) => file)).toEqual(
      ['c3_1', 'c3_2', 'c3_3', 'c3_4', 'c3_5', 'c3'].map((name) => `migrations/versions/${name}.py`),
    );
    expect(text('c3_1.py')).toContain('"""Add team to users (1 of 6)"""');
    expect(text('c3_4.py')).toContain('# people are looked up by their team');
    const required = bed.project.revisions.filter((file) =>
      text(file).includes('# fails if a row has NULL in email; a revision'),
    );
    expect(required.map((file) => /VALIDATE CONSTRAINT \S*email_not_null/.test(text(file)))).toEqual([true]);
    expect(text('c3.py')).toMatch(/revision = "c3"\ndown_revision = "c3_5"/);

    await alembic(url, 'upgrade', 'head');
    await query(url, "INSERT INTO teams VALUES (1, 'a')");
    await query(url, "INSERT INTO users (id, email, age, team_id) VALUES (1, 'a@example.org', 30, 1)");
    await alembic(url, 'downgrade', 'b2');
    expect(await query(url, 'SELECT * FROM users')).toEqual([{ id: '1', email: 'a@example.org', age: 30 }]);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, 'SELECT email, age, token IS NOT NULL AS filled FROM users')).toEqual([
      { email: 'a@example.org', age: 30, filled: true },
    ]);
  });
});

test('a dry run shows the diff, writes nothing, and reviews the unchanged file', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add index on users.age',
    'op.create_index("ix_age", "users", ["age"])',
    'op.drop_index("ix_age", "users")',
  );
  const before = text('c3.py');
  const review = await fix('--dry-run');
  expect(fixed(review)).toEqual(['index-not-concurrent']);
  expect(review.fixes?.written).toBe(false);
  expect(review.failed).toBe(true);
  expect(review.findings.map(({ rule }) => rule)).toContain('index-not-concurrent');
  expect(review.fixes?.files[0]?.diff).toMatch(/^-\s+op\.create_index\("ix_age"[\s\S]*^\+.*autocommit_block/m);
  expect([text('c3.py'), bed.project.revisions]).toEqual([before, ['a1.py', 'b2.py', 'c3.py']]);
});

test('a file on the default branch is never changed', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add index on users.age',
    'op.create_index("ix_age", "users", ["age"])',
    'op.drop_index("ix_age", "users")',
  );
  bed.project.commit();
  const before = text('c3.py');
  const review = await fix('--all');
  expect(fixed(review)).toEqual([]);
  expect(reasons(review)['index-not-concurrent']).toContain('production may have run it');
  expect(text('c3.py')).toBe(before);
});

test('a statement that depends on an earlier one runs after all parts of it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Refer to users by email',
    `op.create_check_constraint("ck_users_age", "users", "age > 0")
    op.create_unique_constraint("uq_users_email", "users", ["email"])
    op.create_table("badges", sa.Column("email", sa.Text(), sa.ForeignKey("users.email")))
    op.add_column("teams", sa.Column("email", sa.Text()))
    op.create_foreign_key("fk_teams_email", "teams", "users", ["email"], ["email"])`,
    `op.drop_column("teams", "email")
    op.drop_table("badges")
    op.drop_constraint("uq_users_email", "users")
    op.drop_constraint("ck_users_age", "users")`,
  );
  bed.project.revision(
    'd4',
    'c3',
    'Replace age of users by kind',
    `op.add_column("users", sa.Column("kind", sa.Text(), server_default="young", nullable=False))
    op.execute("UPDATE users SET kind = 'old' WHERE age > 50")
    # overwrites what was written before
    op.execute("UPDATE users SET kind = 'first' WHERE id = 1")
    op.add_column("users", sa.Column("note", sa.Text()))
    # cdk-alembic: allow drop-column: kind tells it
    op.drop_column("users", "age")`,
    `op.add_column("users", sa.Column("age", sa.Integer()))
    op.create_check_constraint("ck_users_age", "users", "age > 0")
    op.execute("UPDATE users SET age = 1 WHERE kind = 'young'")
    op.drop_column("users", "note")
    op.drop_column("users", "kind")`,
  );
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'b2');
    const before = await query(url, CATALOG);
    const review = await fix();
    expect(fixed(review)).toEqual(['check-not-valid', 'constraint-builds-index', 'foreign-key-not-valid', 'work-under-lock']);
    expect(text('d4.py')).toMatch(
      /def upgrade\(\):\n[^)]*kind = 'first'[\s\S]*drop_column\("users", "age"\)[\s\S]*def downgrade/,
    );
    await alembic(url, 'upgrade', 'c3');
    await query(url, "INSERT INTO users (id, email, age) VALUES (1, 'a', 70), (2, 'b', 70), (3, 'c', 7)");
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, 'SELECT id, kind FROM users ORDER BY id')).toEqual([
      { id: '1', kind: 'first' },
      { id: '2', kind: 'old' },
      { id: '3', kind: 'young' },
    ]);
    await alembic(url, 'downgrade', 'b2');
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
  });
});

it('no safe form is written if env.py prevents commits, because plain Alembic would fail on it', async () => {
  const env = path.join(bed.project.directory, 'migrations/env.py');
  const before = readFileSync(env, 'utf8');
  bed.project.write('migrations/env.py', before.replace('.connect()', '.begin()'));
  const upgrade = 'op.create_index("ix_users_email", "users", ["email"])';
  bed.project.revision('c3', 'b2', 'Index email of users', upgrade, 'op.drop_index("ix_users_email", "users")');
  const inside = await fix();
  expect([fixed(inside), reasons(inside)['index-not-concurrent']]).toEqual([[], expect.stringContaining('change it first')]);
  bed.project.write('migrations/env.py', before);
  expect(fixed(await fix())).toEqual(['index-not-concurrent']);
});

test('a comment writes no rows, so it runs with the other changes of the catalog', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Rename code of teams, add nick',
    `op.alter_column("teams", "code", new_column_name="short")
    op.create_index("ix_users_email", "users", ["email"])
    op.add_column("users", sa.Column("nick", sa.Text(), comment="free text"))`,
    `op.drop_column("users", "nick")
    op.drop_index("ix_users_email", table_name="users")
    op.alter_column("teams", "short", new_column_name="code")`,
  );
  expect(fixed(await fix())).toEqual(['index-not-concurrent', 'rename']);
  expect(bed.project.revisions).toEqual(['a1.py', 'b2.py', 'c3.py', 'c3_1.py', 'c3_2.py']);
  expect(text('c3_1.py')).toContain('comment="free text"');
});

test('an index of a table that the revision drops goes with its table', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add notes table',
    `op.create_table("notes", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("text", sa.Text()))
    op.create_index("ix_notes_text", "notes", ["text"])`,
    'op.drop_table("notes")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Move notes into users',
    `op.execute("UPDATE users SET email = notes.text FROM notes WHERE notes.id = users.id")
    op.drop_index("ix_notes_text", "notes")
    op.create_index("ix_users_email", "users", ["email"])
    # cdk-alembic: allow drop-table: users have the texts
    op.drop_table("notes")`,
    `op.create_table("notes", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("text", sa.Text()))
    op.drop_index("ix_users_email")
    op.create_index("ix_notes_text", "notes", ["text"])`,
  );
  const review = await fix();
  expect([fixed(review), reasons(review)['index-not-concurrent']]).toEqual([['index-not-concurrent', 'update-all'], undefined]);
});

test('a finding that stays is named with its place in the rewritten files', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add users.adult',
    `op.add_column("users", sa.Column("adult", sa.Boolean(), sa.Computed("age > 17", persisted=True)))
    op.create_index("ix_users_age", "users", ["age"])`,
    'op.drop_index("ix_users_age", "users")\n    op.drop_column("users", "adult")',
  );
  const [left] = (await fix()).fixes?.notFixed.map(({ finding }) => finding).filter(({ rule }) => rule === 'table-rewrite') ?? [];
  expect(left).toMatchObject({ revision: 'c3_1', file: 'migrations/versions/c3_1.py' });
  expect(text('c3_1.py').split('\n')[(left?.line ?? 0) - 1]).toContain('sa.Computed');
});
