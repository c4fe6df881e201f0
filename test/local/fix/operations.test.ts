import path from 'node:path';
import { fixed, reasons, useFixing } from './fixing';

const { bed, text, fix } = useFixing();

test('operations in a loop over constants, or behind a check whether the object exists, are written out', async () => {
  const indexes = '[one["name"] for one in sa.inspect(op.get_bind()).get_indexes("users")]';
  bed.project.revision(
    'c3',
    'b2',
    'Add indexes on users and teams',
    `for table in ("users", "teams"):
        op.create_check_constraint(f"ck_{table}_id", table, "id > 0")
    indexes = ${indexes}
    if "ix_users_age" not in indexes:
        op.create_index("ix_users_age", "users", ["age"])`,
    `if "ix_users_age" in ${indexes}:
        op.drop_index("ix_users_age", table_name="users")
    for table in ("users", "teams"):
        op.drop_constraint(f"ck_{table}_id", table, type_="check")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['check-not-valid', 'check-not-valid', 'index-not-concurrent']);
  const written = (review.fixes?.files ?? []).map(({ file }) => text(path.basename(file))).join('\n');
  expect(written.match(/op\.f\("ck_(?:users|teams)_id"\), "(?:users|teams)", "id > 0", postgresql_not_valid=True/g)).toHaveLength(
    2,
  );
  expect(written).not.toMatch(/for table in|not in indexes/);
});

test('an UPDATE in a second batch of the same table runs after the first one', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add state to users',
    `with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("state", sa.Text()))
        batch_op.add_column(sa.Column("since", sa.Text()))
    with op.batch_alter_table("users") as batch_op:
        batch_op.execute("UPDATE users SET since = email WHERE id = 7")
        batch_op.create_check_constraint("ck_state", "state <> ''")
        batch_op.create_index("ix_state", ["state"])`,
    `with op.batch_alter_table("users") as batch_op:
        batch_op.drop_column("since")
        batch_op.drop_column("state")`,
  );
  const review = await fix();
  expect(reasons(review)).not.toHaveProperty('check-not-valid');
  expect(fixed(review)).toEqual(expect.arrayContaining(['check-not-valid', 'index-not-concurrent']));
});

test('statements of a batch belong to its operations, also a key of a new column and what a convention names', async () => {
  bed.project.models([], 'naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"}');
  bed.project.revision('c3', 'b2', 'Add a check of users.age', 'op.create_check_constraint("size", "users", "age < 999")');
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Add team to users',
    `with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("team_id", sa.BigInteger(), sa.ForeignKey("teams.id", ondelete="SET NULL")))
        batch_op.add_column(sa.Column("state", sa.Text(), unique=True))
        batch_op.drop_constraint("size", type_="check")
        batch_op.create_check_constraint("size", "age < 99")
        batch_op.create_check_constraint("old", "age > 0")`,
    `with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint("old", type_="check")
        batch_op.drop_constraint("size", type_="check")
        batch_op.drop_column("state")
        batch_op.drop_column("team_id")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['check-not-valid', 'check-not-valid', 'constraint-builds-index', 'foreign-key-not-valid']);
});

