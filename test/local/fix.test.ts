import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { withPostgresServer } from '../../lib/local/postgres/server';
import type { Review } from '../../lib/review';
import { needed } from '../production/environment';
import { useTestBed } from './installed-command';

const bed = useTestBed();
beforeEach(() => {
  bed.project.revision(
    'b2',
    'a1',
    'Add teams table',
    `op.create_table("teams", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("code", sa.Text()))
    op.add_column("users", sa.Column("email", sa.Text()))
    op.add_column("users", sa.Column("age", sa.Integer()))`,
    'op.drop_column("users", "age"); op.drop_column("users", "email"); op.drop_table("teams")',
  );
  bed.project.commit();
});

const versions = () => path.join(bed.project.directory, 'migrations/versions');
const text = (file: string) => readFileSync(path.join(versions(), file), 'utf8');

async function fix(...more: string[]): Promise<Review> {
  const { stdout, stderr } = await bed.start(['review', '--fix', '--json', ...more]).ended;
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

const fixed = ({ fixes }: Review) => fixes?.fixed.map(({ rule }) => rule).sort();
const reasons = ({ fixes }: Review) => Object.fromEntries(fixes?.notFixed.map((one) => [one.finding.rule, one.reason]) ?? []);

/** Runs plain Alembic. */
function alembic(url: string, ...args: string[]): void {
  const env = { ...process.env, DATABASE_URL: url.replace('postgresql:', 'postgresql+psycopg:') };
  execFileSync(needed('RUNNER_PYTHON'), ['-m', 'alembic', ...args], { cwd: bed.project.directory, env, stdio: 'pipe' });
}

const CATALOG = `
SELECT 'index ' || indexrelid::regclass AS what, pg_get_indexdef(indexrelid) || indisvalid AS is FROM pg_index
  JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) || convalidated FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'column ' || attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) || attnotnull
  || coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '')
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
ORDER BY 1`;

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

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

test('a revision becomes a series of safe ones that ends with the same schema, and a database that has it needs nothing', async () => {
  bed.project.models([], 'naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"}');
  bed.project.revision('c3', 'b2', 'Add team to users', UNSAFE, UNSAFE_DOWN);
  bed.project.revision(
    'd4',
    'c3',
    'Add note to users',
    'op.add_column("users", sa.Column("note", sa.Text()))',
    'op.drop_column("users", "note")',
  );
  await withPostgresServer(__dirname, async (server) => {
    const url = server.url();
    alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    expect(meant).toContainEqual({ what: 'constraint ck_users_age', is: 'CHECK ((age > 0))true' });

    const review = await fix();
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
    expect(text('c3.py')).toMatch(/revision = "c3"\ndown_revision = "c3_5"/);

    alembic(url, 'upgrade', 'head');
    await query(url, "INSERT INTO teams VALUES (1, 'a')");
    await query(url, "INSERT INTO users (id, email, age, team_id) VALUES (1, 'a@example.org', 30, 1)");
    alembic(url, 'downgrade', 'b2');
    expect(await query(url, 'SELECT * FROM users')).toEqual([{ id: '1', email: 'a@example.org', age: 30 }]);
    alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, 'SELECT email, age, token IS NOT NULL AS filled FROM users')).toEqual([
      { email: 'a@example.org', age: 30, filled: true },
    ]);
  });
});

