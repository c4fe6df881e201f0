"""Two tenants with a database of their own each, which the settings reach by a secret."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from cdk_alembic.connection import address as addresses
from conftest import Backend, Database, fresh_database
from secret_databases import secret
from tenancy import set_tenant_settings, write_env

OWN = "    context.configure(connection=connection, target_metadata=target_metadata)\n"
READ_URL = 'import os\nfrom app_config import url\nconfig.set_main_option("sqlalchemy.url", url.replace("%", "%%"))\n'


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, Database]]:
    """Two databases of tenants."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(fresh_database()) for name in ("acme", "globex")}


@pytest.fixture
def by_secret(
    package: Backend, database: Database, own: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Lets a backend read its address from the environment, where the runner puts it. Gives the secrets that were fetched."""

    def prepare(scheme: str, template: str, configure: str = OWN, **settings: Any) -> list[str]:
        secrets = {"main": secret(database), **{f"arn:{name}": secret(of_tenant) for name, of_tenant in own.items()}}
        fetched: list[str] = []
        monkeypatch.setattr(addresses, "_fetch", lambda arn: fetched.append(arn) or secrets[arn])
        variables = {"url": "DATABASE_URL", "urlScheme": scheme}
        stage = {"source": "secret", "secretArn": "main", "variables": variables}
        set_tenant_settings(monkeypatch, **{"database": stage, **settings})
        monkeypatch.setenv("DATABASE_URL", "")
        package.initialise("driver://", template)
        write_env(package, configure, template)
        # As backends do: the address is read once, when a module is imported.
        # Python remembers what "." was in an earlier test.
        sys.path_importer_cache.pop(".", None)
        (package.directory / "app_config.py").write_text('import os\nurl = os.environ["DATABASE_URL"]\n')
        env = (package.directory / "alembic" / "env.py").read_text()
        package.write_env(env.replace("target_metadata = None\n", READ_URL + "target_metadata = None\n"))
        return fetched

    for of_tenant in own.values():
        with of_tenant.connect() as connection:
            connection.execute("DROP SCHEMA IF EXISTS cdk_alembic, app CASCADE")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    return prepare


def tenants(**secrets: Any) -> dict[str, Any]:
    return {"tenants": [{"name": name, **more} for name, more in secrets.items()]}
