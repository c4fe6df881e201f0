import { Database } from '../../production/database';
import { CATALOG, fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, fix } = useFixing();

test('a return for another database stays in each file, a try that can not help goes, and a check in the downgrade runs first', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Refer from users to teams',
    `if op.get_bind().dialect.name != "postgresql":
        return
    try:
        op.create_foreign_key("fk_users_team", "users", "teams", ["age"], ["id"])
    except Exception:
        print("it is there")`,
    'op.drop_constraint("fk_users_team", "users", type_="foreignkey")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Store the age of users as text',
    'op.alter_column("users", "age", type_=sa.Text(), postgresql_using="age::text")',
    `bad = op.get_bind().execute(sa.text("SELECT count(*) FROM users WHERE age !~ '[0-9]'")).scalar()
    if bad:
        raise RuntimeError("no number")
    op.alter_column("users", "age", type_=sa.Integer(), postgresql_using="age::integer")`,
  );
  // The type of column age changes only in d4: its foreign key is dropped with the old revision's own statement.
  const review = await fix();
  expect(reasons(review)['foreign-key-not-valid']).toBeUndefined();
  expect(fixed(review)).toContain('foreign-key-not-valid');
  for (const file of ['c3_1.py', 'c3.py']) {
    expect(text(file)).toMatch(/def upgrade\(\):\n {4}if op\.get_bind\(\)\.dialect\.name != "postgresql":\n {8}return\n {4}op\./);
  }
  expect(text('c3_1.py')).not.toContain('try:');
});

test('a loop over constants is written out, also in a batch, and the comments about a statement stay with it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Index users and teams',
    `# for the search
    with op.batch_alter_table("users") as users:
        for column in ("email", "age"):
            users.create_index(f"ix_{column}", [column])
    for table in ("users", "teams"):
        # only those with a code
        if table == "teams":
            op.create_index("ix_code", table, ["code"])  # until it is unique`,
    'op.drop_index("ix_code", "teams"); op.drop_index("ix_age", "users"); op.drop_index("ix_email", "users")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(Array(3).fill('index-not-concurrent'));
  expect(reasons(review)).not.toHaveProperty('index-not-concurrent');
  const [first, second, third] = text('c3.py').split('op.create_index(');
  expect(first).toContain('# for the search');
  expect(second).not.toContain('# for the search');
  expect(third).toMatch(/# only those with a code\n +# until it is unique/);
});

test('the docstrings and the empty lines between statements stay', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add name to users',
    `"""Upgrade schema."""

    op.add_column("users", sa.Column("name", sa.Text()))

    # for the search
    op.create_index("ix_users_name", "users", ["name"])

    # for the report
    op.create_index("ix_users_age", "users", ["age"])`,
    `"""The names are lost."""
    op.drop_index("ix_users_age", "users")
    op.drop_index("ix_users_name", "users")

    op.drop_column("users", "name")`,
  );
  await fix();
  expect(text('c3_1.py')).toContain('"""Upgrade schema."""\n\n    op.add_column(');
  expect(text('c3_1.py')).toContain('"""The names are lost."""\n\n    op.drop_column(');
  expect(text('c3.py')).toMatch(
    /"""Upgrade schema."""\n\n {4}with .*\n {8}# for the search\n(?: {8}.*\n)+\n {8}# for the report\n/,
  );
});

test('an UPDATE with constant parameters runs in batches; one with computed values stays', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Set the state of users',
    `users = sa.table("users", sa.column("email", sa.Text))
    op.get_bind().execute(sa.text("UPDATE users SET age = :age"), {"age": 7})
    op.execute(users.update().values(email="it's"))`,
    'pass',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Set the code of teams',
    'op.get_bind().execute(sa.text("UPDATE teams SET code = :code"), {"code": str(op.get_bind().engine)})',
    'pass',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['update-all', 'update-all']);
  expect(reasons(review)['update-all']).toBe('its values are computed when it runs: write it by hand, as shown');
  expect(text('c3.py')).toContain('UPDATE users SET age = 7 FROM batch');
  expect(text('c3.py')).toContain("UPDATE users SET email='it''s' FROM batch");
});

