"""Random graphs of revisions and random requests: the runner does what Alembic's commands do, in one call or in several."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from alembic import command
from alembic.config import Config
from conftest import Backend, Database, fresh_database, set_settings
from random_events import outcome

GRAPHS = int(os.environ.get("GRAPHS", "2"))
REQUESTS = 9
JOURNAL = "CREATE SCHEMA journal; CREATE TABLE journal.lines (line text)"
WRITE = "op.execute(\"INSERT INTO journal.lines VALUES ('{} {}')\")"


class Drawn(NamedTuple):
    """A revision."""

    id: str
    down: tuple[str, ...]
    label: str | None
    depends_on: str | None


@pytest.fixture
def alembics() -> Iterator[Database]:
    """The database that Alembic's commands change."""
    with fresh_database() as database:
        yield database


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_any_request_does_what_alembics_command_does(
    backend: Backend, database: Database, alembics: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    set_settings(monkeypatch, allow=["downgrade", "stamp"])
    random_ = random.Random(seed)
    graph = draw_graph(random_)
    for revision in graph:
        write(backend, revision)
    for one in (database, alembics):
        one.execute(JOURNAL)
    config = Config(backend.directory / "alembic.ini")
    config.set_main_option("script_location", str(backend.directory / "alembic"))
    config.set_main_option("sqlalchemy.url", alembics.url("postgresql+psycopg"))
    requests = [draw_request(random_, graph) for _ in range(REQUESTS)]
    for verb, revision in [("upgrade", "heads"), *requests]:
        if verb == "downgrade" and revision.startswith("-") and len(state(database)[0]) > 1:
            continue  # Alembic starts from the row that it happens to read first.
        in_slices = verb != "stamp" and random_.random() < 0.5
        ends = (runner_succeeds(verb, revision, in_slices), alembic_succeeds(config, verb, revision))
        assert ends[0] == ends[1], (graph, verb, revision)
        assert state(database) == state(alembics), (graph, verb, revision)


def draw_graph(random_: random.Random) -> list[Drawn]:
    """Branches, merges, several bases, labels, and dependencies on other branches."""
    graph: list[Drawn] = []
    ancestors: dict[str, set[str]] = {}
    heads: list[str] = []
    for number in range(random_.randint(3, 9)):
        earlier = [revision.id for revision in graph]
        kind = random_.random()
        if not graph or kind < 0.1:
            down: tuple[str, ...] = ()
        elif kind < 0.25 and len(heads) > 1:
            down = tuple(random_.sample(heads, 2))
        elif kind < 0.5:
            down = (random_.choice(earlier),)
        else:
            down = (random_.choice(heads),)
        lineage = {one for parent in down for one in ancestors[parent]}
        # Alembic fails on a dependency that is an ancestor, and on a merge whose dependency descends from one of its parents.
        others = sorted(name for name in set(earlier) - lineage if len(down) < 2 or not ancestors[name] & set(down))
        depends_on = random_.choice(others) if others and random_.random() < 0.2 else None
        starts_branch = not down or down[0] not in heads
        label = f"branch{number}" if random_.random() < (0.6 if starts_branch else 0.1) else None
        name = f"{random_.choice('abcdef')}{number}{random_.choice('xyz')}"
        heads = [head for head in heads if head not in down] + [name]
        ancestors[name] = {name} | lineage | (ancestors[depends_on] if depends_on else set())
        graph.append(Drawn(name, down, label, depends_on))
    return graph


def write(backend: Backend, revision: Drawn) -> None:
    down = revision.down[0] if len(revision.down) == 1 else revision.down or None
    backend.revision(revision.id, down, WRITE.format("up", revision.id), WRITE.format("down", revision.id))
    file = backend.versions / f"{revision.id}.py"
    text = file.read_text().replace("branch_labels = None", f"branch_labels = {revision.label!r}")
    file.write_text(text.replace("depends_on = None", f"depends_on = {revision.depends_on!r}"))


def draw_request(random_: random.Random, graph: list[Drawn]) -> tuple[str, str]:
    one = random_.choice(graph).id
    branch = random_.choice([revision.label for revision in graph if revision.label] or [one])
    verb = random_.choices(["upgrade", "downgrade", "stamp"], [5, 4, 1])[0]
    revisions = {
        "upgrade": [
            "heads",
            "heads",
            one,
            one[:2],
            "+1",
            "+2",
            f"{one}+1",
            branch,
            f"{branch}@head",
            f"{branch}@+1",
            f"{one}@+2",
        ],
        "downgrade": ["base", "-1", "-2", one, one[:2], f"{one}-1", branch, f"{branch}@base", f"{branch}@-1", f"{one}@-2"],
        "stamp": ["heads", "base", one, branch, f"{branch}@head", f"{branch}@base"],
    }
    return verb, random_.choice(revisions[verb])


def runner_succeeds(verb: str, revision: str, in_slices: bool) -> bool:
    while True:
        answer = outcome({"command": verb, "revision": revision, **({"sliceSeconds": 0} if in_slices else {})})
        if isinstance(answer, str):
            assert answer in ("unknown_revision", "invalid_version_table")
            return False
        if answer["status"] == "complete":
            return True
        revision = answer["continueWith"]


def alembic_succeeds(config: Config, verb: str, revision: str) -> bool:
    try:
        getattr(command, verb)(config, revision)
    # For some requests, Alembic raises any exception.
    except Exception:
        return False
    return True


def state(database: Database) -> tuple[list[str], list[str]]:
    """The version table, and what has run. The order of revisions that do not depend on each other is undefined."""
    versions = database.versions() if "alembic_version" in database.tables() else []
    return versions, sorted(line for (line,) in database.rows("SELECT line FROM journal.lines"))
