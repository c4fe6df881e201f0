"""Finds the revision that matches the catalog of a database created without Alembic (create_all)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.catalog import catalog, raw
from cdk_alembic.catalog.catalog_reader import Catalog, read
from cdk_alembic.database.failures import describe, location
from cdk_alembic.project.environment import current, run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redact

from ..scratch.scratch import Scratch
from .env_facts import prepare, without_outer_transaction
from .reload import reloaded_function

# Grants belong to the environment, not to a revision.
_NOT_COMPARED = ("grants on ",)


def entries_of(project: Project) -> dict[str, str]:
    """The catalog entries of the project's own database, which is only read. Raises RunnerError."""
    _, entries = current(project, lambda heads, context: _comparable_entries(read(context.connection, context)))
    return entries


def match_revision(project: Project, scratch: Scratch, entries: dict[str, str]) -> dict[str, Any]:
    """PlacedFacts: the revision with these catalog entries. Applies all revisions to the empty scratch database, one by one."""
    search = _Search(project, entries)
    try:
        run_environment(project, search.steps, around=search.around)
    except RunnerError as error:
        if scratch.refused:
            raise
        search.stopped(error.message)
    except (Exception, SystemExit) as error:
        search.stopped(f"{describe(error)}{location(error)}")
    finally:
        scratch.empty(keep_mark=True)
    return search.facts


class _Search:
    """`around` and `steps` are arguments of run_environment."""

    def __init__(self, project: Project, entries: dict[str, str]) -> None:
        self._project = project
        self._entries = entries
        self._catalog = Catalog()
        self._revision: str | None = None
        """The running revision."""
        self._fewest_differences: int | None = None
        self.facts: dict[str, Any] = {"command": project.command, "heads": [], "later": []}

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        with without_outer_transaction(context):
            with raw.committed(context.connection):
                prepare(context)
            yield

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        commit_open_transaction(context)
        with self._project.revisions.alembic_errors("heads"):
            steps = list(self._project.script._upgrade_revs("heads", heads))
        for step in steps:
            self._revision = step.revision.revision
            step.migration_fn = reloaded_function(context, step.revision, True)
            yield step
            heads = context.get_current_heads()
            # Reading the heads has started a transaction.
            commit_open_transaction(context)
            self._compare(step.revision.revision, sorted(heads), context)
        self._revision = None

    def stopped(self, reason: str) -> None:
        """Records that the remaining revisions were not compared."""
        self.facts["stopped"] = redact(f"revision {self._revision}: {reason}" if self._revision else reason)

    def _compare(self, revision: str, heads: list[str], context: Any) -> None:
        with raw.rolled_back(context.connection):
            here = _comparable_entries(self._catalog.take(context.connection))
        differs = catalog.change(self._entries, here)
        number = sum(map(len, differs.values()))
        if self._fewest_differences is None or number < self._fewest_differences:
            self._fewest_differences = number
            self.facts.update(heads=heads, later=[], differs=differs)
        elif number == self._fewest_differences == 0:
            self.facts["later"].append(revision)


def commit_open_transaction(context: Any) -> None:
    """Commits a transaction that Alembic or a step has left open."""
    raw.commit(context.connection)
    context._transaction = None


def _comparable_entries(snapshot: catalog.Snapshot) -> dict[str, str]:
    return {key: value for key, value in snapshot.entries.items() if not key.startswith(_NOT_COMPARED)}
