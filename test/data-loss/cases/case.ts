import type { DataLossRule } from '../../../lib/contract';

/** A revision as people would write it. */
export interface Case {
  readonly title: string;
  /** The body of `upgrade`; absent: `head` defines it. */
  readonly up?: string;
  /** Code before `upgrade`, after the imports. */
  readonly head?: string;
  /** The body of `downgrade`. */
  readonly down?: string;
  /** Other files of the backend; the revision is alembic/versions/NAME.py. */
  readonly files?: Readonly<Record<string, string>>;
  /** The rules that must be found, and no others. @default - none */
  readonly rules?: readonly DataLossRule[];
}

/** A table of SQLAlchemy, in the body of `upgrade`. */
export const USERS = 'users = sa.table("users", sa.column("id"), sa.column("email"), sa.column("active"))\n';

/** A model in the revision itself. */
export const MODEL = `from sqlalchemy.orm import Session, declarative_base, sessionmaker

class User(declarative_base()):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)
    email = sa.Column(sa.Text)`;

/** Models of the backend with declared columns and a schema. */
export const MODELS = {
  'app/__init__.py': '',
  'app/db/__init__.py': '',
  'app/db/base.py': 'from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n',
  'app/db/models.py':
    'from sqlalchemy.orm import Mapped, mapped_column\nfrom .base import Base\n\nclass Order(Base):\n    __tablename__ = "orders"\n    __table_args__ = {"schema": "shop"}\n    id: Mapped[int] = mapped_column(primary_key=True)\n    note: Mapped[str | None] = mapped_column()\n',
};

/** A model of the backend in the old style. */
export const INVOICES = {
  'app/__init__.py': '',
  'app/models.py':
    'import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\nBase = declarative_base()\n\nclass Invoice(Base):\n    __tablename__ = "invoices"\n    id = sa.Column(sa.Integer, primary_key=True)\n    memo = sa.Column(sa.Text)\n',
};

export const SQL_FILE = 'from pathlib import Path\nHERE = Path(__file__).parent\n';

/** The revision before the case, with the body of its `upgrade`. */
export const follows = (up: string): Pick<Case, 'files'> => ({
  files: { 'alembic/versions/before.py': revisionFile({ title: '', up }).replace('"aa"', '"a0"') },
});

/** The rules that one case must find: at least one. */
export type Rules = readonly [DataLossRule, ...DataLossRule[]];

type More = Pick<Case, 'head' | 'files' | 'down'>;

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

/** The same; the title is the SQL. */
export const keepsSql = (sql: string): Case => keeps(sql, `op.execute("""${sql}""")`);

export function revisionFile({ up, head = '', down = 'op.drop_table("users")' }: Case): string {
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
down_revision = "a0"

${head}

${body}

def downgrade() -> None:
    ${down}
`;
}
