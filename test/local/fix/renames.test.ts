import path from 'node:path';
import { Database } from '../../production/database';
import { CATALOG, fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, fix, nextRelease } = useFixing();

test('renames of several columns of one key, or with a change of type, are not rewritten', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add links table',
    'op.create_table("links", sa.Column("a", sa.Integer(), primary_key=True), sa.Column("b", sa.Integer(), primary_key=True), sa.Column("c", sa.String(9)))',
    'op.drop_table("links")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Rename columns of links',
    `op.alter_column("links", "a", new_column_name="a_id")
    op.alter_column("links", "b", new_column_name="b_id")
    op.alter_column("links", "c", new_column_name="d", type_=sa.Text(), existing_type=sa.String(9))`,
    `op.alter_column("links", "d", new_column_name="c", type_=sa.String(9), existing_type=sa.Text())
    op.alter_column("links", "b_id", new_column_name="b")
    op.alter_column("links", "a_id", new_column_name="a")`,
  );
  const { fixes } = await fix();
  const left = fixes?.notFixed.flatMap(({ finding, reason }) => (finding.rule === 'rename' ? [reason] : []));
  expect(left).toEqual([
    'links_pkey has another column that is renamed too: rename them in two releases',
    'links_pkey has another column that is renamed too: rename them in two releases',
    'its type changes too: change it in a revision of its own',
  ]);
});

test('a rename that also writes the NOT NULL that the column has is rewritten, one that changes it is not', async () => {
  const rename = (from: string, to: string, nullable = 'True') =>
    `op.alter_column("users", "${from}", nullable=${nullable}, new_column_name="${to}")`;
  bed.project.revision('c3', 'b2', 'Rename email of users', rename('email', 'mail'), rename('mail', 'email'));
  bed.project.revision('d4', 'c3', 'Rename age of users', rename('age', 'years', 'False'), rename('years', 'age'));
  const { fixes } = await fix();
  expect(fixes?.fixed.map(({ rule, line, revision }) => [rule, line > 0, revision])).toEqual([['rename', true, 'c3']]);
  expect(fixes?.notFixed.flatMap(({ finding, reason }) => (finding.rule === 'rename' ? [reason] : []))).toEqual([
    'its NOT NULL changes too: change it in a revision of its own',
  ]);
});

test('a renamed table keeps its old name as a view for the running code, until the next release drops it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add orders',
    `op.execute('CREATE SCHEMA app')
    op.execute('CREATE TABLE app."Order" (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, "from" text NOT NULL DEFAULT \\'web\\')')`,
    `op.execute('DROP SCHEMA app CASCADE')`,
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Rename users to people',
    `op.alter_column("users", "age", new_column_name="years")
    # people are not only users
    op.rename_table("users", "people")
    op.alter_column("people", "email", new_column_name="mail")
    op.add_column("people", sa.Column("note", sa.Text()))`,
    `op.drop_column("people", "note")
    op.alter_column("people", "mail", new_column_name="email")
    op.rename_table("people", "users")
    op.alter_column("users", "years", new_column_name="age")`,
  );
  bed.project.revision(
    'e5',
    'd4',
    'Rename orders',
    'op.rename_table("Order", "sale", schema="app")',
    'op.rename_table("sale", "Order", schema="app")',
  );
  bed.project.revision('f6', 'e5', 'Rename teams', 'op.rename_table("teams", "groups")', 'op.rename_table("groups", "teams")');
  // A view stands in its way.
  bed.project.revision(
    'a7',
    'f6',
    'Change the type of code',
    'op.alter_column("groups", "code", type_=sa.String(50))',
    'op.alter_column("groups", "code", type_=sa.Text())',
  );
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'a7');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'base');

    const review = await fix();
    expect(fixed(review)).toEqual(['rename', 'rename', 'rename', 'rename']);
    expect(reasons(review).rename).toMatch(/^revision a7 then fails: .*view/);
    expect(review.findings.filter(({ rule, revision }) => rule === 'rename' && revision !== 'f6')).toEqual([]);
    expect(text('d4.py')).toContain('# The next release needs a revision of its own.');
    // Its view gets the grants of its table, whatever they are.
    expect(review.findings.map(({ rule }) => rule)).not.toContain('access-changed');

    await alembic(url, 'upgrade', 'c3');
    await query(url, 'INSERT INTO users (id, email) VALUES (1, $$a@example.org$$)');
    await query(url, 'CREATE ROLE fix_reader; GRANT SELECT, INSERT ON users TO fix_reader; GRANT SELECT ON users TO PUBLIC');
    await alembic(url, 'upgrade', 'e5');
    // The running code.
    await query(url, "INSERT INTO users (id, email) VALUES (2, 'b') ON CONFLICT (id) DO UPDATE SET email = 'c'");
    await query(
      url,
      'UPDATE users SET email = upper(email); DELETE FROM users WHERE id = 2; INSERT INTO app."Order" DEFAULT VALUES',
    );
    expect(await query(url, 'SELECT id, mail, note FROM people')).toEqual([{ id: '1', mail: 'A@EXAMPLE.ORG', note: null }]);
    expect(await query(url, 'SELECT * FROM app.sale')).toEqual([{ id: 1, from: 'web' }]);
    const granted = (table: string) =>
      query(
        url,
        `SELECT pg_get_userbyid(grantee) AS who, privilege_type AS what FROM pg_class, aclexplode(relacl) WHERE oid = '${table}'::regclass AND grantee <> relowner ORDER BY 1, 2`,
      );
    expect(await granted('users')).toHaveLength(3);
    expect(await granted('users')).toEqual(await granted('people'));
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, 'SELECT * FROM users')).toEqual([{ id: '1', email: 'A@EXAMPLE.ORG', age: null }]);
    await alembic(url, 'upgrade', 'e5');

    nextRelease(review, 'a7');
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    await alembic(url, 'downgrade', 'a7');
    await query(url, 'SELECT * FROM users, app."Order"');
    await alembic(url, 'upgrade', 'head');
    await query(url, 'DROP OWNED BY fix_reader; DROP ROLE fix_reader');
  });
});

