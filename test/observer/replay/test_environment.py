"""How env.py treats transactions, and that a replay goes on in spite of it."""

from __future__ import annotations

import pytest
from backends import Backend
from each_driver import DRIVERS
from observing import NOTHING, Observed


def changed(observed: Backend, before: str, after: str) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    assert before in env
    observed.write_env(env.replace(before, after))


def replayed(observed: Observed) -> dict[str, object]:
    observed.table_revision("aa")
    observed.revision(
        "bb",
        "aa",
        'with op.get_context().autocommit_block():\n    op.create_index("ix", "aa", ["id"], postgresql_concurrently=True)',
        'op.drop_index("ix")',
    )
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["bb"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["bb"]["upgrade"]["leftTransaction"] is True
    return facts["environment"]


def test_an_env_py_that_runs_a_statement_before_configure_never_commits(observed: Observed) -> None:
    changed(
        observed,
        "context.configure(\n            connection",
        "connection.exec_driver_sql('SET search_path = public')\n        context.configure(\n            connection",
    )
    facts = replayed(observed)
    assert (facts["keeps"], facts["outerTransaction"], facts["file"]) == (False, True, "alembic/env.py")


def test_an_env_py_that_runs_a_statement_after_configure_is_replayed(observed: Observed) -> None:
    changed(
        observed,
        "with context.begin_transaction():\n            context.run_migrations",
        "connection.exec_driver_sql('SELECT pg_advisory_lock(1)')\n"
        "        with context.begin_transaction():\n            context.run_migrations",
    )
    facts = replayed(observed)
    assert (facts["keeps"], facts["outerTransaction"]) == (True, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            'prefix="sqlalchemy."', 'prefix="sqlalchemy.", connect_args={"options": "-c lock_timeout=2s"}', id="of its engine"
        ),
        pytest.param(
            "context.run_migrations()\n\n\nif",
            "context.execute('SET lock_timeout = 2000'); context.run_migrations()\n\n\nif",
            id="by SET",
        ),
    ],
)
def test_a_lock_timeout_that_env_py_sets_is_seen(observed: Observed, before: str, after: str) -> None:
    assert replayed(observed)["lockTimeout"] is False
    changed(observed, before, after)
    assert replayed(observed)["lockTimeout"] is True


def test_of_an_env_py_that_fails_it_is_seen_whether_it_names_lock_timeout(observed: Observed) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.table_revision("aa")
    seen = []
    for more in ("", "  # lock_timeout"):
        observed.write_env(f"import not_installed{more}\n{env}")
        seen.append(observed.observe("aa")["environment"]["lockTimeout"])
    assert seen == [False, True]


