import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from conftest import execute

pytestmark = pytest.mark.usefixtures("database")


def before(config: Config, message: str) -> str:
    """The revision that precedes the one with this message."""
    for script in ScriptDirectory.from_config(config).walk_revisions():
        if script.doc == message:
            return str(script.down_revision)
    raise LookupError(message)


def test_the_migrations_build_what_the_models_say(alembic_config: Config) -> None:
    command.upgrade(alembic_config, "head")
    command.check(alembic_config)


def test_every_revision_can_be_undone_and_applied_again(alembic_config: Config) -> None:
    for script in reversed(list(ScriptDirectory.from_config(alembic_config).walk_revisions())):
        for step in ("+1", "-1", "+1"):
            (command.upgrade if step == "+1" else command.downgrade)(alembic_config, step)
        assert execute("SELECT version_num FROM alembic_version")[0][0] == script.revision

    command.downgrade(alembic_config, "base")
    assert execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("alembic_version",)]


def test_users_keep_their_name_when_its_column_is_renamed_and_back(alembic_config: Config) -> None:
    old = before(alembic_config, "Add full_name to users")
    command.upgrade(alembic_config, old)
    execute("INSERT INTO users (email, name) VALUES ('ada@example.com', 'Ada')")

    command.upgrade(alembic_config, "head")
    assert execute("SELECT full_name FROM users") == [("Ada",)]
    execute("INSERT INTO users (email, full_name) VALUES ('charles@example.com', 'Charles')")

    for down_to in (before(alembic_config, "Drop name from users"), old):
        command.downgrade(alembic_config, down_to)
        assert execute("SELECT name FROM users ORDER BY name") == [("Ada",), ("Charles",)]


def test_the_release_that_writes_only_full_name_can_be_taken_back(alembic_config: Config) -> None:
    command.upgrade(alembic_config, before(alembic_config, "Drop name from users"))
    execute("INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada')")

    command.downgrade(alembic_config, before(alembic_config, "Add full_name to users"))
    assert execute("SELECT name FROM users") == [("Ada",)]


def test_notifications_keep_whether_they_were_read(alembic_config: Config) -> None:
    old = before(alembic_config, "Add read_at to notifications")
    command.upgrade(alembic_config, old)
    execute("INSERT INTO users (email, name) VALUES ('ada@example.com', 'Ada')")
    # more than two batches of the data migration
    execute(
        "INSERT INTO notifications (user_id, body, is_read) SELECT id, n, n % 8 > 0 FROM users, generate_series(1, 25000) n"
    )

    command.upgrade(alembic_config, "head")
    assert execute("SELECT count(*) FROM notifications WHERE read_at = created_at") == [(21875,)]
    assert execute("SELECT count(*) FROM notifications WHERE read_at IS NULL") == [(3125,)]

    command.downgrade(alembic_config, old)
    assert execute("SELECT is_read, count(*) FROM notifications GROUP BY 1 ORDER BY 1") == [
        (False, 3125),
        (True, 21875),
    ]


def test_a_failed_index_build_is_made_good_by_the_next_run(alembic_config: Config) -> None:
    command.upgrade(alembic_config, before(alembic_config, "Index items by project"))
    execute("CREATE INDEX ix_items_project_id ON items (project_id)")
    execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_items_project_id'::regclass")

    command.upgrade(alembic_config, "head")
    assert execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_items_project_id'::regclass") == [(True,)]
