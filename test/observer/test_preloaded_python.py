"""Programs of the tests are forked from a Python that has imported Alembic."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "support" / "python"))
from preloaded_python import run_preloaded

ASK = ["-c", "import sys; print('alembic' in sys.modules, sys.pycache_prefix)"]


def test_a_program_is_forked_although_the_tests_keep_bytecode_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path))
    assert run_preloaded(ASK, tmp_path, dict(os.environ)).stdout == "True None\n"


def test_a_program_that_asks_for_another_start_gets_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": "elsewhere"}
    assert run_preloaded(ASK, tmp_path, environment).stdout == "False elsewhere\n"


def test_a_program_that_is_not_the_observer_has_none_of_its_modules(tmp_path: Path) -> None:
    ask = "import sys; print([name for name in sys.modules if name.startswith('cdk_alembic')])"
    assert run_preloaded(["-c", ask], tmp_path, dict(os.environ)).stdout == "[]\n"