test('operations in helpers, on one line or in one statement are written out, and a check for the dialect stays', async () => {
  const file = (id: string, down: string, message: string, code: string) =>
    bed.project.write(
      `migrations/versions/${id}.py`,
      `"""${message}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "${id}"\ndown_revision = "${down}"\n\n\n${code}\n`,
    );
  file(
    'c3',
    'b2',
    'Add indexes of users',
    `TABLES = {"users": ("age", "email"), "teams": ("code",)}


def add(table, columns):
    with op.batch_alter_table(table) as batch_op:
        for column in columns:
            name = f"ix_{table}_{column}"
            batch_op.create_index(name, [column])


def upgrade():
    tables = [*TABLES]
    for table in tables:
        op.add_column(table, sa.Column("by", sa.Text(), server_default=sa.func.now()))
    add("users", TABLES["users"])
    add("teams", ("code",))


def downgrade():
    for table, columns in reversed(TABLES.items()):
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table)
        op.drop_column(table, "by")`,
  );
  file(
    'd4',
    'c3',
    'Add checks of users',
    `def upgrade():
    op.create_check_constraint("ck_age", "users", "age > 0"); op.create_index("ix_age", "users", ["age"])
    op.execute("ALTER TABLE users ADD COLUMN size integer, ADD CONSTRAINT ck_id CHECK (id > 0), ALTER size SET DEFAULT 1")


def downgrade():
    op.execute("ALTER TABLE users DROP CONSTRAINT ck_id, DROP COLUMN size")
    op.drop_index("ix_age"); op.drop_constraint("ck_age", "users")`,
  );
  file(
    'e5',
    'd4',
    'Add index on users.email for PostgreSQL',
    `def is_sqlite(bind):
    return bind.dialect.name == "sqlite"


def upgrade():
    bind = op.get_bind()
    kind = bind.dialect.name
    if kind == "postgresql":
        # looked up by their first letters
        op.create_index("ix_first", "users", [sa.text("email text_pattern_ops")])
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_unique_constraint("uq_email", ["email"])
    else:
        op.create_index("ix_first", "users", ["email"])
    if not is_sqlite(bind):
        op.create_foreign_key("fk_team", "users", "teams", ["id"], ["id"])


def downgrade():
    if not is_sqlite(op.get_bind()):
        op.drop_constraint("fk_team", "users", type_="foreignkey")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("uq_email", "users")
    op.drop_index("ix_first", "users")`,
  );
  const rows = 'import sqlalchemy as sa\n\n\ndef count(bind):\n    return bind.scalar(sa.text("SELECT count(*) FROM users"))';
  bed.project.write('counting.py', rows);
  file(
    'f6',
    'e5',
    'Add index on users.age by their number',
    `import counting


def add(number):
    op.create_index(f"ix_of_{number}", "users", ["age"])


def upgrade():
    add(counting.count(op.get_bind()))


def downgrade():
    op.execute("DROP INDEX IF EXISTS ix_of_0, ix_of_1, ix_of_2, ix_of_3")`,
  );
  const review = await fix();
  const left = review.fixes?.notFixed.filter(({ finding }) => /index|check|key|constraint-b/.test(finding.rule)) ?? [];
  expect(left.filter(({ finding }) => finding.severity === 'error').map(({ finding }) => finding.revision)).toEqual(['f6']);
  expect(fixed(review)).toEqual([
    'check-not-valid',
    'check-not-valid',
    'constraint-builds-index',
    'foreign-key-not-valid',
    'index-not-concurrent',
    'index-not-concurrent',
    'index-not-concurrent',
    'index-not-concurrent',
    'index-not-concurrent',
  ]);
  const written = (review.fixes?.files ?? []).map(({ file: name }) => text(path.basename(name))).join('\n');
  expect(written).toContain('op.execute("ALTER TABLE users ADD COLUMN size integer")');
  expect(written).not.toMatch(/def add\(table|; op\./);
  expect(written).toContain(`    kind = bind.dialect.name
    if kind == "postgresql":
        with op.get_context().autocommit_block():
            # looked up by their first letters`);
  expect(written).toMatch(/ {4}if not \(kind == "postgresql"\):\n {8}op\.create_index\("ix_first", "users", \["email"\]\)/);
  expect(written).toMatch(/ {4}if not is_sqlite\(bind\):\n {8}op\.execute\("ALTER TABLE users VALIDATE CONSTRAINT fk_team"\)/);
  expect(text('f6.py')).toContain('add(counting.count(op.get_bind()))');
});

test('a new file gets no function that nothing calls; the old file keeps it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add name to users',
    `op.add_column("users", sa.Column("name", sa.Text()))
    op.create_index("ix_users_name", "users", ["name"])


PREFIX = "ix_"


def unused(name):
    return PREFIX + name`,
    'op.drop_index("ix_users_name", "users"); op.drop_column("users", "name")',
  );
  await fix();
  expect(text('c3.py')).toMatch(/PREFIX = "ix_"\n\n\ndef unused/);
  expect(text('c3_1.py')).not.toMatch(/unused|PREFIX/);
});

