import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Review } from '../../../lib/review';
import { fixed, reasons, useFixing } from './fixing';

const { bed, text, fix } = useFixing();

test('a fix that cannot be proved is not made, and is listed with the reason', async () => {
  const names = "op.get_bind().execute(sa.text(\"SELECT unnest(ARRAY['age', 'email'])\")).scalars()";
  const loop = `for name in ${names}:\n        op.create_index(f"ix_{name}", "users", [name])`;
  bed.project.revision('c3', 'b2', 'Add indexes on users', loop, 'op.drop_index("ix_age")\n    op.drop_index("ix_email")');
  bed.project.revision(
    'd4',
    'c3',
    'Add twice to users',
    'op.execute("ALTER TABLE users ADD COLUMN twice int GENERATED ALWAYS AS (age * 2) STORED")',
    'op.drop_column("users", "twice")',
  );
  bed.project.revision('b8', 'd4', 'Set code of teams', 'op.execute("UPDATE teams SET code = code || 1")');
  bed.project.revision(
    'c9',
    'b8',
    'Make codes of teams unique',
    'op.create_unique_constraint(None, "teams", ["id", "code"])',
    'op.drop_constraint(None, "teams", type_="unique")\n    op.drop_column("teams", "gone")',
  );
  const before = bed.project.revisions.map(text);
  const review = await fix();
  expect(fixed(review)).toEqual([]);
  const told = review.fixes?.notFixed.map(({ finding, reason }) => `${finding.revision} ${finding.rule}: ${reason}`) ?? [];
  expect(told).toEqual(
    expect.arrayContaining([
      expect.stringContaining('c3 index-not-concurrent: it is in the loop on line 11'),
      'd4 table-rewrite: PostgreSQL can add a stored generated column only by writing every row',
      expect.stringContaining('b8 update-all: a batch that runs again would change a value again'),
      expect.stringMatching(/c9 drop-constraint-none: the safe form fails: .*gone/),
    ]),
  );
  expect(bed.project.revisions.map(text)).toEqual(before);
});

/** Fails unless a constraint is valid. */
const countValid = (name: string) =>
  `op.execute("SELECT 1 / count(*) FROM pg_constraint WHERE conname = '${name}' AND convalidated")`;

test('provable fixes are made even if others fail, on rows that the revision accepts, and after a revision that fails', async () => {
  bed.project.revision('c3', 'b2', 'Set a setting', 'op.execute("SELECT current_setting(\'app.absent\')")');
  // It counts on a foreign key that is valid at once; the CHECK and the index on users need none.
  bed.project.revision(
    'd4',
    'c3',
    'Refer to teams',
    `op.create_check_constraint("ck_users_age", "users", "age > 5000")
    op.add_column("users", sa.Column("team_id", sa.BigInteger()))
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])
    ${countValid('fk_users_team')}
    op.create_index("ix_users_age", "users", ["age"])`,
    `op.drop_index("ix_users_age")
    op.drop_column("users", "team_id")
    op.drop_constraint("ck_users_age", "users")`,
  );
  bed.project.revision(
    'e5',
    'd4',
    'Give users a rank',
    `op.add_column("users", sa.Column("rank", sa.Integer(), nullable=False))
    op.create_index("ix_users_rank", "users", ["rank"])`,
    'op.drop_index("ix_users_rank")\n    op.drop_column("users", "rank")',
  );
  // A key on a column whose rows are made up, and its table has no row yet.
  bed.project.revision(
    'f6',
    'e5',
    'Refer from users to teams',
    'op.create_foreign_key("fk_users_age_teams", "users", "teams", ["age"], ["id"])',
    'op.drop_constraint("fk_users_age_teams", "users")',
  );
  const review = await fix('--allow-not-replayed');
  expect(fixed(review)).toEqual(['check-not-valid', 'foreign-key-not-valid', 'index-not-concurrent', 'index-not-concurrent']);
  expect(reasons(review)['foreign-key-not-valid']).toMatch(/^the safe form fails: .*division by zero/);
  expect(review.fixes?.withoutRows).toEqual(['users']);
  // It stays an error, on the statement that fails on rows.
  expect(review.findings.map(({ rule, revision }) => `${revision} ${rule}`)).toContain('e5_1 not-null-without-default');
});

test('rows of one table that a revision fails on do not prevent the proof of what fills another', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Require teams.code, and give users a key',
    `op.execute("ALTER TABLE teams ALTER COLUMN code TYPE int USING code::int")
    op.add_column("users", sa.Column("key", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False))
    op.add_column("users", sa.Column("rank", sa.Float(), server_default=sa.text("random()")))`,
    `op.drop_column("users", "rank")
    op.drop_column("users", "key")
    op.alter_column("teams", "code", type_=sa.Text())`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['table-rewrite', 'table-rewrite']);
  expect(review.fixes?.withoutRows).toEqual(['teams']);
});

test('sample rows from the trial of another revision do not prevent a proof', async () => {
  // A row of its own, and one value of its key for made-up ones.
  bed.project.revision(
    'c3',
    'b2',
    'Add kinds table',
    `op.create_table("kinds", sa.Column("id", sa.UUID(), primary_key=True), sa.Column("code", sa.Text()))
    op.execute("INSERT INTO kinds VALUES ('d2a2f5a8-6a0c-4a43-8d14-0c6a7ef3c0aa', 'own')")`,
    'op.drop_table("kinds")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Add check of codes',
    `op.create_check_constraint("ck_kinds_code", "kinds", "code <> ''")\n    ${countValid('ck_kinds_code')}`,
    'op.drop_constraint("ck_kinds_code", "kinds")',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Index codes of kinds',
    'op.create_index("ix_kinds_code", "kinds", ["code"])',
    'op.drop_index("ix_kinds_code")',
  );
  const review = await fix();
  expect(reasons(review)['check-not-valid']).toMatch(/^the safe form fails: .*division by zero/);
  expect(fixed(review)).toEqual(['index-not-concurrent']);
});

