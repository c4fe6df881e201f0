"""Drop is_read from notifications

Nothing reads or writes it since the last release: read_at tells the same.

Revision ID: 41fbc575805b
Revises: e9b11d9228e7
Create Date: 2026-03-30 08:57:18.340229

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "41fbc575805b"
down_revision: str | Sequence[str] | None = "e9b11d9228e7"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    # cdk-alembic: allow drop-column: read_at tells the same since e9b11d9228e7 has filled it
    op.drop_column("notifications", "is_read")


def downgrade() -> None:
    """Downgrade schema."""
    op.add_column("notifications", sa.Column("is_read", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE notifications SET is_read = true WHERE read_at IS NOT NULL")
