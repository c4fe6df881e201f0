"""The sample with tenants, and what the page on its env.py shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from conftest import Backend, Database, invoke
from tenancy import SEARCH_PATH, batch, create_schemas, set_tenant_settings, versions, write_env

ROOT = Path(__file__).parent.parent.parent.parent
SAMPLE = ROOT / "examples" / "template-saas-tenants" / "back"
SHOWN = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tenants-env.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("shown", SHOWN, ids=["search_path", "schema_translate_map", "create schema"])
@pytest.mark.parametrize(("template", "scheme"), [("generic", "postgresql+psycopg"), ("async", "postgresql+asyncpg")])
def test_each_env_py_in_the_docs_migrates_tenants(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, shown: str, template: str, scheme: str
) -> None:
    set_tenant_settings(monkeypatch)
    write_env(package.initialise(database.url(scheme), template), SEARCH_PATH, template)
    env = (package.directory / "alembic" / "env.py").read_text()
    parts = re.fullmatch(r"(.*?)tenant = [^\n]*\n\n\ndef do_run.*?run_migrations\(\)\n(.*)", env, re.DOTALL)
    package.write_env(parts[1] + shown + parts[2])
    if "CREATE SCHEMA" not in shown:
        create_schemas(database, "ab")
    package.table_revision("r1")
    assert invoke(batch("a", "b"))["failed"] == 0
    assert versions(database, "a") == versions(database, "b") == ["r1"]
    assert database.rows("SELECT FROM a.r1") == database.tables() == []


def test_the_sample_takes_its_tenants_to_head_and_lists_them(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(package.directory)
    shutil.copytree(SAMPLE, package.directory, ignore=shutil.ignore_patterns(".venv", "__pycache__", "*_cache"))
    parts = {"HOST": database.host, "PORT": database.port, "USER": database.user, "PASSWORD": database.password}
    for name, value in {**parts, "DB": database.name}.items():
        monkeypatch.setenv(f"POSTGRES_{name}", str(value))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    set_tenant_settings(monkeypatch, tenants={"query": "SELECT name, schema FROM public.tenants"})
    control = (SAMPLE / "app" / "tenants.py").read_text()
    with database.connect() as connection:
        connection.execute(control.split('CONTROL_TABLE = """')[1].split('"""')[0])
        connection.execute("INSERT INTO public.tenants VALUES ('acme', 't_acme'), ('globex', 't_globex')")
    create_schemas(database, ["t_acme", "t_globex"])
    tenants = invoke({"command": "tenants"})["tenants"]
    assert tenants == [{"name": "acme", "schema": "t_acme"}, {"name": "globex", "schema": "t_globex"}]
    assert invoke({"tenants": tenants})["failed"] == 0
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = '{}' ORDER BY 1"
    for schema in ("t_acme", "t_globex"):
        assert versions(database, schema) == ["c92e47d1f086"]
        assert database.rows(tables.format(schema)) == [("alembic_version",), ("items",), ("users",)]
    assert database.tables() == ["tenants"]
    assert [o["pending"] for o in invoke({"tenants": tenants, "command": "plan"})["outcomes"]] == [0, 0]
