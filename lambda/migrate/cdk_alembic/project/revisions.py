"""The order of the revisions, and the steps from a database's revision to a target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..database.failures import describe
from ..protocol.errors import ProjectError, RunnerError
from .graph import is_meant
from .project import Project

_RELATIVE = re.compile(r"[+-][0-9]+$")


def path(project: Project, revision: str, heads: tuple[str, ...], downgrade: bool) -> tuple[list[Any], list[str]]:
    """The steps from `heads` to `revision`, and `revision` as ids (empty: base).

    `head` means all heads if several are intended (see is_meant). Raises ProjectError `multiple_heads` or RunnerError
    `unknown_revision`.
    """
    if revision == "head" and len(project.heads) > 1:
        refuse_heads_that_are_not_meant(project)
        revision = "heads"
    with alembic_errors(project, revision):
        script = project.script
        steps = list(script._downgrade_revs(revision, heads) if downgrade else script._upgrade_revs(revision, heads))
    if not _RELATIVE.search(revision):
        return steps, resolve(project, revision)
    return steps, sorted(steps[-1].to_revisions_no_deps if steps else heads)


def resolve(project: Project, revision: str) -> list[str]:
    """An absolute revision as ids; empty for base. Raises RunnerError `unknown_revision`."""
    with alembic_errors(project, revision):
        return sorted(script.revision for script in project.script.get_revisions(revision) if script is not None)


def same_target(target: list[str], revision: str) -> str:
    """The target of the next slice. Resolves a relative step before the database moves; several heads have no single id."""
    if len(target) > 1:
        return revision
    return target[0] if target else "base"


def check_rows(project: Project, rows: Iterable[Any], table: str) -> None:
    """Raises RunnerError `invalid_version_table` if the version table has rows that Alembic never writes."""
    rows = tuple(rows)
    strange = [row for row in rows if not isinstance(row, str) or not row]
    twice = [row for row in rows if rows.count(row) > 1]
    if strange:
        what = f"holds {'NULL' if strange[0] is None else repr(strange[0])} in place of a revision"
        remedy = "delete that row, and make the column version_num varchar(32) NOT NULL again"
    elif twice:
        what = f"holds {twice[0]} {len(twice)} times"
        remedy = "delete all of these rows but one, and make version_num the primary key again"
    elif len(rows) > 1 and (older := _implied(project, rows)):
        what = f"holds {', '.join(sorted(rows))}, and {older} comes before another one of them"
        remedy = f"delete the row {older}: the later one says that it is applied"
    else:
        return
    raise RunnerError("invalid_version_table", f"the version table {table} {what}", f"{remedy}; nothing was changed")


def _implied(project: Project, rows: tuple[str, ...]) -> str | None:
    """A row that is redundant because another row implies it."""
    known = [row for row in rows if project.known(row)]
    seen: set[str] = set()
    open_ends = [below for row in known for below in _below(project, row)]
    while open_ends:
        revision = open_ends.pop()
        if revision in known:
            return revision
        if revision not in seen:
            seen.add(revision)
            open_ends.extend(_below(project, revision))
    return None


def _below(project: Project, revision: str) -> Iterable[str]:
    return project.script.get_revision(revision)._versioned_down_revisions


def refuse_ahead(project: Project, heads: tuple[str, ...]) -> None:
    """Raises RunnerError `database_ahead` if the database has revisions that the scripts do not have."""
    unknown = project.unknown(heads)
    if unknown:
        raise RunnerError(
            "database_ahead",
            f"the database is at {', '.join(unknown)}, which this release does not have "
            f"(its heads: {', '.join(project.heads) or 'none'})",
            "deploy the release that has this revision, or a newer one; nothing was changed",
            revision=unknown[0],
        )


@contextmanager
def alembic_errors(project: Project, revision: str) -> Iterator[None]:
    """Translates Alembic's exceptions about a revision into RunnerError `unknown_revision`."""
    try:
        yield
    # For some notations, such as a relative step from an unknown label, Alembic raises arbitrary exceptions.
    except Exception as error:
        reason = describe(error) if str(error) else "Alembic does not accept it"
        raise RunnerError(
            "unknown_revision",
            f'revision "{revision}" can\'t be reached: {reason}',
            f"name a revision of this release (its heads: {', '.join(project.heads) or 'none'}); "
            "the command history lists all of them",
        ) from error


def refuse_heads_that_are_not_meant(project: Project) -> None:
    """Raises ProjectError `multiple_heads`, with the merge command, if several heads are not intended."""
    if len(project.heads) > 1 and not is_meant(branch_labels(project)):
        raise ProjectError(
            "multiple_heads",
            f"the scripts have {len(project.heads)} heads: {', '.join(project.heads)}",
            f'merge them with `{project.command} merge -m "Merge heads" {" ".join(project.heads)}` and try again, '
            "or give each branch a different label if this is intended",
        )


def branch_labels(project: Project) -> dict[str, set[str]]:
    """The branch labels of each head, including those of its ancestors."""
    return {head.revision: head.branch_labels for head in project.script.get_revisions(project.heads)}
