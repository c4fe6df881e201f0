"""Add read_at to notifications

It takes the place of is_read. The release that goes with it writes both.

Revision ID: 62ba6c7d1d4d
Revises: cd3cdf852b99
Create Date: 2026-03-09 14:02:46.615380

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "62ba6c7d1d4d"
down_revision: str | Sequence[str] | None = "cd3cdf852b99"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("notifications", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("notifications", "read_at")
