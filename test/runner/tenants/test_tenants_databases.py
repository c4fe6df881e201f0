"""Tenants with a database of their own, by a secret of their own, and the list of tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cdk_alembic.connection import address as addresses
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.tenants import list as tenant_list
from conftest import Backend, Database, failure, invoke
from each_driver import DRIVERS
from secret_databases import secret
from tenancy import VERSION_TABLE_SCHEMA, codes, create_schemas, outcomes, set_tenant_settings, versions
from tenant_databases import tenants


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_each_tenant_is_migrated_in_the_database_of_its_secret(
    package: Backend, database: Database, own: dict[str, Database], by_secret: Any, template: str, scheme: str
) -> None:
    fetched = by_secret(scheme, template)
    package.table_revision("r1")
    request = tenants(acme={"secretArn": "arn:acme"}, globex={"secretArn": "arn:globex"})
    assert [o["applied"] for o in invoke(request)["outcomes"]] == [["r1"], ["r1"]]
    assert [versions(of_tenant, "public") for of_tenant in own.values()] == [["r1"], ["r1"]]
    assert database.tables() == []
    fetched.clear()
    again = invoke(request)
    assert [(o["from"], o["applied"]) for o in again["outcomes"]] == [(["r1"], [])] * 2
    assert fetched == ["arn:acme", "arn:globex"]
    package.table_revision("r2", "r1")
    assert [o["pending"] for o in invoke({**request, "command": "plan"})["outcomes"]] == [1, 1]


def test_tenants_with_schemas_and_tenants_with_databases_are_migrated_in_one_request(
    package: Backend, database: Database, own: dict[str, Database], by_secret: Any
) -> None:
    by_secret("postgresql+psycopg", "generic", VERSION_TABLE_SCHEMA)
    create_schemas(database, ["small"])
    create_schemas(own["acme"], ["app"])
    package.table_revision("r1")
    request = tenants(acme={"secretArn": "arn:acme", "schema": "app"}, small={}, lost={"secretArn": "arn:nowhere"})
    answer = invoke({"tenants": [*request["tenants"], {"name": "globex", "secretArn": "arn:globex", "schema": "missing"}]})
    assert codes(answer)["globex"] == "database_refused"
    assert [o["status"] for o in answer["outcomes"]] == ["complete", "complete", "failed", "failed"]
    assert versions(own["acme"], "app") == versions(database, "small") == ["r1"]
    assert own["acme"].rows("SELECT version_table FROM cdk_alembic.run") == [("app.alembic_version",)]


def test_a_secret_without_a_database_name_does_not_get_that_of_the_stage(
    package: Backend, own: dict[str, Database], by_secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_secret("postgresql+psycopg", "generic")
    monkeypatch.setattr(addresses, "_fetch", lambda arn: secret(own["acme"], dbname=""))
    package.table_revision("r1")
    assert codes(invoke(tenants(acme={"secretArn": "arn:acme"}))) == {"acme": "secret_unavailable"}


def test_an_env_py_that_connects_to_another_database_is_refused(
    package: Backend, database: Database, own: dict[str, Database], by_secret: Any
) -> None:
    by_secret("postgresql+psycopg", "generic")
    (package.directory / "app_config.py").write_text(f'url = "{database.url("postgresql+psycopg")}"\n')
    package.table_revision("r1")
    answer = invoke(tenants(acme={"secretArn": "arn:acme"}, globex={"secretArn": "arn:globex"}))
    assert codes(answer) == {"acme": "invalid_project", "globex": "invalid_project"}
    assert database.name in outcomes(answer)["acme"]["error"]["message"]
    assert database.tables() == []


def test_a_database_that_does_not_answer_does_not_delay_the_others(
    package: Backend, own: dict[str, Database], by_secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_secret("postgresql+psycopg", "generic", limits={"connectRetrySeconds": 1})
    fetch = addresses._fetch
    monkeypatch.setattr(addresses, "_fetch", lambda arn: secret(own["acme"], port=1) if arn == "arn:gone" else fetch(arn))
    package.table_revision("r1")
    answer = invoke(tenants(gone={"secretArn": "arn:gone"}, acme={"secretArn": "arn:acme"}))
    assert codes(answer) == {"gone": "database_unreachable"}
    assert versions(own["acme"], "public") == ["r1"]


def test_unreadable_secrets_are_not_fetched_beyond_the_time_of_the_request(
    package: Backend, by_secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_secret("postgresql+psycopg", "generic")
    package.table_revision("r1")
    asked = []

    def refuse(arn: str) -> str:
        asked.append(arn)
        raise RunnerError("secret_unavailable", f"the secret {arn} can't be read", "look")

    monkeypatch.setattr(addresses, "_fetch", refuse)
    answer = invoke({**tenants(acme={"secretArn": "arn:acme"}, globex={"secretArn": "arn:globex"}), "sliceSeconds": 0})
    assert (codes(answer), asked) == ({"acme": "secret_unavailable"}, ["arn:acme"])
    assert answer["left"] == [{"name": "globex", "secretArn": "arn:globex"}]


def test_a_tenant_with_a_secret_requires_settings_that_name_variables(
    package: Backend, by_secret: Any, database: Database
) -> None:
    by_secret("postgresql+psycopg", "generic", database={"source": "environment"})
    package.table_revision("r1")
    assert codes(invoke(tenants(acme={"secretArn": "arn:acme"}))) == {"acme": "invalid_settings"}


class TestTheList:
    @pytest.fixture
    def listed(self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Sets the query, in a database with a table of tenants."""
        with database.connect() as connection:
            connection.execute("CREATE TABLE tenants (name text, schema text, secret_arn text, active bool DEFAULT true)")

        def set_query(query: str = "SELECT name, schema, secret_arn FROM tenants", scheme: str = "postgresql") -> None:
            set_tenant_settings(monkeypatch, tenants={"query": query})
            monkeypatch.setenv("DATABASE_URL", database.url(scheme))

        set_query()
        return set_query

    def insert(self, database: Database, *rows: tuple[Any, ...]) -> None:
        with database.connect() as connection:
            connection.cursor().executemany("INSERT INTO tenants VALUES (%s, %s, %s)", [(*row, None, None)[:3] for row in rows])

    @pytest.mark.parametrize("scheme", ["postgresql", *dict.fromkeys(scheme for _, scheme in DRIVERS)])
    def test_tenants_are_listed_in_byte_order(self, database: Database, listed: Any, scheme: str) -> None:
        listed("SELECT name, schema, secret_arn FROM tenants WHERE active AND name NOT LIKE '%old%';\n", scheme)
        self.insert(database, ("b",), ("a", "s1"), ("B", None, "arn:b"), ("_", "s2", "arn:b"))
        answer = invoke({"command": "tenants"})
        assert answer["tenants"] == [
            {"name": "B", "secretArn": "arn:b"},
            {"name": "_", "schema": "s2", "secretArn": "arn:b"},
            {"name": "a", "schema": "s1"},
            {"name": "b"},
        ]
        assert (answer["more"], answer["command"]) == (False, "tenants")

    def test_tenants_are_listed_in_pages(self, database: Database, listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tenant_list, "TENANTS_PAGE", 2)
        listed("SELECT name FROM tenants -- all of them")
        self.insert(database, *((name,) for name in "edcba"))
        names, after = [], None
        while True:
            page = invoke({"command": "tenants", **({"after": after} if after else {})})
            names.append([tenant["name"] for tenant in page["tenants"]])
            if not page["more"]:
                break
            after = names[-1][-1]
        assert names == [["a", "b"], ["c", "d"], ["e"]]

    def test_invalid_rows_are_reported(self, database: Database, listed: Any) -> None:
        self.insert(database, ("a b",), ("a",), ("a",), (None, "s"), ("c", "x'y"), ("d", None, ""))
        error = failure({"command": "tenants"})["error"]
        assert error["code"] == "invalid_settings"
        for what in ('"a b"', '"a" twice', "name is missing", "x'y", "secretArn"):
            assert what in error["message"]

    def test_an_unknown_column_is_reported(self, database: Database, listed: Any) -> None:
        listed("SELECT name, secret_arn AS secretarn FROM tenants")
        self.insert(database, ("a", None, "arn:a"))
        assert "secretarn" in failure({"command": "tenants"})["error"]["message"]

    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM tenants RETURNING name",
            "WITH gone AS (DELETE FROM tenants RETURNING name) SELECT name FROM gone",
            "SELECT empty_it() AS name",
            "SELECT name FROM tenants) AS x) SELECT 1; COMMIT; DELETE FROM tenants; --",
            "SELECT set_config('transaction_read_only', 'off', false) || empty_it() AS name",
        ],
    )
    def test_the_query_cannot_write(self, database: Database, listed: Any, query: str) -> None:
        with database.connect() as connection:
            connection.execute(
                "CREATE FUNCTION empty_it() RETURNS text LANGUAGE sql AS $$ DELETE FROM public.tenants RETURNING name $$"
            )
        listed(query)
        self.insert(database, ("a",))
        assert failure({"command": "tenants"})["error"]["code"] == "invalid_settings"
        assert database.rows("SELECT name FROM tenants") == [("a",)]

    @pytest.mark.parametrize("after", ["'", "a' OR true --", ""])
    def test_a_page_starts_only_after_a_valid_name(self, listed: Any, after: str) -> None:
        assert failure({"command": "tenants", "after": after})["error"]["code"] == "invalid_request"

    def test_a_missing_query_is_reported(self, package: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        set_tenant_settings(monkeypatch)
        assert failure({"command": "tenants"})["error"]["code"] == "invalid_settings"

    def test_a_database_that_does_not_answer_is_unreachable(self, database: Database, listed: Any) -> None:
        database.port = "1"
        listed()
        assert failure({"command": "tenants"})["error"]["code"] == "database_unreachable"
