"""Add full_name to users

Expand: name becomes full_name. The release that goes with it writes both.

Revision ID: a53e3975eb1d
Revises: 41fbc575805b
Create Date: 2026-04-20 10:44:07.871034

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "a53e3975eb1d"
down_revision: str | Sequence[str] | None = "41fbc575805b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("users", sa.Column("full_name", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("users", "full_name")
