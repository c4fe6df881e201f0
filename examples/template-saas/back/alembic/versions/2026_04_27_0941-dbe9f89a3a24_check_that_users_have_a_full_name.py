"""Check that users have a full_name

NOT VALID: new rows are checked from now on, and no lock is held while the existing ones are read.

Revision ID: dbe9f89a3a24
Revises: 4ec9ddb904ae
Create Date: 2026-04-27 09:41:29.538196

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "dbe9f89a3a24"
down_revision: str | Sequence[str] | None = "4ec9ddb904ae"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_check_constraint(
        op.f("ck_users_full_name_not_null"), "users", "full_name IS NOT NULL", postgresql_not_valid=True
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_constraint(op.f("ck_users_full_name_not_null"), "users", type_="check")
