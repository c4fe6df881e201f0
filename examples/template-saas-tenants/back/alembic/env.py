from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from app.config import database_url
from app.models import Base

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)

target_metadata = Base.metadata

# `alembic -x tenant=t_acme upgrade head`. Without it the schema is public, as in the scratch database of `safe-alembic review`.
tenant = context.get_x_argument(as_dictionary=True).get("tenant", "public")


def run_migrations_offline() -> None:
    """Run migrations in 'offline' mode."""
    context.configure(
        url=database_url(),
        target_metadata=target_metadata,
        version_table_schema=tenant,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )

    with context.begin_transaction():
        context.run_migrations()


def do_run_migrations(connection: Connection) -> None:
    # Every name without a schema now means the tenant's, in op.create_table as well as in op.execute.
    connection.execute(text("SELECT set_config('search_path', quote_ident(:tenant), false)"), {"tenant": tenant})
    # An open transaction would keep Alembic from committing its own.
    connection.commit()
    # autogenerate compares the tenant's tables
    connection.dialect.default_schema_name = tenant
    context.configure(connection=connection, target_metadata=target_metadata, version_table_schema=tenant)

    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online() -> None:
    """Run migrations in 'online' mode."""
    with create_engine(database_url(), poolclass=pool.NullPool).connect() as connection:
        do_run_migrations(connection)


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
