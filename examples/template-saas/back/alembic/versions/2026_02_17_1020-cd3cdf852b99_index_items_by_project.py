"""Index items by project

Built concurrently, so that items can be written meanwhile.

Revision ID: cd3cdf852b99
Revises: 9e26734e869f
Create Date: 2026-02-17 10:20:14.883507

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "cd3cdf852b99"
down_revision: str | Sequence[str] | None = "9e26734e869f"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        # a build that failed leaves an invalid index under this name, which if_not_exists would take for a good one
        op.drop_index(op.f("ix_items_project_id"), "items", if_exists=True, postgresql_concurrently=True)
        op.create_index(op.f("ix_items_project_id"), "items", ["project_id"], postgresql_concurrently=True)


def downgrade() -> None:
    """Downgrade schema."""
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_items_project_id"), "items", if_exists=True, postgresql_concurrently=True)
