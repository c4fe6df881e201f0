"""Writing a revision, with Alembic's own templates and a real PostgreSQL."""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alembic
import psycopg
import pytest
from alembic.config import main
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.rules import BACKEND_DIRECTORY
from cdk_alembic_local.create.revision import Differences, Placement, create

TEMPLATES = Path(alembic.__file__).parent / "templates"
MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    name = f"create_{uuid.uuid4().hex}"
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
    yield name
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def stamped(database: str, *revisions: str) -> Iterator[None]:
    with psycopg.connect(dbname=database, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text PRIMARY KEY)")
        for revision in revisions:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
        try:
            yield
        finally:
            connection.execute("DROP TABLE alembic_version")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("models", None)
    # Alembic puts "." on sys.path, and Python remembers which folder that was.
    sys.path_importer_cache.pop(".", None)


def project(root: Path, database: str, template: str = "generic", driver: str = "psycopg2", metadata: bool = True) -> Project:
    directory = root / BACKEND_DIRECTORY
    (directory / "alembic" / "versions").mkdir(parents=True)
    user, password = os.environ["PGUSER"], os.environ["PGPASSWORD"]
    url = f"postgresql+{driver}://{user}:{password}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{database}"
    ini = (TEMPLATES / template / "alembic.ini.mako").read_text().replace("${script_location}", "alembic")
    (directory / "alembic.ini").write_text(re.sub(r"sqlalchemy.url = .*", f"sqlalchemy.url = {url}", ini))
    env = (TEMPLATES / template / "env.py").read_text()
    if metadata:
        env = env.replace("target_metadata = None", "import models\ntarget_metadata = models.metadata")
    (directory / "alembic" / "env.py").write_text(env)
    (directory / "alembic" / "script.py.mako").write_text((TEMPLATES / template / "script.py.mako").read_text())
    (directory / "models.py").write_text(MODELS)
    there = Project(directory)
    there.revisions.load()
    return there


def change(project: Project, file: str, before: str, after: str) -> Project:
    path = project.directory / file
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    return Project(project.directory)


def files(project: Project) -> list[str]:
    return sorted(path.name for path in (project.directory / "alembic" / "versions").glob("*.py"))


def refused(project: Project, empty: bool = False) -> RunnerError:
    with pytest.raises(RunnerError) as raised:
        create(project, "Add users table", None if empty else Differences())
    assert raised.value.next
    return raised.value


@pytest.mark.parametrize(
    ("template", "driver"), [("generic", "psycopg"), ("generic", "psycopg2"), ("generic", "pg8000"), ("async", "asyncpg")]
)
def test_additions_in_the_models_are_written_into_a_revision(root: Path, database: str, template: str, driver: str) -> None:
    there = project(root, database, template, driver)
    created = create(there, "Add users table", Differences())
    assert created["file"] == f"alembic/versions/{created['revision']}_add_users_table.py"
    text = (there.directory / created["file"]).read_text()
    assert text.startswith('"""Add users table\n')
    assert "op.create_table('users'" in text


def test_no_file_is_written_if_models_and_migrations_agree(root: Path, database: str) -> None:
    there = change(project(root, database), "models.py", 'sa.Table("users"', '0 and sa.Table("users"')
    assert refused(there).code == "nothing_to_create"
    assert files(there) == []


def test_an_empty_revision_is_written_on_request(root: Path, database: str) -> None:
    there = project(root, database, metadata=False)
    created = create(there, "Fill names", None)
    assert files(there) == [f"{created['revision']}_fill_names.py"]
    assert "create_table" not in (there.directory / created["file"]).read_text()


def test_a_missing_template_is_named_and_is_no_failure_of_the_database(root: Path, database: str) -> None:
    there = project(root, database)
    (there.directory / "alembic" / "script.py.mako").unlink()
    error = refused(there)
    assert (error.code, error.next) == ("create_failed", "copy it from the folder that `alembic init new` makes")
    assert error.message == "no revision was written: alembic has no script.py.mako, the template of a revision"


def test_a_message_may_look_like_an_option(root: Path, database: str) -> None:
    created = create(project(root, database), "--sql is no option here", None)
    assert created["file"].endswith("_sql_is_no_option_here.py")


