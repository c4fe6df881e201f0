export interface Revision {
  readonly id: string;
  readonly file: string;
  readonly table: string;
  readonly previous: string | undefined;
}

/** The revision of this number, named as Alembic and the sample's alembic.ini would name it. */
export function revisionNumber(number: number): Omit<Revision, 'previous'> {
  const id = `b${number.toString(16).padStart(11, '0')}`;
  const table = `made_${String(number).padStart(4, '0')}`;
  return { id, table, file: `2026_06_01_0900-${id}_add_${table}_table.py` };
}

/** A revision that adds a table and an index, as `alembic revision` writes it. */
export function revisionFile({ id, table, previous }: Revision): string {
  return `"""Add ${table} table

Revision ID: ${id}
Revises: ${previous ?? ''}
Create Date: 2026-06-01 09:00:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "${id}"
down_revision: str | Sequence[str] | None = ${previous ? `"${previous}"` : 'None'}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "${table}",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_${table}")),
    )
    op.create_index(op.f("ix_${table}_name"), "${table}", ["name"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("${table}")
`;
}
