import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Review } from '../../../lib/review';
import { Database } from '../../production/database';
import { needed } from '../../production/environment';
import { fixed, query, reasons, useFixing } from './fixing';

const { bed, versions, alembic, text, fix } = useFixing();

test('commits in a revision are removed, and statements that cannot run in a transaction get an autocommit block', async () => {
  const concurrently = (name: string) => `op.create_index("${name}", "users", ["${name}"], postgresql_concurrently=True)`;
  bed.project.revision(
    'c3',
    'b2',
    'Index email of users',
    `# ends the transaction
    op.get_bind().commit()
    with op.get_context().autocommit_block():
        ${concurrently('email')}`,
    'op.drop_index("email", "users", postgresql_concurrently=True)',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Index age of users',
    `op.execute("COMMIT")
    ${concurrently('age')}
    op.execute("ALTER TABLE users ADD COLUMN nick text")`,
    'op.execute("ALTER TABLE users DROP COLUMN nick")\n    op.drop_index("age")',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Index ids of users by age',
    `with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS pair ON users (age, id)")`,
    'op.drop_index("pair")',
  );
  bed.project.revision(
    'f6',
    'e5',
    'Commit for each user',
    `for _ in op.get_bind().execute(sa.text("SELECT FROM users")).all():
        op.get_bind().commit()
    op.create_index("ix_users_age", "users", ["age"])`,
    'op.drop_index("ix_users_age")',
  );
  const review = await fix('--allow-not-replayed');
  const concurrent = ['concurrently-in-transaction', 'concurrently-in-transaction'];
  expect(fixed(review)).toEqual(['bind-commit', ...concurrent, 'index-not-concurrent', 'invalid-index-accepted', 'raw-commit']);
  expect(reasons(review)['bind-commit']).toMatch(/^it is in a loop/);
  expect(text('c3.py')).not.toContain('commit()');
  expect(text('c3.py')).toContain(`    with op.get_context().autocommit_block():
        op.drop_index("email", "users", postgresql_concurrently=True)`);
  expect(text('d4.py')).toContain(`    with op.get_context().autocommit_block():
        ${concurrently('age')}
    op.execute("ALTER TABLE users ADD COLUMN nick text")`);
  expect(text('d4.py')).not.toContain('COMMIT');
  expect(text('e5.py')).toContain('op.execute("DROP INDEX CONCURRENTLY IF EXISTS pair")');
  expect(text('e5.py')).not.toContain('IF NOT EXISTS');
});

