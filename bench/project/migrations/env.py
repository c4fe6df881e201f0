import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine

TIMEOUT = {"options": "-c lock_timeout=2s"}
# pytest-alembic hands over its engine here.
engine = context.config.attributes.get("connection") or create_engine(os.environ["DATABASE_URL"], connect_args=TIMEOUT)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
