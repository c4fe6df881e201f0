"""
Which drivers a test runs with. `npm test` runs each scenario with one driver, and the next scenario of the file with the next:
most of what keeps a promise is the same code for all of them. Tests of what each driver does in its own way are marked
`every_driver`. `npm run soak -- drivers observer-drivers` runs every scenario with every driver.
"""

from __future__ import annotations

import os
import zlib
from typing import Any

import pytest

DRIVERS = [
    ("generic", "postgresql+psycopg"),
    ("generic", "postgresql+psycopg2"),
    ("generic", "postgresql+pg8000"),
    ("async", "postgresql+asyncpg"),
    ("async", "postgresql+psycopg"),
]
"""Alembic's own env.py, sync and async, with every driver that is supported."""

ALL = os.environ.get("DRIVERS") == "all"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_driver: runs with every driver in `npm test`, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ALL:
        return
    scenarios: dict[tuple[Any, ...], list[pytest.Item]] = {}
    for item in items:
        if _driver(item) is not None and not item.get_closest_marker("every_driver"):
            scenarios.setdefault(_scenario(item), []).append(item)
    turns: dict[str, int] = {}
    deselected: set[pytest.Item] = set()
    for variants in scenarios.values():
        file = variants[0].path.name
        # Files with few scenarios do not all begin with the same driver.
        turn = turns[file] = turns.get(file, zlib.crc32(file.encode())) + 1
        deselected.update(variants)
        deselected.remove(variants[turn % len(variants)])
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=list(deselected))


def _driver(item: pytest.Item) -> tuple[str, str] | None:
    """The driver of a test that exists for each of them."""
    parameters = _parameters(item)
    driver = (parameters.get("template"), parameters.get("scheme"))
    return next((value for value in (driver, *parameters.values()) if value in DRIVERS), None)


def _scenario(item: pytest.Item) -> tuple[Any, ...]:
    """What is left of a test when its driver is taken away."""
    others = [
        repr(value) for name, value in _parameters(item).items() if name not in ("template", "scheme") and value not in DRIVERS
    ]
    return item.path, item.parent.name if item.parent else None, getattr(item, "originalname", item.name), *others


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}
