"""What counts as a loss of data, read from real revision files; and what the guard does about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cdk_alembic.project import guard
from cdk_alembic.protocol import rules
from conftest import Backend, Database, failure, invoke, set_settings

LOSSES = {
    "drop-table": [
        'op.drop_table("users")',
        'op.drop_table(table_name="users", schema="s")',
        'op.execute("DROP TABLE users")',
        'op.execute("drop table if exists users cascade")',
        'op.execute(sa.text("DROP TABLE users"))',
        'op.execute(f"DROP TABLE {name}")',
        'op.execute("DROP TABLE " + name)',
        'op.execute("DROP TABLE %s" % name)',
        'op.execute("DROP TABLE {}".format(name))',
        'op.get_bind().exec_driver_sql("DROP FOREIGN TABLE users")',
        'op.execute("""\nCREATE TABLE x (id int);\n-- gone\nDROP /* now */ TABLE users;\n""")',
        "op.execute(SQL)",
        "op.execute(OTHER)",
        "helper()",
        'for name in ("a", "b"):\n    if name:\n        op.drop_table(name)',
        "sa.MetaData().drop_all(op.get_bind())",
        'op.execute(sa.schema.DropTable(sa.table("users")))',
        "op.execute(\"DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$\")",
    ],
    "drop-column": [
        'op.drop_column("users", "email")',
        'with op.batch_alter_table("users") as batch_op:\n    batch_op.drop_column("email")',
        'op.execute("ALTER TABLE users DROP COLUMN email")',
        'op.execute("ALTER TABLE users DROP email")',
        'op.execute("ALTER TABLE users ADD a int, DROP COLUMN IF EXISTS b")',
        'op.execute("ALTER TABLE users\\n  DROP\\n  COLUMN email")',
        'op.execute(f"ALTER TABLE {name} DROP COLUMN {name}")',
        'op.execute("ALTER TABLE " + name + " DROP COLUMN email")',
    ],
    "drop-schema": ['op.execute("DROP SCHEMA old CASCADE")', 'op.execute(sa.schema.DropSchema("old"))'],
    "drop-type": [
        'op.execute("DROP TYPE mood")',
        'op.execute("DROP DOMAIN IF EXISTS positive")',
        'sa.Enum(name="mood").drop(op.get_bind(), checkfirst=False)',
    ],
    "truncate": [
        'op.execute("TRUNCATE users")',
        'op.execute("TRUNCATE TABLE ONLY users, teams")',
        'op.execute(f"truncate {name}")',
    ],
    "delete-all": [
        'op.execute("DELETE FROM users")',
        'op.execute("DELETE FROM users; UPDATE teams SET size = 0 WHERE size > 0")',
        'op.execute("DELETE FROM users -- WHERE id = 1")',
        'op.execute(sa.delete(sa.table("users")))',
        'op.execute(sa.table("users").delete())',
    ],
}
HARMLESS = [
    'op.create_table("users", sa.Column("id", sa.Integer))',
    '"""DROP TABLE users"""',
    "# op.drop_table('users'), DROP TABLE users\npass",
    'op.execute("-- DROP TABLE users\\nSELECT 1")',
    'op.execute("/* TRUNCATE users */ SELECT 1")',
    'op.execute("DELETE FROM users WHERE id = 1")',
    'op.execute(f"DELETE FROM {name}\\n WHERE id = {name}")',
    'op.execute(sa.delete(sa.table("users")).where(sa.text("id = 1")))',
    'op.execute(sa.table("users").delete().returning(sa.text("id")).where(sa.text("id = 1")))',
    "session.query(name).filter(name == 1).delete()",
    "session.delete(name)",
    'op.execute("ALTER TABLE users DROP CONSTRAINT uq")',
    'op.execute("ALTER TABLE users ALTER COLUMN a DROP NOT NULL, ALTER COLUMN b DROP DEFAULT")',
    'op.execute("ALTER TABLE users ALTER COLUMN a DROP IDENTITY IF EXISTS")',
    'op.drop_index("ix")\nop.drop_constraint("uq", "users")',
    'op.execute("DROP INDEX ix; DROP VIEW v; DROP FUNCTION f")',
    'op.execute("CREATE TRIGGER t BEFORE TRUNCATE ON users EXECUTE FUNCTION f()")',
    'op.execute("GRANT SELECT, TRUNCATE ON users TO app")',
    "op.execute(\"SELECT date_trunc('day', now())\")",
    'op.execute("CREATE TABLE truncated (deleted_from text, drop_table_at date)")',
]
MODULE = '''
name = "users"
SQL = """
DROP TABLE users
"""
OTHER: str = "SELECT 1; " + SQL
ONLY_DOWN = "DROP TABLE users"


def helper() -> None:
    """Not a DROP TABLE."""
    inner()


def inner() -> None:
    op.drop_table("users")


def only_down() -> None:
    op.drop_table("users")
    op.execute(ONLY_DOWN)
'''


def losses(package: Backend, upgrade: str, comment: str = "", downgrade: str = "only_down()") -> list[dict[str, object]]:
    package.revision("aa", None, upgrade, downgrade, message="DROP TABLE users, TRUNCATE users")
    path = package.versions / "aa.py"
    path.write_text(path.read_text() + MODULE + comment)
    compile(path.read_text(), path, "exec")

    class Script:
        revision = "aa"

    Script.path = str(path)
    return guard.data_losses([Script])


def test_the_patterns_find_rules_of_the_contract() -> None:
    assert set(LOSSES) <= set(rules.DATA_LOSS_RULES)


@pytest.mark.parametrize(("rule", "upgrade"), [(rule, upgrade) for rule, upgrades in LOSSES.items() for upgrade in upgrades])
def test_a_loss_is_found(package: Backend, rule: str, upgrade: str) -> None:
    found = losses(package, upgrade)
    assert [loss["rule"] for loss in found] == [rule]
    assert "acknowledgement" not in found[0]
    assert found[0]["what"]


@pytest.mark.parametrize("upgrade", HARMLESS)
def test_statements_that_destroy_nothing_are_not_a_loss(package: Backend, upgrade: str) -> None:
    assert losses(package, upgrade) == []


def test_a_downgrade_and_what_only_it_uses_are_ignored(package: Backend) -> None:
    assert losses(package, "pass", downgrade='op.drop_table("x")\nonly_down()\nop.execute("TRUNCATE x")') == []


def test_a_loss_has_its_file_and_line(package: Backend) -> None:
    [loss] = losses(package, 'op.execute("""\n        SELECT 1;\n        /* a\n        b */\n        DROP TABLE users\n    """)')
    source = (package.versions / "aa.py").read_text().splitlines()
    assert loss["file"] == "aa.py"
    assert "DROP TABLE users" in source[loss["line"] - 1]
    assert loss["what"] == "DROP TABLE users"


@pytest.mark.parametrize("rule", LOSSES)
def test_an_acknowledgement_with_a_reason_is_accepted(package: Backend, rule: str) -> None:
    [loss] = losses(package, LOSSES[rule][0], f"\n# cdk-alembic: allow {rule}: moved to accounts, see #12\n")
    assert loss["acknowledgement"] == "moved to accounts, see #12"


def test_each_loss_has_the_reason_of_the_comment_above_it(package: Backend) -> None:
    drops = [f'# cdk-alembic: allow drop-table: {name} is gone\n    op.drop_table("{name}")' for name in ("users", "teams")]
    found = losses(package, "\n    ".join(drops))
    assert [loss["acknowledgement"] for loss in found] == ["users is gone", "teams is gone"]


@pytest.mark.parametrize(
    "comment",
    [
        "# cdk-alembic: allow drop-table",
        "# cdk-alembic: allow drop-table:",
        "# cdk-alembic: allow drop-table:   ",
        "# cdk-alembic: allow truncate: another rule",
        '"""\n# cdk-alembic: allow drop-table: no comment\n"""',
        "x = '# cdk-alembic: allow drop-table: no comment'",
    ],
)
def test_other_comments_are_not_an_acknowledgement(package: Backend, comment: str) -> None:
    [loss] = losses(package, 'op.drop_table("users")', f"\n{comment}\n")
    assert "acknowledgement" not in loss