test('what a DO block asks before a change is kept, and a downgrade that leaves an index leaves it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Reconcile with older databases',
    `op.execute("""
        -- only where it is missing
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'ck_users_age') THEN
            ALTER TABLE users ADD CONSTRAINT ck_users_age CHECK (age > 0);
          END IF;
        END $$""")
    op.execute("CREATE INDEX IF NOT EXISTS ix_users_age ON users (age)")`,
    'pass',
  );
  const review = await fix();
  expect(reasons(review)['check-not-valid']).toMatch(/^it is in a DO block/);
  expect(fixed(review)).toContain('index-not-concurrent');
  expect(text('c3_1.py')).toContain('IF NOT EXISTS');
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'b2');
    await query(url, 'ALTER TABLE users ADD CONSTRAINT ck_users_age CHECK (age > 0)');
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'b2');
    expect(await query(url, CATALOG)).toEqual(meant);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
  });
});

test('the values of an UPDATE may come from names for constants, and its table may have a default that Python computes', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Set email of users',
    `import uuid
    users = sa.Table("users", sa.MetaData(), sa.Column("id", sa.BigInteger(), primary_key=True, default=uuid.uuid4), sa.Column("age", sa.Integer()), sa.Column("email", sa.Text()))
    name = sa.func.coalesce(sa.cast(users.c.age, sa.Text()), "unknown")
    op.get_bind().execute(users.update().values(email=name.concat("-").concat("x")))`,
    'pass',
  );
  expect(fixed(await fix())).toEqual(['update-all']);
  expect(text('c3.py')).toContain("'unknown'");
  expect(text('c3.py')).not.toContain('uuid');
});

test('a condition around a constraint stays: it is added without reading rows there, and validated only where it is not valid', async () => {
  const columns = '[one["name"] for one in sa.inspect(op.get_bind()).get_columns("users")]';
  const checks = '[one["name"] for one in sa.inspect(op.get_bind()).get_check_constraints("users")]';
  bed.project.revision(
    'c3',
    'b2',
    'Reconcile with older databases',
    `if "team_id" not in ${columns}:
        # for the list
        op.add_column("users", sa.Column("team_id", sa.BigInteger()))
        op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])
    if "code_id" not in ${columns}:
        op.add_column("users", sa.Column("code_id", sa.BigInteger(), sa.ForeignKey("teams.id"), comment="of a team"))
    if "ck_users_age" not in ${checks}:
        op.create_check_constraint("ck_users_age", "users", "age > 0")`,
    `op.drop_constraint("ck_users_age", "users", type_="check")
    op.execute("ALTER TABLE users DROP CONSTRAINT IF EXISTS fk_users_team")
    op.drop_column("users", "team_id")
    op.drop_column("users", "code_id")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['check-not-valid', 'foreign-key-not-valid', 'foreign-key-not-valid']);
  expect(text('c3_1.py')).toContain(`    if "team_id" not in ${columns}:\n        # for the list\n        op.add_column(`);
  expect(text('c3_1.py').match(/postgresql_not_valid=True/g)).toHaveLength(3);
  expect(text('c3.py')).not.toContain('get_columns');
  expect(text('c3.py').match(/\n {4}not_valid = \(\n(?: {8}".*\n)+ {4}\)\n {4}if op\.get_bind/g)).toHaveLength(3);
  expect(
    Math.max(
      ...text('c3.py')
        .split('\n')
        .map(({ length }) => length),
    ),
  ).toBeLessThanOrEqual(88);
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'b2');
    await query(url, 'ALTER TABLE users ADD team_id bigint, ADD CONSTRAINT ck_users_age CHECK (age > 0)');
    await alembic(url, 'upgrade', 'head');
    const withoutKey = (meant as { what: string }[]).filter(({ what }) => what !== 'constraint fk_users_team');
    expect(await query(url, CATALOG)).toEqual(withoutKey);
  });
});

test('a condition around a batch stays, with the comments in the batch', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Refer to teams',
    `if not [one for one in sa.inspect(op.get_bind()).get_foreign_keys("users") if one["name"] == "fk_team"]:
        with op.batch_alter_table("users") as batch_op:
            # may be unknown
            batch_op.add_column(sa.Column("team_id", sa.BigInteger()))
            batch_op.create_foreign_key("fk_team", "teams", ["team_id"], ["id"])`,
    'op.drop_constraint("fk_team", "users", type_="foreignkey")\n    op.drop_column("users", "team_id")',
  );
  expect(fixed(await fix())).toEqual(['foreign-key-not-valid']);
  expect(text('c3_1.py')).toMatch(/\n {4}if not .*\n {8}# may be unknown\n {8}op\.execute\(.*\n {8}op\.create_foreign_key\(/);
  expect(text('c3_1.py')).not.toContain('batch_op');
});