test('operations behind one check for an index are written out together, or not at all', async () => {
  const file = (id: string, down: string, message: string, up: string, undo: string) =>
    bed.project.write(
      `migrations/versions/${id}.py`,
      `"""${message}"""

import sqlalchemy as sa
from alembic import op

revision = "${id}"
down_revision = "${down}"


def has_index(table, name):
    return name in [one["name"] for one in sa.inspect(op.get_bind()).get_indexes(table)]


def upgrade():
    ${up}


def downgrade():
    ${undo}
`,
    );
  file(
    'c3',
    'b2',
    'Add indexes on users',
    `name = "ix_users_age"
    if not has_index("users", name):
        # looked up by both
        op.create_index(name, "users", ["age"])
        op.create_index(op.f("ix_users_email"), "users", ["email"])`,
    `if has_index("users", "ix_users_age"):
        op.drop_index("ix_users_email", table_name="users")
        op.drop_index("ix_users_age", table_name="users")`,
  );
  const mixed = `if not has_index("users", "ix_users_both"):
        op.create_index("ix_users_both", "users", ["age", "email"])
        op.execute("COMMENT ON TABLE users IS 'people'")`;
  file('d4', 'c3', 'Add index on age and email of users', mixed, 'op.drop_index("ix_users_both")');
  const part = `op.create_index("ix_users_twice", "users", [sa.text("(age * 2)")])
    op.create_table("notes", sa.Column("id", sa.BigInteger(), primary_key=True))`;
  const undo = `if has_index("users", "ix_users_twice"):
        op.drop_index("ix_users_twice", table_name="users")
        op.drop_table("notes")`;
  file('e5', 'd4', 'Add index on the double age of users', part, undo);
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent']);
  expect(text('c3.py')).not.toContain('if not has_index');
  expect(text('c3.py').match(/DROP INDEX CONCURRENTLY IF EXISTS ix_users_(?:age|email)/g)).toHaveLength(4);
  expect(text('d4.py')).toContain(mixed);
  expect(review.fixes?.notFixed.map(({ finding, reason }) => [finding.revision, reason])).toEqual(
    expect.arrayContaining([
      ['d4', expect.stringContaining('it is in the condition on line 15, which is not rewritten')],
      ['e5', expect.stringContaining('line 20 asks for an index, and another statement depends on it')],
    ]),
  );
});

test('operations that run only in some databases are not rewritten', async () => {
  const tables = 'sa.inspect(op.get_bind()).get_table_names()';
  bed.project.revision(
    'c3',
    'b2',
    'Add index on users.age',
    `if "users" in ${tables}:\n        op.create_index("ix_users_age", "users", ["age"])`,
    'op.drop_index("ix_users_age", table_name="users")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Add index on users.email',
    `if "users" not in ${tables}:\n        return\n    op.create_index("ix_users_email", "users", ["email"])`,
    'op.drop_index("ix_users_email", table_name="users")',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Refer to teams',
    `if op.get_bind().scalar(sa.text("SELECT max(age) FROM users WHERE age = 7")) == 7:
        op.create_foreign_key("fk_team", "users", "teams", ["age"], ["id"])
        op.create_check_constraint("ck_age", "users", "age > 0")`,
    'pass',
  );
  const before = bed.project.revisions.map(text);
  const review = await fix();
  expect(review.fixes?.fixed).toEqual([]);
  expect(review.fixes?.notFixed.map(({ finding, reason }) => [finding.revision, finding.rule, reason])).toEqual(
    expect.arrayContaining([
      ['c3', 'index-not-concurrent', expect.stringMatching(/^it is in the condition on line 1\d, which is not rewritten/)],
      ['d4', 'index-not-concurrent', expect.stringContaining('returns early')],
      ['e5', 'foreign-key-not-valid', expect.stringMatching(/^it is in the condition on line 1\d, which is not rewritten/)],
    ]),
  );
  expect(bed.project.revisions.map(text)).toEqual(before);
});
