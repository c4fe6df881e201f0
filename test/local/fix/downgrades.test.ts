import { Database } from '../../production/database';
import { CATALOG, fixed, query, useFixing } from './fixing';

const { bed, alembic, text, fix } = useFixing();

test('a revision whose own downgrade refuses, does nothing or fails is fixed, with its upgrade proved', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Require the age of users',
    'op.create_index("ix_users_age", "users", ["age"])\n    op.alter_column("users", "age", nullable=False)',
    '# ages are not known again\n    raise NotImplementedError("one way")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Refer from users to teams',
    `op.add_column("users", sa.Column("team_id", sa.BigInteger()))
    op.create_index("ix_users_team", "users", ["team_id"])
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])`,
    'pass',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Flag users',
    `op.add_column("users", sa.Column("flag", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("ix_users_flag", "users", ["flag"])`,
    'op.drop_column("users", "flag")\n    op.drop_index("ix_users_flag", "users")',
  );
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    const review = await fix();
    expect(fixed(review)).toEqual([
      'foreign-key-not-valid',
      'index-not-concurrent',
      'index-not-concurrent',
      'index-not-concurrent',
      'set-not-null-scan',
    ]);
    expect(review.fixes?.upgradeOnly).toEqual([
      { file: 'migrations/versions/c3.py', reason: expect.stringContaining('NotImplementedError: one way') },
      { file: 'migrations/versions/d4.py', reason: expect.stringContaining('column "team_id"') },
      { file: 'migrations/versions/e5.py', reason: expect.stringContaining('index "ix_users_flag" does not exist') },
    ]);
    // The refusal is the first thing that a downgrade runs, and nothing is undone before it.
    expect(text('c3.py')).toMatch(
      /def downgrade\(\):\n +# ages are not known again\n +raise NotImplementedError\("one way"\)\n$/,
    );
    // Each statement of the safe form has its own downgrade.
    expect(text('e5.py')).toContain('DROP INDEX CONCURRENTLY IF EXISTS ix_users_flag');
    expect(bed.project.revisions.map(text).join()).toContain('op.drop_constraint(op.f("fk_users_team")');
    await Database.with(async ({ plainUrl: fresh }) => {
      await alembic(fresh, 'upgrade', 'head');
      expect(await query(fresh, CATALOG)).toEqual(meant);
      await alembic(fresh, 'downgrade', 'd4');
      await alembic(fresh, 'upgrade', 'head');
      expect(await query(fresh, CATALOG)).toEqual(meant);
    });
  });
});

test('a statement of the downgrade is in the file whose statement it reverts', async () => {
  bed.project.revision('c3', 'b2', 'Require users.email', 'op.alter_column("users", "email", nullable=False, server_default="")');
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Require users.age instead of users.email',
    'op.alter_column("users", "email", nullable=True, server_default=None); op.alter_column("users", "age", nullable=False)',
    'op.alter_column("users", "email", nullable=False, server_default="")\n    op.alter_column("users", "age", nullable=True)',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['set-not-null-scan']);
  expect(text('d4.py')).not.toContain('"email"');
  expect(review.findings.map(({ rule }) => rule)).not.toContain('downgrade-not-restoring');
});

test('a statement between two forms of the downgrade stays between them, in a file that has an upgrade for it', async () => {
  bed.project.revision('c3', 'b2', 'Add users.code', 'op.add_column("users", sa.Column("code", sa.String(32)))');
  bed.project.commit();
  const code = (size: number) => `op.alter_column("users", "code", type_=sa.String(${size}), existing_type=sa.String())`;
  const comment = (text: string) => `op.alter_column("users", "email", comment=${text}, existing_type=sa.Text())`;
  bed.project.revision(
    'd4',
    'c3',
    'Store users.age as numeric',
    `op.alter_column("users", "age", type_=sa.Numeric(20))
    ${code(64)}
    ${comment('"Where to write"')}
    op.create_index("ix_email", "users", ["email"])`,
    `op.drop_index("ix_email", "users")
    ${comment('None')}
    ${code(32)}
    op.alter_column("users", "age", type_=sa.Integer())`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'table-rewrite']);
  expect(review.findings.map(({ rule }) => rule)).not.toContain('downgrade-missing');
});

test('a comment and SET LOCAL of the downgrade are in the transaction that they belong to', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Describe users.age',
    `op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column("users", "age", comment="In years", existing_type=sa.Integer())
    op.create_index("ix_users_age", "users", ["age"])`,
    `op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column("users", "age", comment=None, existing_type=sa.Integer())
    op.drop_index("ix_users_age", "users")`,
  );
  expect(fixed(await fix())).toEqual(['index-not-concurrent']);
  const downgrade = text('c3_1.py').split('def downgrade')[1];
  expect(downgrade).toContain('SET LOCAL');
  expect(downgrade).toContain('comment=None');
  expect(text('c3.py')).not.toContain('SET LOCAL');
});

test('a statement of the downgrade is in the file that it reverts, although one above it reverts an earlier file', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Refer from users to teams',
    `op.add_column("users", sa.Column("team_id", sa.BigInteger()))
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])`,
    'op.drop_constraint("fk_users_team", "users")\n    op.drop_column("users", "team_id")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Replace users.team_id by users.group_id',
    `op.add_column("users", sa.Column("group_id", sa.BigInteger()))
    op.execute("UPDATE users SET group_id = team_id")
    op.drop_constraint("fk_users_team", "users")
    op.drop_column("users", "team_id")`,
    `op.add_column("users", sa.Column("team_id", sa.BigInteger()))
    op.execute("UPDATE users SET team_id = group_id")
    op.drop_column("users", "group_id")
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])`,
  );
  expect(fixed(await fix())).toEqual(['update-all']);
});

test('the command says what plain Alembic does not roll back: a downgrade with an autocommit block, and one transaction of all revisions', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Index users',
    'op.create_index("ix_age", "users", ["age"])',
    'op.drop_index("ix_age")\n    op.execute("UPDATE users SET age = 0 WHERE age < 0")',
  );
  expect((await fix()).fixes?.caveats).toEqual([
    expect.stringMatching(/^`alembic upgrade` runs all revisions in one transaction: .*transaction_per_migration=True/),
    expect.stringMatching(/^a downgrade of migrations\/versions\/c3\.py that fails is not rolled back completely/),
  ]);
});

test('a downgrade adds a constraint again in the file that drops it, also where it may not be there', async () => {
  bed.project.revision(
    'b3',
    'b2',
    'Add index',
    'op.create_index("ix_age", "users", ["age"])',
    'op.drop_index("ix_age", "users")',
  );
  bed.project.commit();
  bed.project.revision(
    'c3',
    'b3',
    'Replace index',
    `op.drop_index("ix_age", "users")
    op.execute("ALTER TABLE teams DROP CONSTRAINT IF EXISTS uq_code")
    op.create_index("ix_email", "users", ["email"])`,
    `op.drop_index("ix_email", "users")
    op.create_unique_constraint("uq_code", "teams", ["code"])
    op.create_index("ix_age", "users", ["age"])`,
  );
  expect(fixed(await fix())).toEqual(['index-not-concurrent', 'index-not-concurrent']);
  expect(bed.project.revisions.filter((file) => text(file).includes('create_unique_constraint'))).toEqual(['c3_2.py']);
});
