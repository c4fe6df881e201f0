"""Customers"""

import sqlalchemy as sa
from alembic import op
from shared import TABLE

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(TABLE, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, nullable=False))


def downgrade():
    op.drop_table(TABLE)
