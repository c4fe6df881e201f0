import type { DataLossRule } from '../../../lib/contract';

/** A revision as people would write it. */
export interface Case {
  readonly title: string;
  /** The body of `upgrade`; absent: `head` defines it. */
  readonly up?: string;
  /** Code before `upgrade`, after the imports. */
  readonly head?: string;
  /** Other files of the backend; the revision is alembic/versions/NAME.py. */
  readonly files?: Readonly<Record<string, string>>;
  /** The rules that must be found, and no others. @default - none */
  readonly rules?: readonly DataLossRule[];
}

/** The rules that one case must find: at least one. */
export type Rules = readonly [DataLossRule, ...DataLossRule[]];

type More = Pick<Case, 'head' | 'files'>;

const rulesOf = (rule: DataLossRule | Rules): Rules => (typeof rule === 'string' ? [rule] : rule);

/** A revision that loses data. */
export const destroys = (title: string, rule: DataLossRule | Rules, up: string, more: More = {}): Case => ({
  title,
  up,
  rules: rulesOf(rule),
  ...more,
});

/** A revision that loses data, whose `upgrade` is not a plain function: `head` defines it. */
export const defines = (title: string, rule: DataLossRule | Rules, head: string, files: Case['files'] = {}): Case => ({
  title,
  head,
  files,
  rules: rulesOf(rule),
});

/** A revision that loses nothing. */
export const keeps = (title: string, up: string, more: More = {}): Case => ({ title, up, ...more });

export function revisionFile({ up, head = '' }: Case): string {
  const body =
    up === undefined
      ? ''
      : `def upgrade() -> None:\n${up
          .split('\n')
          .map((line) => (line ? `    ${line}` : ''))
          .join('\n')}\n`;
  return `"""DROP TABLE users, TRUNCATE users"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "aa"
down_revision = None

${head}

${body}

def downgrade() -> None:
    op.drop_table("users")
`;
}