def test_the_file_name_follows_the_template_of_the_project(root: Path, database: str) -> None:
    there = project(root, database)
    template = "%%(year)d_%%(month).2d_%%(day).2d-%%(rev)s_%%(slug)s"
    there = change(there, "alembic.ini", "[alembic]\n", f"[alembic]\nfile_template = {template}\n")
    assert re.match(
        r"alembic/versions/\d{4}_\d\d_\d\d-\w+_add_users_table\.py$", create(there, "Add users table", Differences())["file"]
    )


HOOK = """
def hook(context, revision, directives):
    assert config.cmd_opts.autogenerate
    {body}

"""


def with_hook(there: Project, body: str) -> Project:
    env = "alembic/env.py"
    change(there, env, "def run_migrations_online", HOOK.format(body=body) + "def run_migrations_online")
    return change(there, env, "connection=connection,", "connection=connection, process_revision_directives=hook,")


def test_hooks_of_env_py_have_the_last_word(root: Path, database: str) -> None:
    there = with_hook(project(root, database), 'directives[0].rev_id = "0042"')
    assert create(there, "Add users table", Differences()) == {
        "revision": "0042",
        "file": "alembic/versions/0042_add_users_table.py",
        "earlier": [],
        "left": [],
    }


@pytest.mark.parametrize("body", ["directives[:] = []", "directives[0].upgrade_ops.ops = []"])
def test_no_file_is_written_if_a_hook_removes_all_operations(root: Path, database: str, body: str) -> None:
    there = with_hook(project(root, database), body)
    assert refused(there).code == "nothing_to_create"
    assert files(there) == []


def test_operations_that_only_a_hook_adds_are_written(root: Path, database: str) -> None:
    there = change(project(root, database), "models.py", 'sa.Table("users"', '0 and sa.Table("users"')
    body = "from alembic.operations import ops; directives[0].upgrade_ops.ops.append(ops.ExecuteSQLOp('SELECT 1'))"
    assert "SELECT 1" in (there.directory / create(with_hook(there, body), "Ask", Differences())["file"]).read_text()


def test_a_post_write_hook_runs(root: Path, database: str) -> None:
    there = project(root, database)
    hooks = (
        "[post_write_hooks]\nhooks = note\nnote.type = exec\nnote.executable = sh\n"
        "note.options = -c 'echo \"# noted\" >> REVISION_SCRIPT_FILENAME'\n"
    )
    there = change(there, "alembic.ini", "[post_write_hooks]\n", hooks)
    assert (there.directory / create(there, "Add users table", Differences())["file"]).read_text().endswith("# noted\n")


def test_a_failing_post_write_hook_does_not_end_the_command(root: Path, database: str) -> None:
    there = project(root, database)
    hooks = "[post_write_hooks]\nhooks = black\nblack.type = console_scripts\nblack.entrypoint = nowhere\n"
    created = create(change(there, "alembic.ini", "[post_write_hooks]\n", hooks), "Add users table", Differences())
    assert [created["file"]] == [f"alembic/versions/{name}" for name in files(there)]
    assert "nowhere" in created["hookFailure"]


def test_an_env_py_without_models_is_reported_with_the_setting_to_add(root: Path, database: str) -> None:
    there = project(root, database, metadata=False)
    failure = refused(there)
    assert failure.code == "no_target_metadata"
    assert "target_metadata" in failure.next
    assert files(there) == []


