"""Drop name from users

Contract: nothing reads or writes it since the last release.

Revision ID: 54f972feefa5
Revises: 1b4591675d23
Create Date: 2026-05-18 13:15:41.163092

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "54f972feefa5"
down_revision: str | Sequence[str] | None = "1b4591675d23"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    # cdk-alembic: allow drop-column: full_name holds every name since 4ec9ddb904ae has copied them
    op.drop_column("users", "name")


def downgrade() -> None:
    """Downgrade schema."""
    op.add_column("users", sa.Column("name", sa.String(length=200), nullable=True))
    op.execute("UPDATE users SET name = full_name")
