"""Validate project foreign key of items

Revision ID: 9e26734e869f
Revises: d5a0303d2026
Create Date: 2026-02-17 09:48:55.209631

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "9e26734e869f"
down_revision: str | Sequence[str] | None = "d5a0303d2026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("ALTER TABLE items VALIDATE CONSTRAINT fk_items_project_id_projects")


def downgrade() -> None:
    """Downgrade schema."""
    # a validated constraint holds all that an unvalidated one does