test('a downgrade that renames a table back before it drops new indexes does so where the upgrade renames it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add links',
    `op.add_column("teams", sa.Column("user_id", sa.BigInteger()))
    op.create_index("ix_a", "teams", ["user_id"], unique=True)
    op.create_index("ix_users_age", "users", ["age"])
    op.create_foreign_key("fk_teams_users", "teams", "users", ["user_id"], ["id"])`,
    `op.drop_column("teams", "user_id")
    op.drop_index("ix_users_age")`,
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Rename users',
    `op.drop_index("ix_users_age", "users")
    op.drop_constraint("fk_teams_users", "teams", type_="foreignkey")
    op.drop_index("ix_a", "teams")
    op.rename_table("users", "people")
    op.create_index("ix_people_age", "people", ["age"])
    op.create_index("ix_teams_user", "teams", ["user_id", "id"], unique=True)
    op.create_foreign_key("fk_teams_people", "teams", "people", ["user_id"], ["id"])`,
    `op.drop_constraint("fk_teams_people", "teams", type_="foreignkey")
    op.rename_table("people", "users")
    op.drop_index("ix_teams_user", "teams")
    op.drop_index("ix_people_age", "users")
    op.create_index("ix_a", "teams", ["user_id"], unique=True)
    op.create_foreign_key("fk_teams_users", "teams", "users", ["user_id"], ["id"])
    op.create_index("ix_users_age", "users", ["age"])`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['foreign-key-not-valid', ...Array(4).fill('index-not-concurrent'), 'rename']);
});

test('a renamed column stays in sync with its old name, until the next release drops that', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add orders',
    `op.execute("""CREATE SCHEMA app; CREATE TABLE app."Order" (
      day date, number int, note text, amount numeric(10, 2) NOT NULL, "from" text NOT NULL DEFAULT 'web', more jsonb,
      code varchar(5) COLLATE "C", kind text, PRIMARY KEY (day, number)
    ); CREATE INDEX ON app."Order" (lower(kind)); CREATE UNIQUE INDEX "Note" ON app."Order" (number, note) WHERE note <> '';
    ALTER TABLE app."Order" ADD CONSTRAINT "Objects" CHECK (jsonb_typeof(more) = 'object')""")`,
    'op.execute("DROP SCHEMA app CASCADE")',
  );
  bed.project.commit();
  const rename = (from: string, to: string) => `op.alter_column("Order", "${from}", new_column_name="${to}", schema="app")`;
  const names = [
    ['note', 'remark'],
    ['amount', 'Total'],
    ['from', 'source'],
    ['more', 'details'],
    ['kind', 'sort'],
    ['code', 'short'],
  ] as const;
  let head = 'c3';
  for (const [from, to] of names) {
    bed.project.revision(`to_${to}`, head, `Rename ${from}`, rename(from, to), rename(to, from));
    head = `to_${to}`;
  }
  await Database.with(async ({ plainUrl: url }) => {
    const rows = () => query(url, 'SELECT number, remark, "Total"::float, source, details FROM app."Order" ORDER BY number');
    const catalog = () => query(url, CATALOG.replaceAll("'public'", "'app'"));
    await alembic(url, 'upgrade', 'head');
    const meant = await catalog();
    await alembic(url, 'downgrade', 'base');

    const review = await fix();
    const left = review.fixes?.notFixed.filter(({ finding }) => finding.rule === 'rename').map(({ reason }) => reason);
    expect(left).toEqual([expect.stringMatching(/^the safe form ends with another schema: column app.Order.short/)]);
    expect(fixed(review)).toEqual(Array(5).fill('rename'));
    // The rule advises the same.
    const advised = review.fixes?.fixed.find(({ revision }) => revision === 'to_remark')?.instead?.split('\n') ?? [];
    expect(advised.filter((line) => /^ *op\.execute\(["']CREATE (?:UNIQUE INDEX CONCURRENTLY|TRIGGER)/.test(line))).toHaveLength(
      2,
    );
    await alembic(url, 'upgrade', 'c3');
    await query(url, `INSERT INTO app."Order" (day, number, note, amount, more) VALUES (now(), 1, 'old', 1.5, '{}')`);
    await alembic(url, 'upgrade', 'head');
    // The running code, then the new one.
    await query(url, `INSERT INTO app."Order" (day, number, note, amount) VALUES (now(), 2, 'old', 2)`);
    await query(url, `UPDATE app."Order" SET note = 'older', "from" = 'shop' WHERE number = 1`);
    await query(url, `INSERT INTO app."Order" (day, number, remark, "Total", source) VALUES (now(), 3, 'new', 3, 'app')`);
    await query(url, `UPDATE app."Order" SET remark = NULL, "Total" = 4 WHERE number = 2`);
    const inStep = [
      { number: 1, remark: 'older', Total: 1.5, source: 'shop', details: {} },
      { number: 2, remark: null, Total: 4, source: 'web', details: null },
      { number: 3, remark: 'new', Total: 3, source: 'app', details: null },
    ];
    expect(await rows()).toEqual(inStep);
    expect(
      await query(
        url,
        `SELECT number FROM app."Order" WHERE (note, amount, "from", more) IS DISTINCT FROM (remark, "Total", source, details)`,
      ),
    ).toEqual([]);
    nextRelease(review, head);
    await alembic(url, 'upgrade', 'head');
    expect(await catalog()).toEqual(meant);
    expect(await rows()).toEqual(inStep);
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, 'SELECT number, note, amount::float, "from", more FROM app."Order" ORDER BY number')).toEqual(
      inStep.map(({ number, remark, Total, source, details }) => ({
        number,
        note: remark,
        amount: Total,
        from: source,
        more: details,
      })),
    );
    await alembic(url, 'upgrade', 'head');
    expect(await catalog()).toEqual(meant);
    expect(await rows()).toEqual(inStep);
  });
});

