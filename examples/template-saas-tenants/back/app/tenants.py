"""The control table: which tenants there are. It lies in `public`, and no migration of a tenant knows it."""

from sqlalchemy import Connection, text

CONTROL_TABLE = """
CREATE TABLE IF NOT EXISTS public.tenants (
  name text PRIMARY KEY,
  schema text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
)
"""


def add_tenant(connection: Connection, name: str, schema: str) -> None:
    """Lists a tenant and makes its schema, empty. The next run over the tenants fills it; one with only this name does it now:
    `npx migrate-invoke --stage prod --tenants <name>`."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
    connection.execute(text(f"CREATE SCHEMA {quoted}"))
    connection.execute(
        text("INSERT INTO public.tenants (name, schema) VALUES (:name, :schema)"), {"name": name, "schema": schema}
    )