test('unnamed constraints in a downgrade get their names, along with other fixes, and the hooks of the project format the files', async () => {
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
  bed.project.revision(
    'e5',
    'd4',
    'Add badges table',
    'op.create_table("badges", sa.Column("a", sa.BigInteger(), sa.ForeignKey("teams.id")), sa.Column("b", sa.BigInteger(), sa.ForeignKey("teams.id")))',
    'op.drop_table("badges")',
  );
  // Each key is made again under its name, in both functions.
  const key = (name: string, column: string, more = '') =>
    `op.create_foreign_key(${name}, "badges", "teams", ["${column}"], ["id"]${more})`;
  const drop = (name: string) => `op.drop_constraint(${name}, "badges", type_="foreignkey")`;
  bed.project.revision(
    'f6',
    'e5',
    'Delete badges with their teams',
    ['a', 'b'].flatMap((one) => [drop(`"badges_${one}_fkey"`), key('None', one, ', ondelete="CASCADE"')]).join('\n    '),
    ['b', 'a'].flatMap((one) => [drop('None'), key(`"badges_${one}_fkey"`, one)]).join('\n    '),
  );
  const dryRun = await fix('--dry-run');
  const review = await fix();
  const shown = ({ fixes }: Review) => [fixes?.fixed, fixes?.files, fixes?.notFixed.map(({ reason }) => reason)];
  expect(shown(dryRun)).toEqual(shown(review));
  expect(dryRun.findings).toEqual(expect.arrayContaining([...(dryRun.fixes?.fixed ?? [])]));
  // The constraint's index is built once its downgrade is repaired.
  expect(fixed(review)).toEqual([
    'check-not-valid',
    'constraint-builds-index',
    'drop-constraint-none',
    'drop-constraint-none',
    'drop-constraint-none',
  ]);
  expect(reasons(review)).not.toHaveProperty('constraint-builds-index');
  expect(text('f6.py').match(/drop_constraint\(op.f\("\w+"/g)).toEqual([
    'drop_constraint(op.f("badges_b_fkey"',
    'drop_constraint(op.f("badges_a_fkey"',
  ]);
  const diff = review.fixes?.files.find(({ file }) => file.endsWith('d4.py'))?.diff;
  expect(diff).toMatch(/^--- a\/.*d4\.py$[\s\S]*^-.*create_unique_constraint\(None/m);
  expect(diff?.match(/^--- /gm)).toHaveLength(1);
  expect(text('d4.py')).toContain('CREATE UNIQUE INDEX CONCURRENTLY');
  expect([text('c3_1.py'), text('c3.py'), text('d4.py')]).toEqual([
    expect.stringContaining('# formatted'),
    expect.stringContaining('# formatted'),
    expect.stringContaining('# formatted'),
  ]);
  expect(text('d4.py')).toContain('    op.drop_constraint(op.f("teams_code_key"), "teams", type_="unique")\n');
  expect(existsSync(path.join(versions(), 'c3_2.py'))).toBe(false);
});

test('an enum gets its new values instead of being replaced, and before they are used', async () => {
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
    op.execute("CREATE FUNCTION differ(kind, kind_old) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    op.execute("CREATE OPERATOR <> (leftarg = kind, rightarg = kind_old, procedure = differ)")
    op.execute("ALTER TABLE users ALTER kind DROP DEFAULT")
    op.alter_column("users", "kind", type_=kinds, postgresql_using="${using}")
    op.execute("ALTER TABLE users ALTER kind SET DEFAULT 'a'")
    op.alter_column("teams", "kind", type_=kinds, postgresql_using="${using}")
    op.execute("DROP OPERATOR <> (kind, kind_old)")
    op.execute("DROP FUNCTION differ(kind, kind_old)")
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
      expect.stringContaining(
        'f6 table-rewrite: PostgreSQL removes or reorders values of the enum kind only by writing every row: see https://',
      ),
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
  await Database.with(async ({ plainUrl: url }) => {
    const labels = `SELECT enumtypid::regtype::text AS of, string_agg(enumlabel, ' ' ORDER BY enumsortorder) AS is FROM pg_enum GROUP BY 1 ORDER BY 1`;
    await alembic(url, 'upgrade', 'c3');
    await query(url, "INSERT INTO users (id, kind, mood) VALUES (1, 'c', 'bad')");
    await alembic(url, 'upgrade', 'e5');
    const added = [
      { of: '"Mood"', is: 'good fine bad' },
      { of: 'kind', is: "0 1 a b c it's" },
    ];
    expect(await query(url, labels)).toEqual(added);
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, labels)).toEqual([
      { of: '"Mood"', is: 'good bad' },
      { of: 'kind', is: 'a c' },
    ]);
    await alembic(url, 'upgrade', 'e5');
    expect(await query(url, labels)).toEqual(added);
    await alembic(url, 'upgrade', 'head');
    await query(url, 'INSERT INTO users (id) VALUES (2)');
    expect(await query(url, 'SELECT id, kind, mood FROM users ORDER BY id')).toEqual([
      { id: '1', kind: 'd', mood: 'bad' },
      { id: '2', kind: 'a', mood: 'bored' },
    ]);
  });
});

test('names of constraints are repaired in a downgrade that leaves an extension and a type', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Make code of teams unique',
    `op.execute("CREATE EXTENSION IF NOT EXISTS citext")
    op.execute("DO $$ BEGIN CREATE TYPE kind AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    op.create_unique_constraint(None, "teams", ["code"])`,
    'op.drop_constraint(None, "teams", type_="unique")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['constraint-builds-index', 'drop-constraint-none']);
  expect(text('c3.py')).toContain('op.drop_constraint(op.f("teams_code_key"), "teams", type_="unique")');
});

test('names of constraints are repaired in a revision whose upgrade drops what the downgrade can only create empty', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add badges table',
    'op.create_table("badges", sa.Column("id", sa.BigInteger(), primary_key=True))',
    'op.drop_table("badges")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Drop badges and users.age, and make code of teams unique',
    `op.drop_table("badges")
    op.drop_column("users", "age")
    op.create_unique_constraint(None, "teams", ["code"])`,
    `op.drop_constraint(None, "teams", type_="unique")
    op.add_column("users", sa.Column("age", sa.Integer(), nullable=True))
    op.create_table("badges", sa.Column("id", sa.BigInteger(), primary_key=True))`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['constraint-builds-index', 'drop-constraint-none']);
  expect(text('d4.py')).toContain('op.drop_constraint(op.f("teams_code_key"), "teams", type_="unique")');
});

