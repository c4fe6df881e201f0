import { readFileSync } from 'node:fs';
import path from 'node:path';
import { useTestBed } from '../installed-command';

const bed = useTestBed();

const read = (file: string) => readFileSync(path.join(bed.project.directory, file), 'utf8');

async function create(...args: string[]) {
  const { code, stdout, stderr } = await bed.start(['create', ...args, '--json']).ended;
  if (!stdout) throw new Error(stderr);
  return { code, document: JSON.parse(stdout) };
}

test('a change that needs several transactions is a series of revisions from the start', async () => {
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  const { code, document } = await create('Add email to users');
  expect([code, document.review.findings.filter(({ severity }: { severity: string }) => severity === 'error')]).toEqual([0, []]);
  const [first, last] = document.created.files.map(read);
  expect(first).toContain('"""Add email to users (1 of 2)"""');
  expect(first).toContain("op.add_column('users'");
  expect(last).toContain('"""Add email to users (2 of 2)"""');
  expect(last).toMatch(/autocommit_block[\s\S]*"ix_users_email"[\s\S]*postgresql_concurrently=True/);
  const [, id] = /revision = ['"](\w+)/.exec(first) ?? [];
  expect(last).toContain(`down_revision = '${id}'`);
});

test('--as-is writes what Alembic does, and reviews it', async () => {
  bed.project.models(['sa.Column("email", sa.Text(), index=True)']);
  const { code, document } = await create('Add email to users', '--as-is');
  expect(code).toBe(1);
  expect(document.review.findings.map(({ rule }: { rule: string }) => rule)).toContain('index-not-concurrent');
  expect(bed.project.revisions).toHaveLength(2);
  expect(read(document.created.file)).toContain("op.create_index(op.f('ix_users_email'), 'users', ['email'], unique=False)");
});

test('what looks like a rename is asked about, and --rename writes the release that keeps the old name', async () => {
  bed.project.revision(
    'b2',
    'a1',
    'Add name',
    'op.add_column("users", sa.Column("name", sa.Text()))',
    'op.drop_column("users", "name")',
  );
  bed.project.models(['sa.Column("full_name", sa.Text())']);
  const { code, document } = await create('Rename name of users');
  expect([code, document.error.code]).toEqual([3, 'looks_like_rename']);
  expect(document.error.next).toContain('--rename users.name=users.full_name');
  expect(bed.project.revisions).toEqual(['a1.py', 'b2.py']);

  const renamed = await create('Rename name of users', '--rename', 'users.name=users.full_name');
  const [add, fill] = renamed.document.created.files.map(read);
  expect(add).toContain('op.execute("ALTER TABLE users ADD COLUMN full_name text")');
  expect(fill).toContain('UPDATE users SET full_name = name');
  expect(fill).toContain('#         op.execute("ALTER TABLE users DROP COLUMN name")');
  expect(renamed.document.review.findings.map(({ rule }: { rule: string }) => rule)).not.toContain('rename');
});

test('what stays as Alembic wrote it is named with the reason, and does not keep the rest from being written safely', async () => {
  bed.project.models([
    'sa.Column("email", sa.Text(), nullable=False)',
    'sa.Column("name", sa.Text(), index=True)',
    'sa.Column("twice", sa.Integer(), sa.Computed("id * 2", persisted=True))',
  ]);
  const { code, stdout } = await bed.start(['create', 'Add email to users']).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /• not fixed: PostgreSQL can add a stored generated column .*\n {4}table-rewrite {2}migrations\/versions\//,
  );
  expect(stdout).toContain('• proved without rows in users: the revision itself fails on rows');
  expect(stdout).toContain('postgresql_concurrently=True');
});
