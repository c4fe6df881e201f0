import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { withPostgresServer } from '../../../lib/local/postgres/server';
import { useTestBed } from '../installed-command';

const bed = useTestBed();

async function command(...args: string[]) {
  const { stdout, stderr } = await bed.run([...args, '--json']);
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');

type Named = { readonly rule: string; readonly severity: string; readonly instead?: string };

/** The models have none of it: only the revisions do. */
function addWhatIsDropped(): void {
  bed.project.revision(
    'b2',
    'a1',
    'Add codes of users and the table notes',
    `op.add_column("users", sa.Column("code", sa.Text(), nullable=False))
    op.add_column("users", sa.Column("plan", sa.Text(), server_default="free", nullable=False))
    op.create_index("ix_users_code", "users", ["code"], unique=True)
    op.create_check_constraint("ck_users_code", "users", "code <> ''")
    op.create_table("notes", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id")), sa.Column("text", sa.Text()))
    op.create_index("ix_notes_user_id", "notes", ["user_id"])`,
    `op.drop_table("notes")
    op.drop_constraint("ck_users_code", "users", type_="check")
    op.drop_column("users", "plan")
    op.drop_column("users", "code")`,
  );
}

const SCHEMA = `SELECT json_agg(line ORDER BY line) AS value FROM (
  SELECT format('%s.%s %s %s', c.relname, attname, attnotnull, pg_get_expr(adbin, adrelid)) AS line
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
) lines`;

test('--keep-dropped renames instead of dropping: rows, indexes and constraints survive up, down and up again, and inserts without the column succeed', async () => {
  addWhatIsDropped();
  const { created, review, error } = await command('create', 'Drop codes and notes', '--keep-dropped', '30');
  expect(error).toBeUndefined();
  const files: string[] = created.files.map((file: string) => path.join(bed.project.directory, file));
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  expect(text).not.toMatch(/op\.drop_|cdk-alembic: allow/);
  const [code, plan, notes] = [`code_drop_after_${day(30)}`, `plan_drop_after_${day(30)}`, `notes_drop_after_${day(30)}`];
  expect(text).toContain(`op.rename_table('notes', '${notes}')`);
  expect(created.left).toEqual([]);
  expect(review.findings.map(({ rule, severity }: Named) => [rule, severity])).toEqual([
    ['rename', 'warning'],
    ['rename', 'warning'],
    // A column that is kept becomes nullable: a row that was inserted meanwhile keeps the downgrade from taking that back.
    ['downgrade-fails', 'warning'],
    ['rename', 'warning'],
  ]);

  await withPostgresServer(__dirname, async (server) => {
    const url = server.url();
    const alembic = (...args: string[]) => bed.alembic(url, ...args);
    await alembic('upgrade', 'b2');
    const client = new Client({ connectionString: url });
    await client.connect();
    const value = async (sql: string) => (await client.query(sql)).rows[0].value;
    const checksum = (columns: string, table: string) =>
      value(`SELECT md5(string_agg(concat_ws('|', ${columns}), ',' ORDER BY id)) AS value FROM ${table} WHERE id <= 1000`);
    await client.query(`
      INSERT INTO users SELECT n, 'code ' || n, CASE WHEN n % 2 = 0 THEN 'paid' ELSE 'free' END FROM generate_series(1, 1000) n;
      INSERT INTO notes SELECT n, n, 'note ' || n FROM generate_series(1, 1000) n`);
    const before = [await checksum('id, code, plan', 'users'), await checksum('id, user_id, text', 'notes')];
    const schema = await value(SCHEMA);

    await alembic('upgrade', 'head');
    expect([await checksum(`id, ${code}, ${plan}`, 'users'), await checksum('id, user_id, text', notes)]).toEqual(before);
    await client.query('INSERT INTO users (id) VALUES (1001), (1002)');
    expect(await value(`SELECT count(*)::int AS value FROM users WHERE ${code} IS NULL AND ${plan} = 'free'`)).toBe(2);

    await alembic('downgrade', 'b2');
    expect([await checksum('id, code, plan', 'users'), await checksum('id, user_id, text', 'notes')]).toEqual(before);
    expect(await value('SELECT count(*)::int AS value FROM users WHERE code IS NULL')).toBe(2);
    await client.query('DELETE FROM users WHERE code IS NULL');
    await alembic('upgrade', 'head');
    await alembic('downgrade', 'b2');
    expect(await value(SCHEMA)).toEqual(schema);
    await alembic('upgrade', 'head');
    expect([await checksum(`id, ${code}, ${plan}`, 'users'), await checksum('id, user_id, text', notes)]).toEqual(before);
    await client.end();
  });

  const again = await command('create', 'Drop codes and notes again');
  expect(again.error.code).toBe('nothing_to_create');
  const reviewed = await command('review', '--all');
  expect(reviewed.findings.filter(({ rule }: Named) => ['drift', 'drop-due'].includes(rule))).toEqual([]);
});

test('after the last day, the review asks for the drop and create writes it', async () => {
  addWhatIsDropped();
  bed.project.revision(
    'c3',
    'b2',
    'Set codes and notes aside',
    `op.alter_column("users", "code", new_column_name="code_drop_after_20200101", nullable=True)
    op.drop_column("users", "plan")
    op.rename_table("notes", "notes_drop_after_20200102")`,
  );
  const { findings } = await command('review', '--all');
  const due = findings.filter(({ rule }: Named) => ['drift', 'drop-due'].includes(rule));
  expect(due.map(({ rule, severity, instead }: Named) => [rule, severity, instead?.split('\n')[1]])).toEqual([
    ['drop-due', 'warning', 'op.drop_column("users", "code_drop_after_20200101")'],
    ['drop-due', 'warning', 'op.drop_table("notes_drop_after_20200102")'],
  ]);
  expect(due[0].message).toContain('users.code_drop_after_20200101 was kept until 2020-01-01');
  const { created, review } = await command('create', 'Drop codes and notes');
  const text = readFileSync(path.join(bed.project.directory, created.file), 'utf8');
  expect(text).toContain("op.drop_column('users', 'code_drop_after_20200101')");
  expect(text).toContain("op.drop_table('notes_drop_after_20200102')");
  expect(review.findings.map(({ rule }: Named) => rule)).toEqual(expect.arrayContaining(['drop-column', 'drop-table']));
});

test.each([
  [
    'it is part of the primary key',
    'sa.Column("code", sa.Text(), nullable=False)',
    'op.execute("ALTER TABLE users DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (id, code)")',
  ],
  ['it is unique and has a constant default', 'sa.Column("code", sa.Text(), server_default="none", unique=True)', 'pass'],
  [
    'the CHECK ck_users_code refuses',
    'sa.Column("code", sa.Text())',
    'op.create_check_constraint("ck_users_code", "users", "code IS NOT NULL")',
  ],
])('a column is not renamed if inserts would fail without it: %s', async (why, column, more) => {
  bed.project.revision('b2', 'a1', 'Add code to users', `op.add_column("users", ${column})\n    ${more}`);
  const { error } = await command('create', 'Drop code of users', '--keep-dropped', '30');
  expect(error).toMatchObject({ code: 'create_failed', message: expect.stringContaining(why) });
  expect(bed.project.revisions).toEqual(['a1.py', 'b2.py']);
});
