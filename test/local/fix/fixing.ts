import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import type { Review } from '../../../lib/review';
import { useScratchDatabase, useTestBed } from '../installed-command';

/** A project with the tables `users` (id, email, age) and `teams` (id, code) on its default branch, and `review --fix` in it. */
export function useFixing() {
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

  const onScratch = useScratchDatabase();
  const versions = () => path.join(bed.project.directory, 'migrations/versions');
  const text = (file: string) => readFileSync(path.join(versions(), file), 'utf8');
  return {
    bed,
    alembic: bed.alembic,
    versions,
    text,
    /** A file whose text literals are on one line each. */
    joined: (file: string) => text(file).replace(/"\n *"/g, ''),
    fix: async (...more: string[]): Promise<Review> => {
      const { stdout, stderr } = await bed.run(['review', '--fix', '--json', ...onScratch(), ...more]);
      if (!stdout) throw new Error(stderr);
      return JSON.parse(stdout);
    },
    /** Adds the revision `next` with what the reviewed ones leave to the next release. */
    nextRelease: ({ fixes }: Review, head: string): void => {
      const codes = (fixes?.later ?? []).map(({ code }) => code.split('\n\ndef downgrade():\n') as [string, string]);
      const upgrade = codes.map(([up]) => up.replace('def upgrade():\n', ''));
      const downgrade = codes.map(([, down]) => down).reverse();
      bed.project.revision('next', head, 'Drop old names', upgrade.join('\n').trim(), downgrade.join('\n').trim());
    },
  };
}

export const fixed = ({ fixes }: Review) => fixes?.fixed.map(({ rule }) => rule).sort();
export const reasons = ({ fixes }: Review) =>
  Object.fromEntries(fixes?.notFixed.map((one) => [one.finding.rule, one.reason]) ?? []);

/** Without the names of NOT NULL, which only PostgreSQL 18 has. */
export const CATALOG = `
SELECT 'index ' || indexrelid::regclass AS what, pg_get_indexdef(indexrelid) || indisvalid AS is FROM pg_index
  JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) || convalidated FROM pg_constraint
  WHERE contype <> 'n' AND connamespace = 'public'::regnamespace
UNION ALL SELECT 'column ' || attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) || attnotnull
  || coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '')
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
ORDER BY 1`;

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