test('what a later new revision drops or renames is not kept under its old name', async () => {
  const rename = (table: string, from: string, to: string) => `op.alter_column("${table}", "${from}", new_column_name="${to}")`;
  const { project } = bed;
  project.revision('c3', 'b2', 'Rename code', rename('teams', 'code', 'short'), rename('teams', 'short', 'code'));
  project.revision('d4', 'c3', 'Rename email', rename('users', 'email', 'mail'), rename('users', 'mail', 'email'));
  project.revision('e5', 'd4', 'Rename age', rename('users', 'age', 'years'), rename('users', 'years', 'age'));
  project.revision(
    'f6',
    'e5',
    'Drop teams and rename mail',
    `${rename('users', 'mail', 'address')}\n    op.drop_table("teams")`,
    `op.create_table("teams", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("short", sa.Text()))\n    ${rename('users', 'address', 'mail')}`,
  );
  const { fixes } = await fix();
  expect(fixes?.fixed.map(({ revision }) => revision)).toEqual(['e5', 'f6']);
  const left = fixes?.notFixed.filter(({ reason }) => reason.startsWith('f6 drops or renames it later, so the old name'));
  expect(left?.map(({ finding }) => [finding.rule, finding.revision])).toEqual([
    ['rename', 'c3'],
    ['rename', 'd4'],
  ]);
});

test('an index that is renamed with its column is built for the new name only', async () => {
  bed.project.revision('c3', 'b2', 'Index age of users', 'op.create_index("ix_users_age", "users", ["age"])');
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Rename age of users to years',
    `op.alter_column("users", "age", new_column_name="years")
    op.drop_index("ix_users_age", table_name="users")
    op.create_index(op.f("ix_users_years"), "users", ["years"])`,
    `op.alter_column("users", "years", new_column_name="age")
    op.drop_index(op.f("ix_users_years"), table_name="users")
    op.create_index("ix_users_age", "users", ["age"])`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent', 'rename']);
  const created = review.fixes?.files.map(({ file }) => text(path.basename(file))).join('') ?? '';
  expect(created.match(/op\.create_index\([^)]*"ix_users_years"/g)).toHaveLength(1);
  expect(created).not.toContain('ix_users_age_new');
});

test('a column is renamed in steps although the revision drops another one, whose values no downgrade restores', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Drop age of users, rename code of teams',
    `op.drop_column("users", "age")
    op.alter_column("teams", "code", new_column_name="short")
    op.create_index("ix_teams_short", "teams", ["short"])`,
    `op.alter_column("teams", "short", new_column_name="code")
    op.drop_index("ix_teams_short", table_name="teams")
    op.add_column("users", sa.Column("age", sa.Integer()))`,
  );
  const review = await fix();
  expect(reasons(review).rename).toBeUndefined();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'rename']);
});
