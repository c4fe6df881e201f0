"""The databases and backends of test/runner, and the observer as a process of its own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

RUNNER_TESTS = Path(__file__).parent.parent / "runner"


def _load(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, RUNNER_TESTS / file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Not `import conftest`: that name is this file's.
backends = _load("backends", "conftest.py")
_load("project_kinds", "project_kinds.py")
each_driver = _load("each_driver", "each_driver.py")

pytest_configure = each_driver.pytest_configure
pytest_collection_modifyitems = each_driver.pytest_collection_modifyitems

database_of_all_tests = backends.database_of_all_tests
database = backends.database
from observing import Observed  # noqa: E402


@pytest.fixture
def observed(tmp_path: Path, database: backends.Database) -> Iterator[Observed]:
    """A project with Alembic's generic env.py and psycopg, and a scratch database that is empty before and after."""
    project = Observed(tmp_path, database)
    project.initialise("postgresql+psycopg://nobody:secret@127.0.0.1:1/nowhere")
    yield project
    assert database.tables() == []