class TestPendingLoss:
    """A database at aa; bb is harmless, cc destroys."""

    @pytest.fixture(autouse=True)
    def chain(self, backend: Backend) -> None:
        backend.table_revision("aa")
        invoke()
        backend.table_revision("bb", "aa")
        backend.revision("cc", "bb", 'op.drop_table("aa")\nop.execute("TRUNCATE bb")')

    def test_a_loss_stops_the_run_before_anything_is_applied(self, database: Database) -> None:
        answer = failure()
        error = answer["error"]
        assert (error["code"], error["revision"], answer["applied"]) == ("blocked", "cc", [])
        assert "drop_table aa in revision cc (cc.py:15)" in error["message"]
        assert "`# cdk-alembic: allow drop-table: <reason>` and `# cdk-alembic: allow truncate: <reason>`" in error["next"]
        assert [loss["rule"] for loss in error["dataLoss"]] == ["drop-table", "truncate"]
        assert database.versions() == ["aa"]
        assert database.tables() == ["aa", "alembic_version"]

    def test_a_loss_stops_a_slice_but_not_a_run_to_an_earlier_revision(self, database: Database) -> None:
        assert failure({"sliceSeconds": 0})["error"]["code"] == "blocked"
        assert invoke({"revision": "bb"})["to"] == ["bb"]

    def test_plan_shows_a_loss_and_changes_nothing(self, database: Database) -> None:
        answer = invoke({"command": "plan"})
        assert answer["status"] == "pending"
        assert [(loss["revision"], loss["rule"], loss["line"]) for loss in answer["dataLoss"]] == [
            ("cc", "drop-table", 15),
            ("cc", "truncate", 16),
        ]
        assert database.versions() == ["aa"]

    def test_an_acknowledged_loss_is_applied(self, backend: Backend, database: Database) -> None:
        with (backend.versions / "cc.py").open("a") as file:
            file.write("# cdk-alembic: allow drop-table: gone\n# cdk-alembic: allow truncate: refilled nightly\n")
        assert {loss["acknowledgement"] for loss in invoke({"command": "plan"})["dataLoss"]} == {"gone", "refilled nightly"}
        assert invoke()["to"] == ["cc"]
        assert database.tables() == ["alembic_version", "bb"]

    def test_a_stage_may_turn_the_guard_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_settings(monkeypatch, guard=False)
        assert invoke()["to"] == ["cc"]


