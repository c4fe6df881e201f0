"""The first customer"""

from alembic import op
from shared import TABLE

revision = "b2"
down_revision = "a1"


def upgrade():
    op.execute(f"INSERT INTO {TABLE} (name) VALUES ('Ada')")


def downgrade():
    op.execute(f"DELETE FROM {TABLE} WHERE name = 'Ada'")
