import { Database } from '../../production/database';
import { CATALOG, fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, fix } = useFixing();

test('a constraint that replaces another under its default name keeps that name', async () => {
  const key = (name: string, more = '') => `op.create_foreign_key(${name}, "users", "teams", ["team_id"], ["id"]${more})`;
  const drop = 'op.drop_constraint("users_team_id_fkey", "users", type_="foreignkey")';
  bed.project.revision(
    'c3',
    'b2',
    'Refer from users to teams',
    `op.add_column("users", sa.Column("team_id", sa.BigInteger()))\n    ${key('None')}`,
    'op.drop_column("users", "team_id")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Delete users with their team',
    `${drop}\n    ${key('None', ', ondelete="CASCADE"')}`,
    `${drop}\n    ${key('"users_team_id_fkey"')}`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['foreign-key-not-valid']);
  expect(text('d4_1.py')).toContain('op.f("users_team_id_fkey")');
});

test('a key, a unique constraint and a check that replace another under the same name keep it', async () => {
  const ids = 'op.create_unique_constraint("uq_users", "users", ["email"])';
  const check = (more: string) => `op.create_check_constraint("ck_users", "users", "age > ${more}")`;
  const key = (columns: string) => `op.create_primary_key("teams_pkey", "teams", [${columns}])`;
  bed.project.revision(
    'c3',
    'b2',
    'Add constraints of users',
    `${ids}\n    ${check('0')}`,
    'op.drop_constraint("ck_users", "users")\n    op.drop_constraint("uq_users", "users")',
  );
  bed.project.commit();
  const drops = `op.drop_constraint("uq_users", "users", type_="unique")
    op.drop_constraint("ck_users", "users", type_="check")
    op.drop_constraint("teams_pkey", "teams", type_="primary")`;
  bed.project.revision(
    'd4',
    'c3',
    'Replace constraints',
    `${drops}
    op.create_unique_constraint("uq_users", "users", ["email", "age"])
    ${check('1')}
    ${key('"code", "id"')}`,
    `${drops}
    ${key('"id"')}
    op.alter_column("teams", "code", nullable=True)
    ${check('0')}
    ${ids}`,
  );
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    const review = await fix();
    expect(reasons(review)['constraint-builds-index']).toBeUndefined();
    expect(review.findings.map(({ rule }) => rule)).not.toContain('drop-primary-key');
    expect(fixed(review)).toEqual(['check-not-valid', 'constraint-builds-index', 'constraint-builds-index']);
    // A database with rows, which has the old revision, gets the same as an empty one.
    await Database.with(async ({ plainUrl: own }) => {
      await alembic(own, 'upgrade', 'c3');
      const before = await query(own, CATALOG);
      await query(own, "INSERT INTO teams VALUES (1, 'a'); INSERT INTO users (id, email, age) VALUES (1, 'a', 5)");
      for (let round = 0; round < 2; round++) {
        await alembic(own, 'upgrade', 'head');
        expect(await query(own, CATALOG)).toEqual(meant);
        expect(await query(own, 'SELECT id, email, age FROM users')).toEqual([{ id: '1', email: 'a', age: 5 }]);
        await alembic(own, 'downgrade', 'c3');
        expect(await query(own, CATALOG)).toEqual(before);
      }
    });
  });
});

test('a constraint that another replaces is there again after a downgrade that does not restore it: an earlier one may drop it', async () => {
  const unique = (columns: string) => `op.create_unique_constraint("uq_users", "users", [${columns}])`;
  const key = (more: string) => `op.create_foreign_key("fk_users", "users", "teams", ["id"], ["id"]${more})`;
  const drops = 'op.drop_constraint("fk_users", "users")\n    op.drop_constraint("uq_users", "users")';
  bed.project.revision('c3', 'b2', 'Add constraints of users', `${unique('"email"')}\n    ${key('')}`, drops);
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Replace constraints',
    `${drops}\n    ${unique('"email", "age"')}\n    ${key(', ondelete="CASCADE"')}`,
  );
  expect(fixed(await fix())).toEqual(['constraint-builds-index', 'foreign-key-not-valid']);
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'c3');
    const before = await query(url, CATALOG);
    await alembic(url, 'upgrade', 'head');
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'downgrade', 'b2');
  });
});

test('the downgrade of a series drops indexes outside of the transaction before it drops a constraint in it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Make the codes of teams unique, and add an index',
    `op.create_index("ix_teams_code", "teams", ["code"])
    op.create_unique_constraint("uq_teams_code", "teams", ["code"])`,
    'op.drop_constraint("uq_teams_code", "teams"); op.drop_index("ix_teams_code", "teams")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['constraint-builds-index', 'index-not-concurrent']);
  expect(review.findings.map(({ rule }) => rule)).not.toContain('ddl-before-autocommit');
});

test('one ALTER TABLE that adds several constraints is fixed for each of them', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Check users',
    `op.execute("""ALTER TABLE users ADD CONSTRAINT ck_young CHECK (age < 200), ADD COLUMN team_id bigint,
      ADD CONSTRAINT ck_old CHECK (age > 0), ADD CONSTRAINT fk_team FOREIGN KEY (team_id) REFERENCES teams (id),
      ADD CONSTRAINT fk_first FOREIGN KEY (id) REFERENCES teams (id)""")`,
    'op.execute("ALTER TABLE users DROP CONSTRAINT ck_young, DROP CONSTRAINT ck_old, DROP CONSTRAINT fk_team, DROP CONSTRAINT fk_first, DROP COLUMN team_id")',
  );
  expect(fixed(await fix())).toEqual(['check-not-valid', 'check-not-valid', 'foreign-key-not-valid', 'foreign-key-not-valid']);
  expect(text('c3_1.py').match(/postgresql_not_valid=True/g)).toHaveLength(4);
  for (const name of ['ck_young', 'ck_old', 'fk_team', 'fk_first'])
    expect(text('c3.py')).toContain(`VALIDATE CONSTRAINT ${name}"`);
});

test('DROP ... IF EXISTS beside a statement that is rewritten stays, although there is nothing to drop on the scratch database', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Check the age of users',
    `op.execute("""ALTER TABLE users DROP CONSTRAINT IF EXISTS ck_age;
      ALTER TABLE users ADD CONSTRAINT ck_age CHECK (age > 0)""")`,
    'op.drop_constraint("ck_age", "users", type_="check")',
  );
  expect(fixed(await fix())).toEqual(['check-not-valid']);
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'b2');
    await query(url, 'ALTER TABLE users ADD CONSTRAINT ck_age CHECK (age > -1)');
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
  });
});
