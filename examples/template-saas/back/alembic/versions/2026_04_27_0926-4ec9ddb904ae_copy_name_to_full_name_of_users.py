"""Copy name to full_name of users

Revision ID: 4ec9ddb904ae
Revises: a53e3975eb1d
Create Date: 2026-04-27 09:26:52.096617

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "4ec9ddb904ae"
down_revision: str | Sequence[str] | None = "a53e3975eb1d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("UPDATE users SET full_name = name WHERE full_name IS NULL")


def downgrade() -> None:
    """Downgrade schema."""
    # name is as it was; full_name goes with its column
