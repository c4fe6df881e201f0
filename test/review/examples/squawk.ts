import { type Example, one } from './example';

/** What squawk finds and no rule of ours looks for. */
export const SQUAWK: readonly Example[] = [
  {
    rule: 'squawk-ban-create-domain-with-constraint',
    bad: one('op.execute("CREATE DOMAIN mood AS text CHECK (value <> \'\')")', 'op.execute("DROP DOMAIN mood")'),
    good: one('op.execute("CREATE DOMAIN mood AS text")', 'op.execute("DROP DOMAIN mood")'),
  },
  {
    rule: 'squawk-ban-char-field',
    bad: one('op.execute("ALTER TABLE users ADD COLUMN code char(3)")', 'op.drop_column("users", "code")'),
    good: one('op.execute("ALTER TABLE users ADD COLUMN code character varying(3)")', 'op.drop_column("users", "code")'),
  },
];
