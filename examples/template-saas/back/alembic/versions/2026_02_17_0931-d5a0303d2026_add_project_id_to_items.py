"""Add project_id to items

NOT VALID: new rows are checked from now on, and no lock is held while the existing ones are read.

Revision ID: d5a0303d2026
Revises: 8866e2b38392
Create Date: 2026-02-17 09:31:10.447156

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "d5a0303d2026"
down_revision: str | Sequence[str] | None = "8866e2b38392"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("items", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_items_project_id_projects"),
        "items",
        "projects",
        ["project_id"],
        ["id"],
        ondelete="SET NULL",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("items", "project_id")
