"""Fill read_at of read notifications

When they were read was never kept, so the time they were created stands in. Each batch is committed, so that no row stays
locked for long; a run that is cut short goes on where it ended.

Revision ID: e9b11d9228e7
Revises: 62ba6c7d1d4d
Create Date: 2026-03-16 09:10:33.952748

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "e9b11d9228e7"
down_revision: str | Sequence[str] | None = "62ba6c7d1d4d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        op.execute(
            """
            DO $$
            BEGIN
                LOOP
                    UPDATE notifications SET read_at = created_at
                    WHERE id IN (SELECT id FROM notifications WHERE is_read AND read_at IS NULL LIMIT 10000);
                    EXIT WHEN NOT FOUND;
                    COMMIT;
                END LOOP;
            END
            $$
            """
        )


def downgrade() -> None:
    """Downgrade schema."""
    # is_read still tells what it did; read_at goes with its column