def test_two_heads_must_be_merged_first(root: Path, database: str) -> None:
    there = project(root, database)
    for name in ("a1", "b1"):
        (there.directory / "alembic" / "versions" / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = None\n')
    there = Project(there.directory)
    for empty in (False, True):
        failure = refused(there, empty=empty)
        assert failure.code == "multiple_heads"
        assert "alembic merge" in failure.next
    assert files(there) == ["a1.py", "b1.py"]


def test_with_labeled_branches_the_branch_to_extend_must_be_named(root: Path, database: str) -> None:
    there = project(root, database)
    for revision, label in (("a1", "core"), ("b1", "billing")):
        (there.directory / "alembic" / "versions" / f"{revision}.py").write_text(
            f'revision = "{revision}"\ndown_revision = None\nbranch_labels = ("{label}",)\ndef upgrade():\n    pass\n'
        )
    there = Project(there.directory)
    failure = refused(there, empty=True)
    assert failure.code == "multiple_heads"
    assert failure.next == "name the one to follow: --head billing@head or --head core@head"
    written = create(there, "Add invoices", None, placement=Placement(head="billing@head"))
    assert "down_revision: Union[str, Sequence[str], None] = 'b1'" in (there.directory / written["file"]).read_text()


PLACEMENTS = [
    (
        "--head b1 --branch-label billing --rev-id 0007 --depends-on c1",
        {"head": "b1", "branchLabel": "billing", "revId": "0007", "dependsOn": ["c1"]},
    ),
    (
        "--head a1 --splice --version-path two --rev-id 0008",
        {"head": "a1", "splice": True, "versionPath": "two", "revId": "0008"},
    ),
    (
        "--head base --branch-label reports --version-path two --depends-on b1 --depends-on c1 --rev-id 0009",
        {"head": "base", "branchLabel": "reports", "versionPath": "two", "dependsOn": ["b1", "c1"], "revId": "0009"},
    ),
]


@pytest.mark.parametrize(("words", "placement"), PLACEMENTS)
@pytest.mark.parametrize("empty", [True, False])
def test_a_revision_goes_where_alembic_puts_it(
    root: Path, database: str, words: str, placement: dict[str, Any], empty: bool
) -> None:
    there = project(root, database)
    locations = "[alembic]\nversion_locations = %(here)s/one:%(here)s/two\n"
    template = "file_template = %%(rev)s-%%(slug)s\n"
    ini = there.directory / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]\n", locations + template, 1))
    for folder, revision, down in (("one", "a1", None), ("one", "b1", "a1"), ("two", "c1", None)):
        (there.directory / folder).mkdir(exist_ok=True)
        (there.directory / folder / f"{revision}.py").write_text(
            f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = {None if down else (f'of_{revision}',)!r}\n"
            "def upgrade():\n    pass\n"
        )
    there = Project(there.directory)
    with stamped(database, "b1", "c1"):
        main(argv=["revision", "-m", "Add users table", *words.split(), *([] if empty else ["--autogenerate"])], prog="alembic")
        [plain] = [path for path in there.directory.glob("*/*users_table.py")]
        wanted = plain.read_text()
        plain.unlink()
        created = create(
            Project(there.directory), "Add users table", None if empty else Differences(), placement=Placement.of(placement)
        )
    assert created["file"] == plain.relative_to(there.directory).as_posix()
    own = (there.directory / created["file"]).read_text()
    head, _, body = own.partition("def upgrade()")
    assert re.sub("Create Date: .*", "", head) == re.sub("Create Date: .*", "", wanted.partition("def upgrade()")[0])
    assert ("create_table" in body) is not empty


def test_an_id_of_another_revision_is_rejected(root: Path, database: str) -> None:
    there = project(root, database)
    (there.directory / "alembic" / "versions" / "a1.py").write_text('revision = "a1"\ndown_revision = None\n')
    with pytest.raises(RunnerError, match="there is a revision a1 already"):
        create(Project(there.directory), "Fill names", None, placement=Placement(rev_id="a1"))
    assert files(there) == ["a1.py"]


def test_the_folder_of_the_first_revision_is_not_guessed_among_several(root: Path, database: str) -> None:
    there = project(root, database)
    there = change(there, "alembic.ini", "[alembic]\n", "[alembic]\nversion_locations = %(here)s/one:%(here)s/two\n")
    failure = refused(there)
    assert failure.code == "create_failed"
    assert "version locations" in failure.message


def test_a_revision_goes_into_the_folder_of_the_one_it_follows(root: Path, database: str) -> None:
    there = project(root, database)
    (there.directory / "two").mkdir()
    (there.directory / "two" / "a1.py").write_text('revision = "a1"\ndown_revision = None\n')
    there = change(there, "alembic.ini", "[alembic]\n", "[alembic]\nversion_locations = %(here)s/one:%(here)s/two\n")
    assert create(there, "Fill names", None)["file"].startswith("two/")


def test_a_failing_env_py_is_reported_with_its_own_message(root: Path, database: str) -> None:
    there = change(project(root, database), "alembic/env.py", "import models", "import nothing_of_the_kind")
    failure = refused(there)
    assert failure.code == "create_failed"
    assert "nothing_of_the_kind" in failure.message


def test_a_missing_database_is_reported(root: Path) -> None:
    assert refused(project(root, f"none_{uuid.uuid4().hex}")).code == "database_refused"
