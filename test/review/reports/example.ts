import type { GraphRevision, Lock, Statement } from '../../../lib/contract/facts';
import type { Finding, Review, ReviewedRevision } from '../../../lib/review/finding';

/** What every report must show as text, whatever it is in the report's own language. */
export const HOSTILE = '<script>alert("x")</script> | `code` <!-- ::error title=x::y %0A --> </style> & @everyone [a](b) “Käse”';

const lock = (table: string, mode = 'AccessExclusiveLock', relation = table): Lock => ({ relation, table, mode });

const statement = (sql: string, more: Partial<Statement> = {}): Statement => ({
  sql,
  line: 22,
  transaction: 0,
  milliseconds: 2,
  rowCount: -1,
  locks: [],
  rewrites: [],
  ...more,
});

const LONG_SQL = `CREATE OR REPLACE VIEW open_invoices AS\nSELECT ${Array.from(
  { length: 60 },
  (_, index) => `invoices.column_with_a_long_name_${index} AS c${index}`,
).join(', ')}\nFROM invoices\nWHERE paid_at IS NULL AND note <> '${HOSTILE}'`;

type Sketch = readonly [
  revision: string,
  message: string,
  downRevisions: readonly string[],
  up: readonly Statement[],
  down: readonly Statement[],
  more?: Partial<ReviewedRevision>,
];

const SKETCHES: readonly Sketch[] = [
  [
    '3c4d5e6f7a8b',
    'Add invoices table',
    ['1f2e3d4c5b6a'],
    [
      statement('CREATE TABLE invoices (id BIGSERIAL NOT NULL, PRIMARY KEY (id))', { milliseconds: 9 }),
      statement('ALTER TABLE invoices ADD FOREIGN KEY(account_id) REFERENCES accounts (id)', {
        line: 31,
        locks: [lock('accounts', 'ShareRowExclusiveLock')],
      }),
    ],
    [statement('DROP TABLE invoices', { locks: [lock('accounts')] })],
  ],
  [
    '5e6f7a8b9c0d',
    'Add email to accounts',
    ['3c4d5e6f7a8b'],
    [statement('ALTER TABLE accounts ADD COLUMN email VARCHAR(320)', { locks: [lock('accounts')] })],
    [statement('ALTER TABLE accounts DROP COLUMN email', { locks: [lock('accounts')] })],
  ],
  [
    '7a8b9c0d1e2f',
    'Index accounts by email',
    ['5e6f7a8b9c0d'],
    [
      statement('CREATE UNIQUE INDEX ix_accounts_email ON accounts (email)', {
        milliseconds: 41,
        locks: [lock('accounts', 'ShareLock')],
      }),
    ],
    [
      statement('DROP INDEX ix_accounts_email', {
        locks: [lock('accounts'), lock('accounts', 'AccessExclusiveLock', 'ix_accounts_email')],
      }),
    ],
  ],
  [
    '9c0d1e2f3a4b',
    'Widen the total of invoices to numeric',
    ['7a8b9c0d1e2f'],
    [
      statement('ALTER TABLE invoices ALTER COLUMN total TYPE NUMERIC(14, 2)', {
        milliseconds: 130,
        locks: [lock('invoices')],
        rewrites: ['invoices'],
      }),
      statement('UPDATE invoices SET total = total / 100', {
        line: 24,
        milliseconds: 84,
        rowCount: 3,
        locks: [lock('invoices', 'RowExclusiveLock')],
      }),
      statement('ALTER TABLE accounts ADD COLUMN balance NUMERIC(14, 2)', {
        line: 26,
        milliseconds: 3,
        locks: [lock('accounts')],
      }),
    ],
    [statement('ALTER TABLE invoices ALTER COLUMN total TYPE INTEGER', { milliseconds: 60, locks: [lock('invoices')] })],
  ],
  [
    'b0d1e2f3a4c5',
    'Add a view of open invoices',
    ['7a8b9c0d1e2f'],
    [statement(LONG_SQL, { milliseconds: 12, locks: [lock('invoices', 'AccessShareLock')] })],
    [statement('DROP VIEW open_invoices')],
  ],
  [
    'c1e2f3a4b5d6',
    'Archive settled invoices: größere Umstellung der Rechnungen für das Archiv nach Jahren',
    ['b0d1e2f3a4c5'],
    [
      statement('CREATE INDEX CONCURRENTLY ix_invoices_paid_at ON invoices (paid_at)', { transaction: -1, milliseconds: 25 }),
      statement('CREATE TABLE invoices_archive (LIKE invoices)', { line: 29, transaction: 1 }),
    ],
    [],
    {
      downgrade: { outcome: 'not_run', reason: 'it does nothing', statements: [], leftTransaction: false, statementsLeftOut: 0 },
    },
  ],
  ['d2f3a4b5c6e7', 'Merge invoices and archive', ['9c0d1e2f3a4b', 'c1e2f3a4b5d6'], [], []],
  [
    'e3a4b5c6d7f8',
    'Copy addresses of accounts from the old service',
    ['d2f3a4b5c6e7'],
    [statement('SELECT id, legacy FROM accounts WHERE NOT copied')],
    [],
    {
      notReplayed: 'its upgrade failed: could not translate host name "legacy.example" to address',
      upgrade: {
        outcome: 'failed',
        failure: { message: 'could not translate host name "legacy.example" to address', line: 27 },
        statements: [statement('SELECT id, legacy FROM accounts WHERE NOT copied')],
        leftTransaction: false,
        statementsLeftOut: 0,
      },
    },
  ],
  [
    'f4b5c6d7e8a9',
    'Drop legacy from accounts',
    ['e3a4b5c6d7f8'],
    [statement('ALTER TABLE accounts DROP COLUMN legacy', { locks: [lock('accounts')] })],
    [statement('ALTER TABLE accounts ADD COLUMN legacy TEXT', { locks: [lock('accounts')] })],
  ],
  [
    '06c7d8e9f0b1',
    'Require the email of accounts',
    ['f4b5c6d7e8a9'],
    [statement('ALTER TABLE accounts ALTER COLUMN email SET NOT NULL', { milliseconds: 18, locks: [lock('accounts')] })],
    [statement('ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL', { locks: [lock('accounts')] })],
  ],
  [
    '17d8e9f0a1c2',
    'Rename settled_at to paid_at of invoices',
    ['06c7d8e9f0b1'],
    [statement('ALTER TABLE invoices RENAME settled_at TO paid_at', { locks: [lock('invoices')] })],
    [statement('ALTER TABLE invoices RENAME paid_at TO settled_at', { locks: [lock('invoices')] })],
  ],
];