class TestNewDatabase:
    """It has nothing to lose, however many slices and attempts it takes."""

    @pytest.fixture(autouse=True)
    def chain(self, backend: Backend) -> None:
        backend.table_revision("aa")
        backend.revision("bb", "aa", 'op.drop_table("aa")')
        backend.table_revision("cc", "bb")

    def test_it_is_never_blocked(self) -> None:
        assert invoke()["to"] == ["cc"]

    def test_plan_reports_no_loss_between_two_slices(self) -> None:
        invoke({"sliceSeconds": 0})
        assert invoke({"command": "plan"})["dataLoss"] == []

    def test_it_is_not_blocked_between_two_slices(self) -> None:
        assert invoke({"sliceSeconds": 0})["status"] == "partial"
        assert invoke({"sliceSeconds": 0})["to"] == ["bb"]

    def test_it_is_not_blocked_after_a_failed_attempt(self, backend: Backend) -> None:
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        assert failure()["error"]["code"] == "migration_failed"
        backend.revision("bb", "aa", 'op.drop_table("aa")')
        assert invoke()["to"] == ["cc"]

    def test_it_is_blocked_after_the_first_complete_run(self) -> None:
        invoke({"revision": "aa"})
        assert failure()["error"]["code"] == "blocked"

    def test_it_is_blocked_when_others_have_migrated_it(self, backend: Backend, database: Database) -> None:
        assert invoke({"sliceSeconds": 0})["to"] == ["aa"]
        # By hand, with Alembic's own command.
        backend.table_revision("hand", "aa")
        backend.revision("bb", "hand", 'op.drop_table("aa")')
        with database.connect() as connection:
            connection.execute("CREATE TABLE hand (id int); UPDATE alembic_version SET version_num = 'hand'")
        assert failure()["error"]["code"] == "blocked"