test('a dry run shows the diff and writes nothing, and its review is that of the file as it is', async () => {
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

test('a file that the default branch has is never changed', async () => {
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

test('what can not be proved stays as it is, and is named with its reason', async () => {
  const loop = 'for name in ("age", "email"):\n        op.create_index(f"ix_{name}", "users", [name])';
  bed.project.revision('c3', 'b2', 'Add indexes on users', loop, 'op.drop_index("ix_age")\n    op.drop_index("ix_email")');
  bed.project.revision(
    'd4',
    'c3',
    'Rename age of users',
    'op.alter_column("users", "age", new_column_name="years")',
    'op.alter_column("users", "years", new_column_name="age")',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Add index on users.years',
    'op.create_index("ix_years", "users", ["years"])',
    'raise NotImplementedError()',
  );
  // The key needs the index, which the safe form would build later.
  bed.project.revision(
    'f6',
    'e5',
    'Refer to users by email',
    `op.create_unique_constraint("uq_teams_code", "teams", ["code"])
    op.create_table("badges", sa.Column("code", sa.Text(), sa.ForeignKey("teams.code")))`,
    'op.drop_table("badges")\n    op.drop_constraint("uq_teams_code", "teams")',
  );
  // In batches, the first statement would run last and overwrite the second one's rows, which the bed.scratch database does not have.
  bed.project.revision(
    'a7',
    'f6',
    'Set years of users',
    'op.execute("UPDATE users SET years = 1")\n    op.execute("UPDATE users SET years = 2 WHERE email LIKE \'nobody%\'")',
  );
  bed.project.revision('b8', 'a7', 'Set code of teams', 'op.execute("UPDATE teams SET code = now()::text")');
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
      expect.stringContaining('c3 index-not-concurrent: it is in a loop'),
      expect.stringContaining('d4 rename: a rename takes two releases'),
      expect.stringContaining('e5 index-not-concurrent: nothing can be proved, because its downgrade does not run'),
      expect.stringMatching(/f6 constraint-builds-index: the safe form fails: .*unique constraint/),
      expect.stringMatching(/a7 update-all: line \d+ writes rows, and would run before a statement that it follows/),
      expect.stringContaining('b8 update-all: the batches might never end'),
      expect.stringMatching(/c9 drop-constraint-none: the safe form fails: .*gone/),
    ]),
  );
  expect(bed.project.revisions.map(text)).toEqual(before);
});

test('a downgrade gets the names that its constraints have, beside other fixes, and the project’s hooks format what is written', async () => {
  bed.project.write('format.py', 'import sys\nopen(sys.argv[1], "a").write("# formatted\\n")\n');
  bed.project.write(
    'alembic.ini',
    `${readFileSync(path.join(bed.project.directory, 'alembic.ini'), 'utf8')}
[post_write_hooks]
hooks = own
own.type = exec
own.executable = ${needed('RUNNER_PYTHON')}
own.options = format.py REVISION_SCRIPT_FILENAME
`,
  );
  bed.project.revision(
    'c3',
    'b2',
    'Add check on users.age',
    'op.create_check_constraint("ck_age", "users", "age > 0")',
    'op.drop_constraint("ck_age", "users")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Make codes of teams unique',
    'op.create_unique_constraint(None, "teams", ["code"])',
    `with op.batch_alter_table("teams") as batch_op:
        # no name in the models
        batch_op.drop_constraint(None, type_="unique")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['check-not-valid', 'drop-constraint-none']);
  expect(reasons(review)['constraint-builds-index']).toBe('its downgrade does not run yet: run review --fix again once it does');
  expect([text('c3_1.py'), text('c3.py'), text('d4.py')]).toEqual([
    expect.stringContaining('# formatted'),
    expect.stringContaining('# formatted'),
    expect.stringContaining('# formatted'),
  ]);
  expect(text('d4.py')).toContain(`    with op.batch_alter_table("teams") as batch_op:
        # no name in the models
        batch_op.drop_constraint(op.f("teams_code_key"), type_="unique")
`);
  expect(existsSync(path.join(versions(), 'c3_2.py'))).toBe(false);
});

test('an enum gets its new values in place of a new type, and before they are used', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add kinds',
    `op.execute("CREATE TYPE kind AS ENUM ('a', 'c')")
    op.execute("""CREATE TYPE "Mood" AS ENUM ('good', 'bad')""")
    op.execute("ALTER TABLE users ADD kind kind DEFAULT 'a', ADD mood \\"Mood\\"")
    op.execute("ALTER TABLE teams ADD kind kind")`,
    `op.execute("ALTER TABLE teams DROP kind")
    op.execute("ALTER TABLE users DROP kind, DROP mood")
    op.execute('DROP TYPE kind'); op.execute('DROP TYPE "Mood"')`,
  );
  bed.project.commit();
  const swap = (to: string, using = 'kind::text::kind') => `op.execute("ALTER TYPE kind RENAME TO kind_old")
    kinds = sa.Enum(${to}, name="kind")
    kinds.create(op.get_bind())
    op.execute("ALTER TABLE users ALTER kind DROP DEFAULT")
    op.alter_column("users", "kind", type_=kinds, postgresql_using="${using}")
    op.execute("ALTER TABLE users ALTER kind SET DEFAULT 'a'")
    op.alter_column("teams", "kind", type_=kinds, postgresql_using="${using}")
    op.execute("DROP TYPE kind_old")`;
  bed.project.revision(
    'd4',
    'c3',
    'Add kinds to users',
    `op.add_column("users", sa.Column("note", sa.Text()))\n    ${swap('"0", "1", "a", "b", "c", "it\'s"')}`,
    `${swap('"a", "c"')}\n    op.drop_column("users", "note")`,
  );
  const throughText = (labels: string) => `op.execute('ALTER TABLE users ALTER mood TYPE text USING mood::text')
    op.execute('DROP TYPE "Mood"')
    op.execute("""CREATE TYPE "Mood" AS ENUM (${labels})""")
    op.execute('ALTER TABLE users ALTER COLUMN mood TYPE "Mood" USING mood::"Mood"')`;
  bed.project.revision('e5', 'd4', 'Add mood fine', throughText("'good', 'fine', 'bad'"), throughText("'good', 'bad'"));
  bed.project.revision('f6', 'e5', 'Remove a kind', swap('"0", "1", "a", "b", "c"'), swap('"0", "1", "a", "b", "c", "it\'s"'));
  const mapped = "CASE WHEN kind::text = 'c' THEN 'd'::kind ELSE kind::text::kind END";
  bed.project.revision(
    'a7',
    'f6',
    'Rename a kind',
    swap('"0", "1", "a", "b", "c", "d"', mapped),
    swap('"0", "1", "a", "b", "c"'),
  );
  bed.project.revision(
    'b8',
    'a7',
    'Use mood bored',
    `op.add_column("users", sa.Column("why", sa.Text()))
    op.execute('ALTER TYPE "Mood" ADD VALUE \\'bored\\' AFTER \\'good\\'')
    op.execute("ALTER TABLE users ALTER mood SET DEFAULT 'bored'")`,
    `op.execute("ALTER TABLE users ALTER mood DROP DEFAULT")
    op.drop_column("users", "why")`,
  );
  const kept = ['f6.py', 'a7.py'].map(text);
  const review = await fix();
  expect(fixed(review)).toEqual(['enum-value-in-transaction', ...Array(4).fill('table-rewrite')]);
  const told = review.fixes?.notFixed.map(({ finding, reason }) => `${finding.revision} ${finding.rule}: ${reason}`) ?? [];
  expect(told).toEqual(
    expect.arrayContaining([
      expect.stringContaining('f6 table-rewrite: it removes or reorders values of the enum kind'),
      'a7 table-rewrite: its USING changes values',
    ]),
  );
  expect(['f6.py', 'a7.py'].map(text)).toEqual(kept);
  expect(text('d4_1.py').match(/ADD VALUE.*(?="\))/g)).toEqual([
    "ADD VALUE IF NOT EXISTS '0' BEFORE 'a'",
    "ADD VALUE IF NOT EXISTS '1' AFTER '0'",
    "ADD VALUE IF NOT EXISTS 'b' AFTER 'a'",
    "ADD VALUE IF NOT EXISTS 'it''s'",
  ]);
  expect(text('d4.py')).toMatch(
    /def upgrade\(\):\n {4}op.add_column\("users", sa.Column\("note", sa.Text\(\)\)\)\n\n\ndef downgrade/,
  );
  expect(text('e5.py').match(/ADD VALUE/g)).toHaveLength(1);
  await withPostgresServer(__dirname, async (server) => {
    const url = server.url();
    const labels = `SELECT enumtypid::regtype::text AS of, string_agg(enumlabel, ' ' ORDER BY enumsortorder) AS is FROM pg_enum GROUP BY 1 ORDER BY 1`;
    alembic(url, 'upgrade', 'c3');
    await query(url, "INSERT INTO users (id, kind, mood) VALUES (1, 'c', 'bad')");
    alembic(url, 'upgrade', 'e5');
    const added = [
      { of: '"Mood"', is: 'good fine bad' },
      { of: 'kind', is: "0 1 a b c it's" },
    ];
    expect(await query(url, labels)).toEqual(added);
    alembic(url, 'downgrade', 'c3');
    expect(await query(url, labels)).toEqual([
      { of: '"Mood"', is: 'good bad' },
      { of: 'kind', is: 'a c' },
    ]);
    alembic(url, 'upgrade', 'e5');
    expect(await query(url, labels)).toEqual(added);
    alembic(url, 'upgrade', 'head');
    await query(url, 'INSERT INTO users (id) VALUES (2)');
    expect(await query(url, 'SELECT id, kind, mood FROM users ORDER BY id')).toEqual([
      { id: '1', kind: 'd', mood: 'bad' },
      { id: '2', kind: 'a', mood: 'bored' },
    ]);
  });
});
