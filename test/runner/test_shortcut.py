"""The shortcut of a call that has nothing to do: it is taken where it can be, and never answers otherwise than the full way."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic import respond as full
from cdk_alembic.shortcut import fingerprint, shortcut
from conftest import DRIVERS, REVISION, Backend, Context, Database, forget, invoke, set_settings
from network import aws, closed_port, proxy

# Lambda starts a process of its own, which has imported nothing.
COLD = """
import json, sys
from cdk_alembic.handler import handler
class Context:
    aws_request_id = "cold"
    def get_remaining_time_in_millis(self):
        return 60_000
for event in json.loads(sys.argv[1]):
    answer = handler(event, Context())
    print(json.dumps([answer, [name for name in ("sqlalchemy", "alembic") if name in sys.modules]]))
"""


@pytest.fixture(autouse=True)
def without_pytests_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the phase of the test, so it changes with it."""
    monkeypatch.setattr(fingerprint, "_VOLATILE", (*fingerprint._VOLATILE, "PYTEST_CURRENT_TEST"))


READING = ({"command": "plan"}, {"command": "current"})
NOTHING_TO_DO = (None, {}, {"revision": "head", "sliceSeconds": 5, "requestedBy": "CI"}, *READING)


def cold(*events: Any) -> list[tuple[dict[str, Any], list[str]]]:
    """The answers of a fresh process, and what it had imported of SQLAlchemy and Alembic after each."""
    code = Path(__file__).parent.parent.parent / "lambda" / "migrate"
    environment = {**os.environ, "PYTHONPATH": str(code)}
    run = subprocess.run([sys.executable, "-c", COLD, json.dumps(events)], env=environment, capture_output=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith(b"[")]


def both(event: Any = None) -> tuple[dict[str, Any] | str, dict[str, Any]]:
    """What a fresh process has from the shortcut (or why it has nothing), and what the full way answers."""
    forget()
    quick = shortcut.attempt(event, Context(60))
    return quick, full.carry_out(event, Context(60), "")


def agreed(event: Any = None) -> bool:
    """Whether the shortcut was taken. If it was, its answer is the full way's."""
    quick, thorough = both(event)
    if isinstance(quick, dict):
        assert quick == thorough
    return isinstance(quick, dict)


def doubt(event: Any = None) -> str:
    """Why the shortcut is not taken."""
    forget()
    reason = shortcut.attempt(event, Context(60))
    assert isinstance(reason, str), "the shortcut was taken"
    return reason


@pytest.fixture
def ready(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """At head, with a note of the full run."""
    monkeypatch.setenv("DATABASE_URL", database.url("postgresql+psycopg"))
    package.initialise("driver://").read_url_from("DATABASE_URL").with_shortcut("psycopg")
    package.table_revision("aa")
    package.table_revision("bb", "aa")
    invoke()
    assert agreed()
    return package


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_cold_call_with_nothing_to_do_imports_neither_alembic_nor_sqlalchemy(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url(scheme))
    package.initialise("driver://", template).read_url_from("DATABASE_URL").with_shortcut(scheme.split("+")[1])
    package.table_revision("aa")
    assert [imported for _, imported in cold(None)] == [["sqlalchemy", "alembic"]]
    answers = cold(*NOTHING_TO_DO)
    assert [imported for _, imported in answers] == [[]] * len(NOTHING_TO_DO)
    for event, (answer, _) in zip(NOTHING_TO_DO, answers, strict=True):
        assert answer == full.carry_out(event, Context(60), "")


def test_parts_of_the_address_in_the_environment_are_as_good_as_a_url(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"HOST": database.host, "PORT": database.port, "USER": database.user, "PASSWORD": database.password}
    for name, value in {**parts, "DB": database.name}.items():
        monkeypatch.setenv(f"POSTGRES_{name}", value)
    package.initialise(database.url("postgresql+psycopg")).with_shortcut("psycopg")
    package.table_revision("aa")
    invoke()
    assert agreed()


def test_with_a_secret_the_shortcut_goes_on_after_the_password_was_rotated(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"url": "DATABASE_URL", "urlScheme": "postgresql+psycopg"}
    set_settings(monkeypatch, database={"source": "secret", "secretArn": "arn:db", "variables": variables})
    monkeypatch.setenv("DATABASE_URL", "")
    role = f"role_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'the-old-one'")
    password = ["the-old-one"]

    def secret(*_: Any) -> dict[str, str]:
        address = {"host": database.host, "port": int(database.port), "dbname": database.name}
        return {"SecretString": json.dumps({**address, "username": role, "password": password[0]})}

    try:
        with aws(monkeypatch, secret):
            package.initialise("driver://").read_url_from("DATABASE_URL").with_shortcut("psycopg")
            package.table_revision("aa")
            invoke()
            assert agreed()
            password[0] = "the-new-one"
            with database.connect() as connection:
                connection.execute(f"ALTER ROLE {role} PASSWORD 'the-new-one'")
            assert agreed()
            assert invoke()["status"] == "complete"
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


