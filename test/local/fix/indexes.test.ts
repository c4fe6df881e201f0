import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fixed, reasons, useFixing } from './fixing';

const { bed, text, fix, versions } = useFixing();

test('indexes of a table in another schema are built and dropped concurrently', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Prepare a schema',
    `op.execute("CREATE SCHEMA app")
    op.execute("CREATE TABLE app.items (id bigint PRIMARY KEY, a text, b text)")
    op.create_index("ix_items_b", "items", ["b"], schema="app")`,
    'op.execute("DROP SCHEMA app CASCADE")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Index another column',
    `with op.batch_alter_table("items", schema="app") as batch_op:
        batch_op.create_index("ix_items_a", ["a"])
    op.drop_index("ix_items_b", table_name="items", schema="app")`,
    `op.create_index("ix_items_b", "items", ["b"], schema="app")
    with op.batch_alter_table("items", schema="app") as batch_op:
        batch_op.drop_index("ix_items_a")`,
  );
  const review = await fix('--dry-run');
  expect(Object.keys(reasons(review))).toEqual(['drift']);
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent']);
});

test('an index that replaces another under the same name is built first, under a temporary name', async () => {
  const plain = 'op.create_index("ix_users_age", "users", ["age"])';
  bed.project.revision('c3', 'b2', 'Add index on users.age', plain, 'op.drop_index("ix_users_age")');
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Make users.age unique',
    'op.drop_index("ix_users_age", table_name="users")\n    op.create_index("ix_users_age", "users", ["age"], unique=True)',
    `op.drop_index("ix_users_age", table_name="users")\n    ${plain}`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'index-not-concurrent']);
  expect(review.fixes?.files).toHaveLength(1);
  const order = [
    'IF EXISTS ix_users_age_new"',
    'create_index(\n            "ix_users_age_new"',
    'IF EXISTS ix_users_age"',
    'RENAME TO ix_users_age',
  ];
  const [up = '', down = ''] = text('d4.py').split('def downgrade');
  const places = order.map((part) => up.indexOf(part));
  expect(places).toEqual([...places].sort((one, other) => one - other));
  expect(Math.min(...places)).toBeGreaterThan(0);
  expect(down).toMatch(/CREATE INDEX CONCURRENTLY ix_users_age_new[\s\S]*RENAME TO ix_users_age/);
});

test('a build that accepts an invalid index stays as it is written, after a statement that drops such an index', async () => {
  const [up, down] = [
    'op.create_index(NAME, "users", ["age"], unique=False, postgresql_concurrently=True, if_not_exists=True)',
    'op.drop_index(NAME, table_name="users", postgresql_concurrently=True, if_exists=True)',
  ];
  const block = (code: string) => `with op.get_context().autocommit_block():\n        ${code}`;
  bed.project.revision(
    'c3',
    'b2',
    'Add index on users.age',
    block(`op.execute("SET lock_timeout = '9s'")\n        # for the report\n        ${up}`),
    block(down),
  );
  const file = text('c3.py').replace('def upgrade', 'NAME = "ix_users_age"\n\n\ndef upgrade');
  writeFileSync(path.join(versions(), 'c3.py'), file);
  expect(fixed(await fix())).toEqual(['invalid-index-accepted']);
  const added = `        # an earlier build that failed leaves an INVALID index under this name
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_age")
        # for the report\n`;
  expect(text('c3.py')).toBe(file.replace('        # for the report\n', added));
});

test('an index with an option for another kind of database is left as it is, and others of its table are not', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Index codes',
    'op.create_index("ix_teams_code", "teams", ["code"])',
    'op.drop_index("ix_teams_code", table_name="teams")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Index adults',
    `op.create_index("ix_users_age", "users", ["age"], sqlite_where=sa.text("age > 17"))
    op.create_index("ix_users_email", "users", ["email"])
    op.drop_index("ix_teams_code", table_name="teams")
    op.create_index("ix_teams_code", "teams", ["code", "id"], sqlite_where=sa.text("id > 1"))`,
    `op.drop_index("ix_teams_code", table_name="teams")
    op.create_index("ix_teams_code", "teams", ["code"])
    op.drop_index("ix_users_email", table_name="users")
    op.drop_index("ix_users_age", table_name="users")`,
  );
  const review = await fix();
  expect(reasons(review)['index-not-concurrent']).toBe(
    "it has an option for another kind of database, which the safe form can't keep: sqlite_where",
  );
  expect(fixed(review)).toEqual(['index-not-concurrent']);
  expect(text('d4_1.py')).toContain('op.create_index("ix_users_age", "users", ["age"], sqlite_where=sa.text("age > 17"))');
  expect(text('d4_1.py')).toContain('["code", "id"], sqlite_where=sa.text("id > 1"))');
  expect(text('d4.py')).toMatch(/"ix_users_email", "users", \["email"\], postgresql_concurrently=True/);
});
