"""The revision graph, of projects that Alembic loads and of those that it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic_local.source.graph import graph as graph_of
from observing import BOOTSTRAP, CODE


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A project changes sys.path and the working directory."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def graph(folder: Path) -> dict[str, Any]:
    return graph_of(Project(folder))


def project(folder: Path, ini: str = "") -> Path:
    (folder / "alembic" / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = alembic\n{ini}")
    return folder


def revision(folder: Path, name: str, down: Any = None, extra: str = "", versions: str = "alembic/versions") -> None:
    path = folder / versions / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'"""Add {name}\n\nMore.\n"""\nrevision = "{name}"\ndown_revision = {down!r}\n{extra}')


def test_revisions_come_in_the_order_in_which_they_are_applied(tmp_path: Path) -> None:
    project(tmp_path)
    revision(tmp_path, "zz")
    revision(tmp_path, "bb", "zz")
    revision(tmp_path, "aa", "bb")
    found = graph(tmp_path)
    assert [item["revision"] for item in found["revisions"]] == ["zz", "bb", "aa"]
    assert found["revisions"][1] == {
        "revision": "bb",
        "message": "Add bb",
        "file": "alembic/versions/bb.py",
        "downRevisions": ["zz"],
        "dependsOn": [],
        "branchLabels": [],
    }
    assert found["heads"] == ["aa"]
    assert "problem" not in found


def test_a_project_without_revisions_has_none(tmp_path: Path) -> None:
    project(tmp_path)
    assert graph(tmp_path) == {"revisions": [], "heads": []}


def test_merges_branches_and_dependencies_are_reported(tmp_path: Path) -> None:
    project(tmp_path)
    revision(tmp_path, "a1")
    revision(tmp_path, "a2", "a1")
    revision(tmp_path, "a3", "a1")
    revision(tmp_path, "a4", ("a2", "a3"))
    revision(tmp_path, "b1", None, 'branch_labels = ("billing",)\ndepends_on = "a4"\n')
    revision(tmp_path, "b2", "b1")
    found = {item["revision"]: item for item in graph(tmp_path)["revisions"]}
    assert sorted(found["a4"]["downRevisions"]) == ["a2", "a3"]
    assert found["b1"]["dependsOn"] == ["a4"]
    assert found["b2"]["branchLabels"] == ["billing"]
    assert graph(tmp_path)["heads"] == ["a4", "b2"]


def test_revisions_in_other_folders_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "back"
    folder.mkdir()
    project(folder, "path_separator = space\nversion_path_separator = space\nversion_locations = %(here)s/one %(here)s/../two\n")
    revision(folder, "a1", versions="one")
    revision(tmp_path, "a2", "a1", versions="two")
    assert [item["file"] for item in graph(folder)["revisions"]] == ["one/a1.py", "../two/a2.py"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('revision = "b1"\ndown_revision = "missing"\n', "revision b1 (zz.py) follows missing, which no file has"),
        ('revision = "b1"\ndown_revision = "b1"\n', "Self-loop is detected in revisions (b1)"),
        ('revision = "a1"\ndown_revision = None\n', "two files have the revision id a1: a1.py and zz.py"),
        ('revision = "base"\ndown_revision = None\n', "zz.py has the revision id base, which is a word of Alembic's commands"),
        ('revision = "b1"\n', "AttributeError: module 'zz_py' has no attribute 'down_revision'"),
        ("X = 1\n", "zz.py has no revision id"),
        ('revision = "b1"\ndown_revision = None ???\n', "SyntaxError: invalid syntax (zz.py:2)"),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (zz.py:1)"),
        ("raise SystemExit('stop')\n", "SystemExit: stop (zz.py:1)"),
    ],
)
def test_if_alembic_cannot_load_the_revisions_the_reason_is_reported_and_the_files_are_read(
    tmp_path: Path, text: str, problem: str
) -> None:
    project(tmp_path)
    revision(tmp_path, "a1")
    revision(tmp_path, "a2", "a1")
    (tmp_path / "alembic" / "versions" / "zz.py").write_text(text)
    found = graph(tmp_path)
    assert problem in found["problem"]
    assert [item["revision"] for item in found["revisions"]][:2] == ["a1", "a2"]
    assert "a2" in found["heads"]


def test_a_cycle_is_reported_with_its_revisions(tmp_path: Path) -> None:
    project(tmp_path)
    revision(tmp_path, "a1", "a3")
    revision(tmp_path, "a2", "a1")
    revision(tmp_path, "a3", "a2", 'branch_labels = ["x"]\ndepends_on = ("a1", "a2")\n')
    found = graph(tmp_path)
    assert found["problem"] == "revisions follow each other in a cycle: a1 (a1.py), a2 (a2.py), a3 (a3.py)"
    assert found["heads"] == []
    assert found["revisions"][2] == {
        "revision": "a3",
        "message": "Add a3",
        "file": "alembic/versions/a3.py",
        "downRevisions": ["a2"],
        "dependsOn": ["a1", "a2"],
        "branchLabels": ["x"],
    }


def test_two_files_with_one_id_are_both_named(tmp_path: Path) -> None:
    project(tmp_path)
    revision(tmp_path, "a1")
    (tmp_path / "alembic" / "versions" / "copy.py").write_text((tmp_path / "alembic" / "versions" / "a1.py").read_text())
    found = graph(tmp_path)
    assert [item["file"] for item in found["revisions"]] == ["alembic/versions/a1.py", "alembic/versions/copy.py"]
    assert found["problem"] == "two files have the revision id a1: a1.py and copy.py"


def test_a_project_without_its_scripts_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = nowhere\n")
    with pytest.raises(RunnerError, match=r"Path doesn't exist: .*nowhere"):
        graph(tmp_path)


def test_revisions_in_a_package_that_is_not_installed_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as raised:
        graph(project(tmp_path, "version_locations = not_installed:versions\n"))
    assert raised.value.code == "invalid_project"
    assert "No module named 'not_installed'" in raised.value.message


def test_a_package_with_its_own_configuration_hides_nothing_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `alembic -c shop_backend/alembic.ini` in the folder above."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path)])
    folder = project(tmp_path / "shop_backend")
    revision(folder, "aa", extra="import colorsys, xdist, shop_backend.models, beside\ncolorsys.hls_to_rgb\nxdist.__version__\n")
    for name in ("__init__", "models", "beside"):
        (folder / f"{name}.py").touch()
    for name in ("colorsys", "xdist"):
        (folder / f"{name}.py").write_text("raise RuntimeError('this is not the library')\n")
    monkeypatch.delitem(sys.modules, "xdist", raising=False)
    assert "problem" not in graph(folder)


def test_files_next_to_the_configuration_do_not_hide_modules_of_python_and_alembic(tmp_path: Path) -> None:
    project(tmp_path, "prepend_sys_path =\n")
    revision(tmp_path, "aa", extra="import colorsys\nimport of_the_backend\ncolorsys.hls_to_rgb\n")
    (tmp_path / "alembic" / "__init__.py").touch()
    (tmp_path / "of_the_backend.py").touch()
    for name in ("types", "base64", "colorsys"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is not the module of Python')\n")
    hello = {"project": ".", "environment": {}, "scratch": False}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", BOOTSTRAP],
        cwd=tmp_path,
        env=environment,
        input="".join(json.dumps(line) + "\n" for line in (hello, {"code": CODE}, {"ask": "graph"})),
        capture_output=True,
        text=True,
    )
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [report["report"] for report in reports] == ["graph", "end"], ran.stderr[-2000:]
    assert "problem" not in reports[0]["graph"]


def test_alembic_is_imported_before_the_modules_of_the_observer_have_arrived(tmp_path: Path) -> None:
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic" / "__init__.py").write_text("raise ImportError('this is not Alembic')\n")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", BOOTSTRAP], cwd=tmp_path, **pipes) as python:
        python.stdin.write(json.dumps({"project": ".", "environment": {"PYTHONPATH": str(tmp_path)}}) + "\n")
        python.stdin.flush()
        report = json.loads(python.stdout.readline())
    assert report["error"]["code"] == "alembic_missing", report


def test_a_configuration_that_the_team_names_with_c_is_read_from_the_folder_above(tmp_path: Path) -> None:
    versions = tmp_path / "shop" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text("")
    (versions / "a1.py").write_text('revision = "a1"\ndown_revision = None\n')
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "alembic.ini").write_text("[alembic]\nscript_location = shop/migrations\n")
    hello = {"project": ".", "config": "conf/alembic.ini", "environment": {}}
    ran = subprocess.run(
        [sys.executable, "-c", BOOTSTRAP],
        cwd=tmp_path,
        input="".join(json.dumps(line) + "\n" for line in (hello, {"code": CODE}, {"ask": "graph"})),
        capture_output=True,
        text=True,
    )
    found = json.loads(ran.stdout.splitlines()[0])["graph"]
    assert [(script["revision"], script["file"]) for script in found["revisions"]] == [("a1", "shop/migrations/versions/a1.py")]


@pytest.mark.parametrize("catches", [False, True])
def test_a_file_that_connects_when_it_is_loaded_is_loaded_with_the_others(tmp_path: Path, catches: bool) -> None:
    project(tmp_path)
    (tmp_path / "alembic" / "env.py").write_text(f"{ENGINE}with engine.connect():\n    pass\n")
    connect = "engine.connect()"
    extra = f"try:\n    {connect}\nexcept Exception:\n    pass\n" if catches else f"{connect}\n"
    revision(tmp_path, "aa", None, f"{ENGINE}{extra}def upgrade(): pass\n")
    revision(tmp_path, "bb", "aa", "def upgrade(): pass\n")
    found = graph(tmp_path)
    assert "problem" not in found
    assert [item["revision"] for item in found["revisions"]] == ["aa", "bb"]
    seen = [item.get("atLoad") for item in found["revisions"]]
    assert seen == [None if catches else {"line": 9, "code": connect, "connects": True}, None]


ENGINE = "import sqlalchemy\nengine = sqlalchemy.create_engine('postgresql+psycopg://127.0.0.1:1/nothing')\n"
