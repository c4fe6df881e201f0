"""Add due_at to items

Revision ID: c92e47d1f086
Revises: b83a9e0f7c15
Create Date: 2026-03-23 14:37:09.775310

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "c92e47d1f086"
down_revision: str | Sequence[str] | None = "b83a9e0f7c15"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("items", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("items", "due_at")