test('what another new revision does to rows does not prevent the proof of a fix that is tried again', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add a user',
    `op.execute("INSERT INTO users (id) SELECT coalesce(max(id), 0) + 1 FROM users")
    op.create_index("ix_users_email", "users", ["email"])`,
    'op.drop_index("ix_users_email")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Refer to teams',
    `op.add_column("users", sa.Column("team_id", sa.BigInteger()))
    op.create_foreign_key("fk_users_team", "users", "teams", ["team_id"], ["id"])
    ${countValid('fk_users_team')}
    op.create_index("ix_users_age", "users", ["age"])`,
    'op.drop_index("ix_users_age")\n    op.drop_column("users", "team_id")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent']);
  expect(reasons(review)['foreign-key-not-valid']).toContain('the safe form fails: division by zero');
});

test('a row that an earlier new revision inserts, and does not delete in its downgrade, is there once', async () => {
  bed.project.revision('c2', 'b2', 'Add the first team', `op.execute("INSERT INTO teams VALUES (1, 'first')")`);
  bed.project.commit();
  bed.project.revision(
    'c3',
    'c2',
    'Add a team',
    `op.execute("INSERT INTO teams SELECT coalesce(max(id), 0) + 1, 'own' FROM teams")
    op.create_index("ix_users_email", "users", ["email"])`,
    'op.drop_index("ix_users_email")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Make codes unique',
    `op.execute("SELECT 1 / (count(*) < 2)::int FROM teams WHERE code = 'own'")
    op.create_unique_constraint("uq_teams_code", "teams", ["code"])`,
    'op.drop_constraint("uq_teams_code", "teams")',
  );
  const review = await fix();
  expect(reasons(review)['constraint-builds-index']).toBeUndefined();
  expect(fixed(review)).toEqual(['constraint-builds-index', 'index-not-concurrent']);
});

const SETS_AS_IT_IS = "op.execute(\"SELECT set_config('jit', current_setting('jit'), false)\")";
const SETS = 'op.execute("SET search_path = public, pg_catalog")';

test.each([
  ['once for all trials', SETS_AS_IT_IS],
  ['again if a copy of the database would lack the state of their session', SETS],
])('the revisions before the new ones run %s, with the same result', async (_, state) => {
  const runs = path.join(bed.project.directory, 'runs');
  const count = `open(${JSON.stringify(runs)}, "a").write("x")`;
  const kind = 'sa.Column("kind", sa.Enum("a", name="kind"))';
  bed.project.revision(
    'c0',
    'b2',
    'Add kinds',
    `${count}\n    op.create_table("kinds", ${kind})\n    ${state}`,
    'op.drop_table("kinds")',
  );
  const before = Array.from({ length: 24 }, (_, at) => at + 1);
  for (const at of before)
    bed.project.revision(`c${at}`, `c${at - 1}`, `Add c${at}`, `op.add_column("teams", sa.Column("c${at}", sa.Integer()))`);
  bed.project.commit();
  // It needs what one upgrade remembers, and fails alone.
  bed.project.revision('d1', 'c24', 'Add more kinds', `op.create_table("more", ${kind})`, 'op.drop_table("more")');
  const index = (name: string) => `op.create_index("${name}", "users", ["age"])`;
  bed.project.revision('d2', 'd1', 'Add index', index('ix_a'), 'op.drop_index("ix_a")');
  bed.project.revision(
    'd3',
    'd2',
    'Add another index',
    `${index('ix_b')}\n    op.create_check_constraint("ck", "users", "age > 0")`,
    'pass',
  );
  const ran = async (run: () => Promise<Review>) => {
    writeFileSync(runs, '');
    const { fixes } = await run();
    return { fixes, times: readFileSync(runs, 'utf8').length };
  };
  const own = await ran(async () => JSON.parse((await bed.start(['review', '--fix', '--dry-run', '--json']).ended).stdout));
  const given = await ran(() => fix('--dry-run'));
  expect(own.fixes).toEqual(given.fixes);
  expect(own.fixes?.fixed.length).toBeGreaterThan(1);
  if (state === SETS) expect(own.times).toBeGreaterThanOrEqual(given.times);
  else expect(own.times).toBeLessThan(given.times);
});

test('sample rows do not break a unique index that the revision builds, also beside rows of an earlier revision', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add roles',
    `op.execute("CREATE TABLE kinds (name text PRIMARY KEY); CREATE TABLE roles (kind text REFERENCES kinds, name text NOT NULL)")
    op.execute("INSERT INTO kinds VALUES ('a'), ('b'); INSERT INTO roles VALUES ('a', 'a')")`,
    'op.drop_table("roles"); op.drop_table("kinds")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Make roles unique',
    'op.create_index("uq_roles", "roles", ["kind"], unique=True)\n    op.create_index("ix_roles", "roles", ["name"])',
    'op.drop_index("ix_roles", "roles")\n    op.drop_index("uq_roles", "roles")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent']);
  expect(review.fixes?.withoutRows).toBeUndefined();
});
