"""The control table, which lists the tenants. It is in `public`, and no tenant's migration uses it."""

from sqlalchemy import Connection, text

CONTROL_TABLE = """
CREATE TABLE IF NOT EXISTS public.tenants (
  name text PRIMARY KEY,
  schema text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
)
"""


def add_tenant(connection: Connection, name: str, schema: str) -> None:
    """Adds a tenant with an empty schema. The next run over the tenants fills it. To fill it now, run only this name:
    `npx migrate-invoke --stage prod --tenants <name>`."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
    connection.execute(text(f"CREATE SCHEMA {quoted}"))
    connection.execute(
        text("INSERT INTO public.tenants (name, schema) VALUES (:name, :schema)"), {"name": name, "schema": schema}
    )