const slug = (message: string): string => message.toLowerCase().replace(/\W+/g, '_');

const graphRevision = ([revision, message, downRevisions]: readonly [string, string, readonly string[]]): GraphRevision => ({
  revision,
  message,
  file: `alembic/versions/${revision}_${slug(message)}.py`,
  downRevisions,
  dependsOn: [],
  branchLabels: revision === 'b0d1e2f3a4c5' ? ['archive'] : [],
});

const ROOT = graphRevision(['1f2e3d4c5b6a', 'Add accounts table', []]);

const revisions = SKETCHES.map(([revision, message, downRevisions, up, down, more]): ReviewedRevision => {
  const { file } = graphRevision([revision, message, downRevisions]);
  const direction = (statements: readonly Statement[]) => ({
    outcome: 'done' as const,
    statements,
    leftTransaction: statements.some(({ transaction }) => transaction !== 0),
    statementsLeftOut: 0,
  });
  return { revision, message, file, downRevisions, upgrade: direction(up), downgrade: direction(down), ...more };
});

const finding = (revision: string, more: Omit<Finding, 'file' | 'line' | 'seen'> & Partial<Finding>): Finding => ({
  revision,
  file: revisions.find((reviewed) => reviewed.revision === revision)?.file ?? 'alembic/env.py',
  line: 22,
  seen: 'replay',
  ...more,
});