class TestAdoptedDatabase:
    """It has no version table yet, and tables full of rows."""

    @pytest.fixture(autouse=True)
    def chain(self, backend: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("CREATE TABLE users AS SELECT id FROM generate_series(1, 1000) AS id")
        backend.table_revision("aa")
        backend.revision("bb", "aa", 'op.execute("TRUNCATE users")')

    def rows(self, database: Database) -> int:
        return database.rows("SELECT count(*) FROM users")[0][0]

    def test_its_rows_are_not_lost_without_an_acknowledgement(self, database: Database) -> None:
        assert failure()["error"]["code"] == "blocked"
        assert self.rows(database) == 1000

    def test_plan_tells_what_would_be_lost(self) -> None:
        assert [loss["rule"] for loss in invoke({"command": "plan"})["dataLoss"]] == ["truncate"]

    def test_they_are_not_lost_after_a_first_slice_or_a_failed_run(self, backend: Backend, database: Database) -> None:
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        assert failure()["error"]["code"] == "migration_failed"
        backend.revision("bb", "aa", 'op.execute("TRUNCATE users")')
        assert failure()["error"]["code"] == "blocked"
        assert self.rows(database) == 1000

    def test_an_acknowledged_loss_happens(self, backend: Backend, database: Database) -> None:
        with (backend.versions / "bb.py").open("a") as file:
            file.write("# cdk-alembic: allow truncate: refilled nightly\n")
        assert invoke()["to"] == ["bb"]
        assert self.rows(database) == 0


def test_tables_of_an_extension_do_not_count_as_tables_of_others(backend: Backend, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE members (id int); CREATE EXTENSION pg_trgm")
        connection.execute("ALTER EXTENSION pg_trgm ADD TABLE members")
    backend.table_revision("aa")
    backend.revision("bb", "aa", 'op.drop_table("aa")')
    assert invoke({"command": "plan"})["dataLoss"] == []
    assert invoke()["to"] == ["bb"]


class TestFoundWhenPackaged:
    """The manifest says what revisions destroy, and the patterns are not asked."""

    @pytest.fixture(autouse=True)
    def chain(self, backend: Backend) -> None:
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", 'op.execute(open("gone.sql").read())\nprint("DROP TABLE aa")')

    def destroys(self, backend: Backend, *losses: dict[str, object]) -> None:
        file = backend.root / rules.MANIFEST_FILE
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"destroys": {"alembic/versions/bb.py": losses}}))

    def test_a_loss_in_the_manifest_stops_the_run(self, backend: Backend, database: Database) -> None:
        self.destroys(backend, {"rule": "drop-table", "what": "DROP TABLE aa", "line": 14})
        [loss] = failure()["error"]["dataLoss"]
        expected = {"revision": "bb", "rule": "drop-table", "what": "DROP TABLE aa", "file": "bb.py", "line": 14}
        assert loss == expected
        assert database.tables() == ["aa", "alembic_version"]

    def test_a_statement_that_the_manifest_omits_is_not_a_loss(self, backend: Backend) -> None:
        self.destroys(backend)
        assert invoke({"command": "plan"})["dataLoss"] == []

    def test_rows_that_are_deleted_by_a_condition_stop_a_run(self, backend: Backend) -> None:
        self.destroys(backend, {"rule": "delete-by-query", "what": "DELETE of some rows of aa", "line": 14})
        assert invoke({"command": "plan"})["dataLoss"][0]["what"] == "DELETE of some rows of aa"
        assert failure()["error"]["code"] == "blocked"

    def test_plan_warns_about_sql_that_could_not_be_read(self, backend: Backend) -> None:
        self.destroys(backend, {"rule": "unread-sql", "what": "runs SQL that can't be read", "line": 14})
        answer = invoke({"command": "plan"})
        assert answer["dataLoss"] == []
        assert answer["warnings"] == ["revision bb (bb.py:14) runs SQL that can't be read"]

    def test_unreadable_sql_stops_a_strict_stage_until_it_is_acknowledged(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.destroys(backend, {"rule": "unread-sql", "what": "runs SQL that can't be read", "line": 14})
        set_settings(monkeypatch, guardUnread=True)
        assert failure()["error"]["code"] == "blocked"
        (backend.directory / "gone.sql").write_text("SELECT 1")
        with (backend.versions / "bb.py").open("a") as file:
            file.write("# cdk-alembic: allow unread-sql: it only selects\n")
        assert invoke({"command": "plan"})["warnings"] == []
        assert invoke()["to"] == ["bb"]


def test_without_a_manifest_unreadable_sql_is_a_warning(backend: Backend) -> None:
    backend.revision("aa", None, 'for statement in ("SELECT 1", "SELECT 2"):\n    op.execute(statement)')
    assert invoke({"command": "plan"})["warnings"] == ["revision aa (aa.py:16) runs SQL that can't be read"]


def test_every_loss_of_a_file_that_is_not_utf_8_is_found(package: Backend, tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes('# -*- coding: latin-1 -*-\ndef upgrade():\n    op.execute("DROP TABLE caf\xe9")\n'.encode("latin-1"))

    class Script:
        revision = "aa"

    Script.path = str(path)
    assert [loss["what"] for loss in guard.data_losses([Script])] == ["DROP TABLE café"]
