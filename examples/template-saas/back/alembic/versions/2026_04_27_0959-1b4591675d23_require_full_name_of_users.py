"""Require full_name of users

With the check validated, PostgreSQL sets NOT NULL without reading the table under its exclusive lock. name becomes
optional, so that the next release can stop writing it.

Revision ID: 1b4591675d23
Revises: dbe9f89a3a24
Create Date: 2026-04-27 09:59:03.724851

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "1b4591675d23"
down_revision: str | Sequence[str] | None = "dbe9f89a3a24"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_full_name_not_null")
    op.alter_column("users", "full_name", nullable=False)
    op.alter_column("users", "name", nullable=True)
    op.drop_constraint(op.f("ck_users_full_name_not_null"), "users", type_="check")


def downgrade() -> None:
    """Downgrade schema."""
    op.execute("UPDATE users SET name = full_name WHERE name IS NULL")
    op.create_check_constraint(
        op.f("ck_users_full_name_not_null"), "users", "full_name IS NOT NULL", postgresql_not_valid=True
    )
    op.alter_column("users", "name", nullable=False)
    op.alter_column("users", "full_name", nullable=True)
