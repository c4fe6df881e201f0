import { fixed, useFixing } from './fixing';

const { bed, text, fix } = useFixing();

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
