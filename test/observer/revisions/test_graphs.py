"""Heads, branches, merges and baselines."""

from __future__ import annotations

from observing import NOTHING, Observed

# As pg_dump 17 writes it, with its settings, roles and rows.
DUMP = """
--
-- PostgreSQL database dump; it's one
--
\\restrict abc'def
SET statement_timeout = 0;
SET transaction_timeout_of_tomorrow = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO nobody_here;
CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE plpgsql
    AS $body$ BEGIN PERFORM 'x;'; RETURN 1; END; $body$;
ALTER FUNCTION public.f() OWNER TO nobody_here;
CREATE FUNCTION public.g() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE TABLE public.aa (id integer NOT NULL GENERATED ALWAYS AS IDENTITY, name text DEFAULT 'a;b'::text);
CREATE TABLE public.alembic_version (version_num character varying(32) NOT NULL);
COPY public.aa (id, name) FROM stdin;
7\tit's; \\\\ here\\n
8\t\\N
\\.


COPY public.alembic_version (version_num) FROM stdin;
aa
\\.

REVOKE USAGE ON SCHEMA public FROM nobody_here;
GRANT SELECT ON TABLE public.aa TO nobody_here;
\\unrestrict abc
"""


def test_branches_merges_several_bases_and_heads_are_replayed(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.table_revision("b1", "aa")
    observed.table_revision("b2", "aa")
    observed.revision("cc", ("b1", "b2"))
    observed.table_revision("other")
    observed.table_revision("dd", "cc")
    file = observed.versions / "other.py"
    file.write_text(file.read_text().replace("branch_labels = None", 'branch_labels = ("side",)'))
    file = observed.versions / "dd.py"
    file.write_text(file.read_text().replace("depends_on = None", 'depends_on = "other"'))
    observed.revision("ee", "aa", 'with op.get_context().autocommit_block():\n    op.execute("SELECT 1")')
    facts = observed.observe("aa", "b1", "b2", "cc", "dd", "ee", "other", drift=True)
    for revision in ("aa", "b1", "b2", "cc", "dd", "ee", "other"):
        assert facts[revision]["upgrade"]["outcome"] == "done", revision
        assert facts[revision]["again"] == {"outcome": "done", "differs": NOTHING}, revision
        assert facts[revision]["notRestored"] == NOTHING, revision
    assert facts["cc"]["downRevisions"] == ["b1", "b2"]
    assert facts["dd"]["dependsOn"] == ["other"]
    assert facts["other"]["branchLabels"] == ["side"]


def test_only_requested_revisions_are_reported_and_later_ones_do_not_run(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.table_revision("bb", "aa")
    observed.revision("cc", "bb", "raise SystemExit(1)")
    reports = observed.ask({"ask": "observe", "revisions": ["bb"], "drift": False})
    assert [report["revision"]["revision"] for report in reports if report["report"] == "revision"] == ["bb"]
    assert [(report["done"], report["total"], report["revision"]) for report in reports if report["report"] == "progress"] == [
        (0, 2, "aa"),
        (1, 2, "bb"),
    ]


def test_an_unknown_revision_is_reported(observed: Observed) -> None:
    observed.table_revision("aa")
    assert observed.failure(ask="observe", revisions=["nope"], drift=False)["code"] == "unknown_revision"


def test_a_replay_starts_where_a_dump_ends(observed: Observed) -> None:
    observed.revision("aa", None, "raise SystemExit(1)")
    observed.revision(
        "bb",
        "aa",
        'assert op.get_bind().execute(sa.text("SELECT f() + g()")).scalar() == 3\n'
        'rows = op.get_bind().execute(sa.text("SELECT * FROM aa ORDER BY id")).fetchall()\n'
        'assert rows == [(7, "it\'s; \\\\ here\\n"), (8, None)]\n'
        'op.drop_column("aa", "name")',
    )
    facts = observed.observe("aa", "bb", baseline=DUMP)
    assert facts["aa"]["upgrade"]["outcome"] == "not_run"
    assert facts["aa"]["upgrade"]["reason"] == "the baseline already has it"
    assert facts["bb"]["changes"]["removed"] == {"column aa.name": "text DEFAULT 'a;b'::text"}


def test_a_dump_that_cannot_be_loaded_is_reported_with_its_statement(observed: Observed) -> None:
    observed.table_revision("aa")
    error = observed.failure(
        ask="observe", revisions=["aa"], drift=False, baseline="SET x.y = 1;\n-- a; b\nCREATE TABLE b (a nowhere);"
    )
    assert error["code"] == "baseline_failed"
    assert "CREATE TABLE b (a nowhere)" in error["message"]


def test_create_autogenerates_against_the_database_at_head(observed: Observed) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(
        env.replace(
            "target_metadata = None",
            "import sqlalchemy as sa\ntarget_metadata = sa.MetaData()\nfor name in ('aa', 'bb'):\n"
            "    sa.Table(name, target_metadata, sa.Column('id', sa.Integer, primary_key=True))",
        )
    )
    (observed.directory / "alembic" / "script.py.mako").write_text(
        "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
        "def upgrade():\n    ${upgrades}\ndef downgrade():\n    ${downgrades}\n"
    )
    observed.table_revision("aa")
    created, end = observed.ask({"ask": "create", "message": "Add bb", "empty": False})
    assert end == {"report": "end"}
    written = (observed.directory / created["file"]).read_text()
    assert "create_table('bb'" in written and "'aa'" in written and "create_table('aa'" not in written
    assert observed.failure(ask="create", message="Add cc", empty=False)["code"] in ("nothing_to_create", "migration_failed")


def test_the_runner_answers_as_in_production(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", 'op.drop_table("aa")')
    plan, end = observed.ask({"ask": "invoke", "request": {"command": "plan"}})
    assert (plan["answer"]["status"], plan["answer"]["stage"], end) == ("pending", "local", {"report": "end"})
    first, *_ = observed.ask({"ask": "invoke", "request": {"revision": "aa"}})
    assert first["answer"]["to"] == ["aa"]
    assert "run_ended" not in observed.printed and "revision_applied" not in observed.printed
    error = observed.failure(ask="invoke", request={})
    assert (error["code"], error["revision"]) == ("blocked", "bb")
    assert observed.failure(ask="invoke", request={"command": "nope"})["code"] == "invalid_request"
    history, *_ = observed.ask({"ask": "invoke", "request": {"command": "history"}})
    assert [item["revision"] for item in history["answer"]["history"]] == ["bb", "aa"]
    with observed.database.connect() as connection:
        connection.execute("DROP TABLE aa, alembic_version; DROP SCHEMA cdk_alembic CASCADE")


def test_several_asks_are_answered_by_one_process(observed: Observed) -> None:
    observed.table_revision("aa")
    reports = observed.ask(
        {"ask": "graph"},
        {"ask": "observe", "revisions": ["nope"], "drift": False},
        {"ask": "observe", "revisions": ["aa"], "drift": False},
    )
    assert [report["report"] for report in reports] == ["graph", "end", "failed", "environment", "progress", "revision", "end"]