class TestFullWay:
    """Whatever could make the shortcut wrong."""

    def test_no_manifest(self, ready: Backend) -> None:
        (ready.root / "cdk_alembic" / "manifest.json").unlink()
        assert "no manifest" in doubt()

    def test_a_pending_revision(self, ready: Backend) -> None:
        ready.table_revision("cc", "bb")
        assert "sources" in doubt()
        assert both({"command": "plan"})[1]["pending"] != []
        invoke()
        assert agreed()

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM alembic_version",
            "UPDATE alembic_version SET version_num = 'aa'",
            "UPDATE alembic_version SET version_num = 'zz'",
            "INSERT INTO alembic_version VALUES ('aa')",
        ],
    )
    def test_a_version_table_that_says_something_else(self, ready: Backend, database: Database, change: str) -> None:
        with database.connect() as connection:
            connection.execute(change)
        assert "not at head" in doubt()

    @pytest.mark.parametrize("change", ["DROP TABLE alembic_version", "DROP TABLE cdk_alembic.note"])
    def test_a_table_that_is_gone(self, ready: Backend, database: Database, change: str) -> None:
        with database.connect() as connection:
            connection.execute(change)
        assert "did not tell" in doubt()

    def test_a_version_table_that_was_made_anew(self, ready: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("CREATE TABLE copy AS TABLE alembic_version; DROP TABLE alembic_version")
            connection.execute("ALTER TABLE copy RENAME TO alembic_version")
        assert "not at head" in doubt()

    def test_another_session_that_holds_the_mutex(self, ready: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute(f"SELECT pg_advisory_lock({fingerprint.key_of('alembic_version', None)})")
            assert "mutex" in doubt()

    def test_a_session_that_changes_the_version_table_is_not_waited_for(self, ready: Backend, database: Database) -> None:
        with database.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE alembic_version")
            assert "did not tell" in doubt()

    def test_a_server_that_does_not_answer(self, ready: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://u:p@127.0.0.1:1/d")
        assert "did not tell" in doubt()

    def test_the_same_database_by_another_address(
        self, ready: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closed_port("127.0.0.2", int(database.port)) as bound, proxy(bound):
            monkeypatch.setenv("DATABASE_URL", database.url("postgresql+psycopg").replace("127.0.0.1", "127.0.0.2"))
            assert "address" in doubt()

    def test_an_environment_that_is_not_the_same(self, ready: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TENANT", "other")
        assert "environment" in doubt()

    def test_settings_that_are_not_the_same(self, ready: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        set_settings(monkeypatch, protected=True)
        assert "environment" in doubt()
        invoke()
        assert agreed()

    def test_an_env_that_was_changed(self, ready: Backend) -> None:
        env = ready.directory / "alembic" / "env.py"
        env.write_text(env.read_text() + "\n# changed\n")
        assert "sources" in doubt()

    def test_a_module_that_env_imports_and_that_was_changed(self, ready: Backend) -> None:
        (ready.directory / "settings.py").write_text("NAME = 'a'\n")
        env = ready.directory / "alembic" / "env.py"
        env.write_text("import settings\n" + env.read_text())
        forget()
        invoke()
        assert agreed()
        (ready.directory / "unrelated").mkdir()
        (ready.directory / "unrelated" / "router.py").write_text("")
        assert doubt()  # a folder beside what env.py imports: it could be imported, too
        invoke()
        (ready.directory / "unrelated" / "router.py").write_text("CHANGED = True")
        (ready.directory / "unrelated" / "another.py").write_text("")
        assert agreed()
        (ready.directory / "settings.py").write_text("NAME = 'b'\n")
        assert "sources" in doubt()

    def test_another_version_of_a_dependency(self, ready: Backend) -> None:
        (ready.root / "site-packages" / "alembic-9.9.9.dist-info").mkdir()
        assert "sources" in doubt()

    def test_an_applied_revision_that_was_edited(self, ready: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("UPDATE cdk_alembic.run_revision SET checksum = 'another' WHERE revision = 'aa'")
        assert agreed()  # an upgrade does not look
        for event in READING:
            assert "edited" in doubt(event)
            assert both(event)[1]["edited"] == ["aa"]

    @pytest.mark.parametrize(
        "event",
        [
            {"command": "history"},
            {"command": "plan", "sql": True},
            {"command": "plan", "revision": "aa"},
            {"revision": "aa"},
            {"allow": ["drop_invalid_indexes"]},
            {"command": "drop"},
            {"sliceSeconds": -1},
            [],
            "upgrade",
        ],
    )
    def test_a_request_for_more_or_for_something_else(self, ready: Backend, event: Any) -> None:
        assert doubt(event)

    def test_little_time(self, ready: Backend) -> None:
        forget()
        assert "little time" in shortcut.attempt(None, Context(5))


class TestNoNote:
    """An env.py that does what the shortcut can't know leaves no note."""

    @pytest.fixture
    def backend(self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
        monkeypatch.setenv("DATABASE_URL", database.url("postgresql+psycopg"))
        package.initialise("driver://").read_url_from("DATABASE_URL").with_shortcut("psycopg")
        package.table_revision("aa")
        return package

    def refuses(self, database: Database, **more: Any) -> None:
        assert invoke()["status"] == "complete"
        assert "sqlalchemy" in sys.modules
        assert doubt()
        if database.rows("SELECT to_regclass('cdk_alembic.note')") != [(None,)]:
            assert database.rows("SELECT * FROM cdk_alembic.note") == []

    @pytest.mark.parametrize("options", ['version_table="versions"', 'version_table_schema="public"'])
    def test_a_version_table_of_its_own(self, backend: Backend, database: Database, options: str) -> None:
        backend.configure_with(options)
        self.refuses(database)

    @pytest.mark.parametrize(
        "options", ['connect_args={"options": "-c search_path=public"}', 'connect_args={"sslmode": "disable"}']
    )
    def test_connecting_with_more_than_an_address(self, backend: Backend, database: Database, options: str) -> None:
        env = (backend.directory / "alembic" / "env.py").read_text()
        backend.write_env(env.replace('prefix="sqlalchemy.",', f'prefix="sqlalchemy.", {options},'))
        self.refuses(database)

    @pytest.mark.parametrize(
        "code",
        [
            "import socket; socket.getaddrinfo('localhost', 80)",
            "import subprocess; subprocess.run(['true'])",
            "open(__import__('tempfile').mkstemp()[1]).read()",
        ],
    )
    def test_an_answer_from_outside_of_the_package(self, backend: Backend, database: Database, code: str) -> None:
        backend.write_env(f"{code}\n" + (backend.directory / "alembic" / "env.py").read_text())
        self.refuses(database)

    def test_schemas_that_are_translated(self, backend: Backend, database: Database) -> None:
        env = (backend.directory / "alembic" / "env.py").read_text()
        option = "connection = connection.execution_options(schema_translate_map={None: 'public'})\n"
        call = "        context.configure(\n            connection"
        assert call in env
        backend.write_env(env.replace(call, f"        {option}{call}"))
        self.refuses(database)

    def test_several_heads(self, backend: Backend, database: Database) -> None:
        backend.table_revision("bb")
        assert invoke({"revision": "heads"})["status"] == "complete"
        assert doubt({"command": "current"})

    def test_another_schema_in_the_way_of_the_shortcut(self, backend: Backend, database: Database) -> None:
        """The role's search_path finds the version table elsewhere than env.py, which sets its own."""
        env = (backend.directory / "alembic" / "env.py").read_text()
        line = "    with connectable.connect() as connection:\n"
        assert line in env
        setting = '        connection.exec_driver_sql("SET search_path = inner_schema"); connection.commit()\n'
        backend.write_env(env.replace(line, line + setting))
        with database.connect() as connection:
            connection.execute("CREATE SCHEMA inner_schema")
        invoke()
        with database.connect() as connection:
            connection.execute("CREATE TABLE public.alembic_version AS TABLE inner_schema.alembic_version")
        assert "not at head" in doubt()


SHAPES = ("linear", "branches", "merged", "depends", "labels")


@pytest.mark.parametrize("seed", range(int(os.environ.get("HISTORIES", "20"))))
def test_both_ways_agree_whatever_the_history_and_wherever_the_database_is(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    template, scheme = DRIVERS[seed % len(DRIVERS)]
    monkeypatch.setenv("DATABASE_URL", database.url(scheme))
    package.initialise("driver://", template).read_url_from("DATABASE_URL").with_shortcut(scheme.split("+")[1])
    revisions = write_history(package, chance, SHAPES[seed // len(DRIVERS) % len(SHAPES)])
    forget()
    upgraded = full.carry_out({"revision": "heads"}, Context(60), "")
    taken = 0
    for _ in range(12):
        change_database(database, chance, [*revisions, "unknown"], upgraded["to"])
        for event in (None, *READING):
            forget()
            quick = shortcut.attempt(event, Context(60))
            try:
                thorough: Any = full.carry_out(event, Context(60), "")
            except full.MigrationFailed as error:
                thorough = json.loads(str(error))
            if isinstance(quick, dict):
                assert quick == thorough
                taken += 1
    print(f"the shortcut was taken {taken} times of 36")
    if len(upgraded["to"]) == 1 and upgraded["heads"] == upgraded["to"]:
        put(database, upgraded["to"])
        full.carry_out(None, Context(60), "")
        assert agreed()


def write_history(package: Backend, chance: random.Random, shape: str) -> list[str]:
    """Revisions that do nothing but stand somewhere. Returns their ids."""
    heads: list[str] = []
    revisions: list[str] = []
    for number in range(chance.randint(3, 9)):
        revision = f"r{number}"
        down: Any = None
        depends: Any = None
        if heads:
            branch = shape != "linear" and chance.random() < 0.35
            down = chance.choice(revisions if branch else heads)
            if shape in ("merged", "labels") and len(heads) > 1 and chance.random() < 0.6:
                down = tuple(heads)
            if shape == "depends" and chance.random() < 0.4:
                depends = chance.choice(revisions)
        label = f"label{number}" if shape == "labels" and chance.random() < 0.3 else None
        write(package, revision, down, depends, label)
        gone = down if isinstance(down, tuple) else (down,)
        heads = [head for head in heads if head not in gone] + [revision]
        revisions.append(revision)
    # Alembic ends with a KeyError when it merges a head with one that depends on it.
    if shape != "depends" and len(heads) > 1 and chance.random() < 0.7:
        write(package, "last", tuple(heads), None, None)
        revisions.append("last")
    return revisions


def write(package: Backend, revision: str, down: Any, depends: Any, label: Any) -> None:
    text = REVISION.format(revision=revision, down=down, upgrade="    pass", downgrade="    pass", message=f"Add {revision}")
    text = text.replace("branch_labels = None", f"branch_labels = {label!r}").replace(
        "depends_on = None", f"depends_on = {depends!r}"
    )
    (package.versions / f"{revision}.py").write_text(text)


def change_database(database: Database, chance: random.Random, revisions: list[str], at_head: list[str]) -> None:
    what = chance.choice(["at head", "at head", "behind", "empty", "several", "elsewhere", "missing", "edited", "new table"])
    if what == "at head":
        put(database, at_head)
    elif what == "behind":
        put(database, [chance.choice(revisions)])
    elif what == "empty":
        put(database, [])
    elif what == "several":
        put(database, chance.sample(revisions, k=min(2, len(revisions))))
    with database.connect() as connection:
        if what == "elsewhere":
            connection.execute("DROP SCHEMA IF EXISTS elsewhere CASCADE; CREATE SCHEMA elsewhere")
            connection.execute("ALTER TABLE IF EXISTS alembic_version SET SCHEMA elsewhere")
        if what == "missing":
            connection.execute("DROP TABLE IF EXISTS alembic_version")
        if what == "edited":
            connection.execute("UPDATE cdk_alembic.run_revision SET checksum = 'edited' WHERE revision = 'r1'")
    if what == "new table":
        with database.connect() as connection:
            connection.execute("DROP TABLE IF EXISTS alembic_version")
        put(database, at_head)


def put(database: Database, revisions: list[str]) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("DELETE FROM alembic_version")
        for revision in revisions:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