const findings: readonly Finding[] = [
  finding('9c0d1e2f3a4b', {
    rule: 'table-rewrite',
    severity: 'error',
    direction: 'upgrade',
    message:
      'rewrites all of invoices and its indexes under ACCESS EXCLUSIVE: nobody reads or writes invoices until the last row is copied',
    instead:
      'op.add_column("invoices", sa.Column("total_exact", sa.Numeric(14, 2)))\n# release: write both columns\n# next revision: backfill in batches, then read total_exact\n# last revision: op.drop_column("invoices", "total")',
    statement: 'ALTER TABLE invoices ALTER COLUMN total TYPE NUMERIC(14, 2)',
  }),
  finding('9c0d1e2f3a4b', {
    rule: 'update-all',
    severity: 'error',
    line: 24,
    direction: 'upgrade',
    message: 'changes every row of invoices in one transaction: its locks and its dead rows stay until the end',
    statement: 'UPDATE invoices SET total = total / 100',
  }),
  finding('f4b5c6d7e8a9', {
    rule: 'drop-column',
    severity: 'error',
    direction: 'upgrade',
    message: `destroys what accounts.legacy holds, which the code that still runs may read: ${HOSTILE}`,
    instead: `# release first: nothing reads or writes accounts.legacy\nop.drop_column("accounts", "legacy")  # ${HOSTILE}`,
    statement: `ALTER TABLE accounts DROP COLUMN legacy -- ${HOSTILE}`,
  }),
  finding('06c7d8e9f0b1', {
    rule: 'set-not-null-scan',
    severity: 'error',
    direction: 'upgrade',
    message:
      'reads all of accounts under ACCESS EXCLUSIVE to see that email is never NULL: nobody reads or writes accounts meanwhile',
    instead:
      'op.create_check_constraint("ck_accounts_email_not_null", "accounts", "email IS NOT NULL", postgresql_not_valid=True)\n# next revision: op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_email_not_null")\n# the one after: op.alter_column("accounts", "email", nullable=False)',
    statement: 'ALTER TABLE accounts ALTER COLUMN email SET NOT NULL',
  }),
  finding('17d8e9f0a1c2', {
    rule: 'rename',
    severity: 'error',
    direction: 'upgrade',
    message: 'the code that still runs asks for invoices.settled_at and gets an error from the moment of the commit',
    statement: 'ALTER TABLE invoices RENAME settled_at TO paid_at',
  }),
  finding('9c0d1e2f3a4b', {
    rule: 'locks-several-tables',
    severity: 'warning',
    line: 26,
    direction: 'upgrade',
    message: 'holds ACCESS EXCLUSIVE on invoices while it waits for accounts: two that wait for each other are a deadlock',
    statement: 'ALTER TABLE accounts ADD COLUMN balance NUMERIC(14, 2)',
  }),
  finding('c1e2f3a4b5d6', {
    rule: 'downgrade-missing',
    severity: 'warning',
    line: 40,
    direction: 'downgrade',
    message: 'the downgrade does nothing: ix_invoices_paid_at and invoices_archive stay',
    instead: 'def downgrade() -> None:\n    op.drop_table("invoices_archive")\n    op.drop_index("ix_invoices_paid_at")',
    seen: 'source',
  }),
  finding('e3a4b5c6d7f8', {
    rule: 'reads-outside',
    severity: 'warning',
    line: 27,
    direction: 'upgrade',
    message: 'asks legacy.example over HTTP: the migration depends on what is not in the repository',
    seen: 'source',
  }),
  {
    rule: 'env-outer-transaction',
    severity: 'warning',
    file: 'alembic/env.py',
    line: 61,
    message: 'the connection is in a transaction when context.configure() is called: autocommit_block() fails',
    seen: 'replay',
  },
  finding('7a8b9c0d1e2f', {
    rule: 'index-not-concurrent',
    severity: 'error',
    direction: 'upgrade',
    message: 'CREATE INDEX holds SHARE on accounts: nobody writes accounts until the index is built',
    instead:
      'with op.get_context().autocommit_block():\n    op.create_index("ix_accounts_email", "accounts", ["email"], unique=True, postgresql_concurrently=True)',
    statement: 'CREATE UNIQUE INDEX ix_accounts_email ON accounts (email)',
    acknowledged: `accounts has 200 rows; größer wird sie nicht | ${HOSTILE}`,
  }),
  finding('7a8b9c0d1e2f', {
    rule: 'unique-on-existing-rows',
    severity: 'warning',
    direction: 'upgrade',
    message: 'fails when two rows of accounts have the same email',
    acknowledged: 'checked in prod on 2026-05-04',
  }),
];