def test_an_env_py_with_another_observer_runs_once(observed: Observed) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(f"{env}\nprint('env.py has run')\n")
    observed.table_revision("aa")
    facts = observed.observe("aa", environment=False)
    assert facts["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert "environment" not in facts
    assert observed.printed.count("env.py has run") == 1


def test_an_outer_begin_is_detected_and_commits(observed: Observed) -> None:
    changed(observed, "with connectable.connect() as connection:", "with connectable.begin() as connection:")
    facts = replayed(observed)
    assert (facts["keeps"], facts["outerTransaction"]) == (True, True)


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        pytest.param("", "", None, id="that Alembic began"),
        pytest.param(
            "with connectable.connect() as connection:",
            "with connectable.begin() as connection:",
            ("with connectable.begin() as connection:", "with connectable.connect() as connection:"),
            id="of the engine",
        ),
        pytest.param(
            "with context.begin_transaction():\n            context.run_migrations()",
            "with connection.begin():\n            context.run_migrations()",
            ("with connection.begin():", "with context.begin_transaction():"),
            id="of the connection, after configure()",
        ),
        pytest.param(
            "with context.begin_transaction():\n            context.run_migrations()",
            "with connection.begin() as tx:\n            context.run_migrations()\n            tx.commit()",
            ("with connection.begin() as tx:", "with context.begin_transaction():"),
            id="of the connection, with a name",
        ),
        pytest.param(
            "with context.begin_transaction():\n            context.run_migrations()",
            "context.run_migrations()\n        connection.commit()",
            ("context.configure(", "with context.begin_transaction():\n    context.run_migrations()"),
            id="that nothing in env.py begins",
        ),
    ],
)
def test_autocommit_blocks_work_in_a_transaction(
    observed: Observed, before: str, after: str, place: tuple[str, str] | None
) -> None:
    changed(observed, before, after)
    observed.table_revision("aa")
    seen = observed.observe("aa")
    assert seen["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    facts = seen["environment"]
    found = facts.get("transaction")
    assert (facts["autocommitBlocks"], found and (found["code"], found["instead"])) == (place is None, place)
    if found:
        env = (observed.directory / "alembic" / "env.py").read_text().splitlines()
        assert found["code"] == env[found["line"] - 1].strip()


def test_an_engine_in_autocommit_is_replayed_without_transactions(observed: Observed) -> None:
    changed(observed, "poolclass=pool.NullPool", 'poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"')
    observed.table_revision("aa")
    facts = observed.observe("aa")
    assert [statement["transaction"] for statement in facts["aa"]["upgrade"]["statements"]] == [-1]
    assert facts["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["environment"]["refused"]["code"] == "invalid_project"
    assert "AUTOCOMMIT" in facts["environment"]["refused"]["message"]


def test_an_env_py_that_raises_is_reported_with_its_line(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.write_env("import os\nos.environ['NOT_THERE']\n")
    observed.revision("bb", "aa", 'op.drop_table("aa")')
    facts = observed.observe("aa", "bb", drift=True)
    assert facts["environment"]["keeps"] is False
    assert "the environment variable NOT_THERE is not set (env.py:2)" in facts["environment"]["failure"]
    assert facts["aa"]["upgrade"]["outcome"] == facts["aa"]["downgrade"]["outcome"] == "not_run"
    assert "the environment variable NOT_THERE is not set" in facts["aa"]["upgrade"]["reason"]
    assert [call["name"] for call in facts["bb"]["source"]["upgrade"]["calls"]] == ["op.drop_table"]
    # Alembic renders it without env.py.
    assert [statement["sql"] for statement in facts["bb"]["upgrade"]["statements"]] == ["DROP TABLE aa"]
    assert "the environment variable NOT_THERE is not set" in facts["drift"]["reason"]


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("back/shop/models.py", "set PYTHONPATH=back, the folder with shop, in this shell, or with the setting"),
        ("services/back/shop.py", "set PYTHONPATH=services/back, the folder with shop, in this shell, or with the setting"),
        ("node_modules/back/shop.py", "install the backend with its dependencies"),
    ],
)
def test_a_module_that_a_folder_of_the_project_has_is_reported_with_that_folder(observed: Observed, file: str, step: str) -> None:
    observed.table_revision("aa")
    changed(observed, "config = context.config\n", "import shop.models\nconfig = context.config\n")
    (observed.directory / file).parent.mkdir(parents=True)
    (observed.directory / file).touch()
    assert observed.observe("aa")["environment"]["next"].startswith(step)


def test_variables_are_there_before_the_backend_is_imported(observed: Observed) -> None:
    observed.table_revision("aa")
    changed(observed, "config = context.config\n", "import os\nos.environ['IT']\nconfig = context.config\n")
    observed.environment = {"IT": "is there"}
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"


def test_what_env_py_and_revisions_print_does_not_disturb_the_reports(observed: Observed) -> None:
    changed(observed, "config = context.config\n", "config = context.config\nprint('of env.py')\n")
    observed.revision(
        "aa",
        None,
        "import os, sys\nprint('of a revision')\nos.write(1, b'raw')\nos.system('echo of a child')\ninput_ = sys.stdin.read()",
    )
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"
    for text in ("of env.py", "of a revision", "raw", "of a child"):
        assert text in observed.printed


def test_arguments_of_run_migrations_reach_every_run_of_a_revision(observed: Observed) -> None:
    changed(observed, "context.run_migrations()", "context.run_migrations(name='aa')")
    observed.table_revision("aa")
    file = observed.versions / "aa.py"
    file.write_text(file.read_text().replace("() -> None", "(name) -> None").replace('table("aa"', "table(name"))
    facts = observed.observe("aa")["aa"]
    assert facts["downgrade"]["outcome"] == "done"
    assert facts["again"]["outcome"] == "done"


def test_an_on_version_apply_hook_is_still_called(observed: Observed) -> None:
    changed(observed, "connection=connection,", "connection=connection, on_version_apply=lambda **_: print('applied one'),")
    observed.table_revision("aa")
    observed.observe("aa")
    assert "applied one" in observed.printed


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_connection_that_env_py_leaves_in_a_transaction_does_not_block_the_replay(
    observed: Observed, template: str, scheme: str
) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    waiting = "await " if template == "async" else ""
    run = "await connection.run_sync(do_run_migrations)\n" if template == "async" else "context.run_migrations()\n"
    look = f"{waiting}connection.exec_driver_sql('SELECT * FROM alembic_version')"
    leave = f"    config.attributes.setdefault('left', []).append(connection)\n    {look}\n"
    changed(observed, run, run + leave)
    env = (observed.directory / "alembic" / "env.py").read_text()
    start = f"{waiting}connectable.connect()\n    if True:"
    env = env.replace("    async with connectable", "    with connectable")
    env = env.replace("with connectable.connect() as connection:", f"connection = {start}")
    observed.write_env(env)
    observed.table_revision("aa")
    facts = observed.observe("aa", drift=True)
    assert facts["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["environment"]["postgres"] == observed.database.rows("SHOW server_version")[0][0].split()[0]


def test_connections_that_a_pool_keeps_are_not_ended(observed: Observed) -> None:
    changed(observed, "connectable = engine_from_config(", "connectable = config.attributes.get('engine') or engine_from_config(")
    keep = "poolclass=pool.QueuePool,\n    )\n    config.attributes['engine'] = connectable\n"
    changed(observed, "poolclass=pool.NullPool,\n    )\n", keep)
    observed.table_revision("aa")
    assert observed.observe("aa")["aa"]["again"] == {"outcome": "done", "differs": NOTHING}


def test_the_schema_of_the_version_table_is_created_if_no_revision_creates_it(observed: Observed) -> None:
    changed(observed, "connection=connection,", "connection=connection, version_table_schema='kept apart',")
    observed.table_revision("aa")
    facts = observed.observe("aa")
    assert set(facts["aa"]["changes"]["added"]) == {"table aa", "column aa.id", "constraint aa.aa_pkey", "sequence aa_id_seq"}
    assert facts["environment"]["refused"]["sqlState"] == "3F000"
    from_baseline = observed.observe("aa", baseline='CREATE SCHEMA "kept apart";')
    assert "refused" not in from_baseline["environment"]
    assert from_baseline["aa"]["upgrade"]["outcome"] == "done"


def test_an_env_py_that_fails_on_an_empty_database_is_reported(observed: Observed) -> None:
    changed(
        observed,
        "context.configure(\n            connection",
        "connection.exec_driver_sql('SELECT * FROM nowhere')\n        context.configure(\n            connection",
    )
    observed.table_revision("aa")
    facts = observed.observe("aa")
    assert 'relation "nowhere" does not exist' in facts["environment"]["failure"]
    assert 'relation "nowhere" does not exist' in facts["aa"]["upgrade"]["reason"]
    # Without a database this env.py does its work.
    assert [statement["sql"].split("(")[0] for statement in facts["aa"]["upgrade"]["statements"]] == ["CREATE TABLE aa "]


def test_an_async_engine_of_the_application_serves_every_execution_of_env_py(observed: Observed) -> None:
    observed.initialise(observed.database.url("postgresql+asyncpg"), "async")
    changed(
        observed,
        "connectable = async_engine_from_config(",
        "connectable = config.attributes.get('engine') or async_engine_from_config(",
    )
    keep = "poolclass=pool.AsyncAdaptedQueuePool,\n    )\n    config.attributes['engine'] = connectable\n"
    changed(observed, "poolclass=pool.NullPool,\n    )\n", keep)
    changed(observed, "    await connectable.dispose()\n", "")
    assert replayed(observed)["keeps"] is True