test('the command says where the rewritten files do not run: on another kind of database, and in one transaction that an earlier revision commits', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add orders',
    'op.execute("CREATE TABLE orders (id int)")\n    op.get_bind().commit()',
    'pass',
  );
  const env = path.join(bed.project.directory, 'migrations/env.py');
  const own = readFileSync(env, 'utf8');
  const ownTransactions = own.replace('connection=connection,', 'connection=connection, transaction_per_migration=True,');
  writeFileSync(env, ownTransactions);
  bed.project.commit();
  bed.project.revision('d4', 'c3', 'Add index', 'op.create_index("ix_a", "users", ["age"])', 'op.drop_index("ix_a")');
  expect((await fix('--dry-run')).fixes?.caveats).toBeUndefined();
  const namesSqlite = '\nif engine.dialect.name == "sqlite":\n    raise SystemExit("no")\nwith engine';
  writeFileSync(env, own.replace('\nwith engine', namesSqlite));
  expect((await fix()).fixes?.caveats).toEqual([
    'migrations/env.py:10 names sqlite: the rewritten files run on PostgreSQL only',
    '`alembic upgrade` of an empty database stops at migrations/versions/d4.py, because migrations/versions/c3.py:12 commits the one transaction of all revisions: pass transaction_per_migration=True to context.configure() in migrations/env.py',
  ]);
  await Database.with(({ plainUrl: url }) => expect(alembic(url, 'upgrade', 'head')).rejects.toThrow('transaction is inactive'));
  writeFileSync(env, ownTransactions);
  await Database.with(({ plainUrl: url }) => alembic(url, 'upgrade', 'head'));
});

test('the command says that `alembic upgrade` can not run an autocommit block with pg8000', async () => {
  const env = path.join(bed.project.directory, 'migrations/env.py');
  const own = readFileSync(env, 'utf8');
  writeFileSync(
    env,
    own.replace(/sa\.create_engine\(.*\)/, 'sa.create_engine(sa.make_url(url).set(drivername="postgresql+pg8000"))'),
  );
  bed.project.commit();
  bed.project.revision('c3', 'b2', 'Add index', 'op.create_index("ix_a", "users", ["age"])', 'op.drop_index("ix_a")');
  expect((await fix()).fixes?.caveats).toContainEqual(
    '`alembic upgrade` stops at migrations/versions/c3.py, because pg8000 is in a transaction in an autocommit block: apply it with `npx safe-alembic apply`, or use psycopg',
  );
  await Database.with(async ({ plainUrl: url }) => {
    await expect(alembic(url, 'upgrade', 'head')).rejects.toThrow('CONCURRENTLY cannot run inside a transaction block');
    await bed.start(['apply'], { DATABASE_URL: url.replace('postgresql:', 'postgresql+psycopg:') }).ended;
    expect(await query(url, 'SELECT version_num FROM alembic_version')).toEqual([{ version_num: 'c3' }]);
  });
});