/** A review as it comes out of a project with a branch, a merge and one revision that could not be replayed. */
export const EXAMPLE: Review = {
  review: 1,
  version: '0.1.0',
  postgres: '18.4',
  squawk: true,
  graph: {
    revisions: [ROOT, ...SKETCHES.map(([id, message, down]) => graphRevision([id, message, down]))],
    heads: ['17d8e9f0a1c2'],
  },
  revisions,
  findings,
  summary: { revisions: 11, replayed: 10, errors: 5, warnings: 4, acknowledged: 2, milliseconds: 3412 },
  failed: true,
};

/** Nothing found in one revision. */
export const CLEAN: Review = {
  ...EXAMPLE,
  revisions: revisions.slice(0, 1),
  findings: [],
  summary: { revisions: 1, replayed: 1, errors: 0, warnings: 0, acknowledged: 0, milliseconds: 812 },
  failed: false,
};

const SERIES = `--- /dev/null
+++ alembic/versions/7a8b9c0d1e2e_index_accounts_by_email_1.py
@@ -0,0 +1,8 @@
+"""Index accounts by email (1 of 2)"""
+
+
+def upgrade() -> None:
+    with op.get_context().autocommit_block():
+        op.create_index("uq_accounts_email", "accounts", ["email"], unique=True, postgresql_concurrently=True)  # ${HOSTILE}
`;

const LAST_OF_SERIES = `--- alembic/versions/7a8b9c0d1e2f_index_accounts_by_email.py
+++ alembic/versions/7a8b9c0d1e2f_index_accounts_by_email.py
@@ -1,5 +1,5 @@
-"""Index accounts by email"""
+"""Index accounts by email (2 of 2)"""
 
 def upgrade() -> None:
-    op.create_unique_constraint("uq_accounts_email", "accounts", ["email"])
+    op.execute("ALTER TABLE accounts ADD CONSTRAINT uq_accounts_email UNIQUE USING INDEX uq_accounts_email")
`;

/** A review with `--fix`, which wrote a series of two files. */
export const FIXED: Review = {
  ...EXAMPLE,
  fixes: {
    written: true,
    fixed: [{ ...(findings[9] as Finding), rule: 'constraint-builds-index' }],
    notFixed: [
      { finding: findings[0] as Finding, reason: 'it needs your decision' },
      { finding: findings[4] as Finding, reason: 'it needs your decision' },
    ],
    files: [
      { file: 'alembic/versions/7a8b9c0d1e2e_index_accounts_by_email_1.py', revision: '7a8b9c0d1e2e', diff: SERIES, isNew: true },
      {
        file: 'alembic/versions/7a8b9c0d1e2f_index_accounts_by_email.py',
        revision: '7a8b9c0d1e2f',
        diff: LAST_OF_SERIES,
        isNew: false,
      },
    ],
  },
};

/** As large as reviews of old projects get: 500 revisions in a line with side branches, 1,000 findings. */
export function large(): Review {
  const id = (index: number): string => (0xabc000000000 + index).toString(16);
  const many = Array.from({ length: 500 }, (_, index): ReviewedRevision => {
    const like = revisions[index % revisions.length] as ReviewedRevision;
    const side = index % 25 === 10;
    const merge = index % 25 === 12;
    const downs = index === 0 ? [] : merge ? [index - 2, index - 1] : index % 25 === 11 ? [index - 2] : [index - 1];
    const message = side ? `A branch: ${like.message}` : like.message;
    return { ...like, revision: id(index), message, downRevisions: downs.map(id), file: `alembic/versions/${id(index)}.py` };
  });
  const found = Array.from({ length: 1_000 }, (_, index): Finding => {
    const { revision, file } = many[Math.floor(index / 2)] as ReviewedRevision;
    return { ...(findings[index % 9] as Finding), revision, file, line: 20 + (index % 2), acknowledged: undefined };
  });
  return {
    ...EXAMPLE,
    graph: { revisions: many.map((one) => ({ ...one, dependsOn: [], branchLabels: [] })), heads: [id(499)] },
    revisions: many,
    findings: found.toSorted((a, b) => (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1)),
    summary: { ...EXAMPLE.summary, revisions: 500, replayed: 455, errors: 556, warnings: 444, acknowledged: 0 },
  };
}
