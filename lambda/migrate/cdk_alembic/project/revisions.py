"""A project's revisions: their order, and the steps from a database's revision to a target."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..connection.listeners import listening
from ..database.failures import describe, location, missing_variable
from ..protocol.errors import ProjectError, RunnerError
from .configuration import command_of, repair
from .graph import Node, are_intended, duplicate, named_as_target, problem, without_id

_RELATIVE = re.compile(r"[+-][0-9]+$")


class Route(NamedTuple):
    """The way from a database's revisions to a requested one."""

    steps: list[Any]
    """Alembic's steps, in order."""
    target: list[str]
    """The requested revision as ids; empty: base."""
    goal: str
    """The same request after some of the steps: `-2` would go two steps further, and `base` would include other branches."""


class Revisions:
    """The revisions, loaded on first use, which is after env.py has started."""

    def __init__(self, script: Any, environment: str) -> None:
        """`script`: Alembic's ScriptDirectory. `environment`: where variables are set."""
        self._script = script
        self._environment = environment
        self._loaded: list[Any] = []
        self._is_whole = False
        self._executed = False
        """Whether loading the files executed a statement."""
        self._unload()

    def _unload(self) -> None:
        from alembic.script.revision import RevisionMap

        self._script.revision_map = RevisionMap(self._scripts)
        self._executed = False

    @property
    def _command(self) -> str:
        return command_of(Path(self._script.dir))

    def load_with(self, connection: Any) -> None:
        """Loads the revisions in an execution of env.py that uses `connection`. Raises ProjectError.

        A file may execute statements when it is loaded. Like every command of Alembic, each execution then loads the files again:
        an earlier one may have rolled the statements back, or used another database.
        """
        if self._executed:
            self._unload()
        with listening((connection, "before_cursor_execute", self._notice)):
            self.load()

    def _notice(self, *_: Any) -> None:
        self._executed = True

    def load(self) -> None:
        """Loads the revisions. Call it while env.py runs: env.py may set their locations and requirements. Raises
        ProjectError."""
        try:
            self._script.get_heads()
        except ProjectError:
            raise
        except (Exception, SystemExit) as error:
            raise _without_id(error) or self.problem() or not_loaded(error, self._command, self._environment) from error

    def problem(self) -> ProjectError | None:
        """The error in the graph of the loaded revisions; None if there is none."""
        # If a file can't be loaded, those after it are not missing.
        return problem([_node(script) for script in self._loaded]) if self._is_whole else None

    def _scripts(self) -> Iterator[Any]:
        """The scripts that Alembic loads."""
        self._loaded.clear()
        self._is_whole = False
        for script in self._script._load_revisions():
            if not script.revision:
                raise without_id(Path(script.path).name)
            self._loaded.append(script)
            yield script
        self._is_whole = True
        nodes = [_node(script) for script in self._loaded]
        if error := named_as_target(nodes) or duplicate(nodes):
            raise error

    @property
    def heads(self) -> tuple[str, ...]:
        self.load()
        return tuple(sorted(self._script.get_heads()))

    def known(self, revision: str) -> bool:
        """Whether a script has exactly this id (Alembic would also accept a prefix)."""
        return revision in self._script.revision_map._revision_map

    def unknown(self, revisions: Iterable[str]) -> list[str]:
        """The revisions that no script has."""
        return sorted(revision for revision in revisions if not self.known(revision))

    def lineage(self, heads: Iterable[str]) -> set[str]:
        """Every revision that has a script and is applied if the version table has `heads`."""
        # Alembic's own iteration rejects heads if one precedes another. A downgrade may leave such rows.
        return self._reached((head for head in heads if self.known(head)), lambda script: script._all_down_revisions)

    def _reached(self, revisions: Iterable[str], parents: Callable[[Any], Iterable[str]]) -> set[str]:
        """These revisions and all that `parents` leads to from their scripts."""
        reached: set[str] = set()
        queue = list(revisions)
        while queue:
            revision = queue.pop()
            if revision not in reached:
                reached.add(revision)
                queue.extend(parents(self._script.get_revision(revision)))
        return reached

    def route(self, revision: str, heads: tuple[str, ...], downgrade: bool) -> Route:
        """The way from `heads` to `revision`.

        `head` means all heads if several are intended (see are_intended). Raises ProjectError `multiple_heads` or RunnerError
        `unknown_revision`.
        """
        if revision == "head" and len(self.heads) > 1:
            self.refuse_unintended_heads()
            revision = "heads"
        with self.alembic_errors(revision):
            move = self._script._downgrade_revs if downgrade else self._script._upgrade_revs
            steps = list(move(revision, heads))
        if _RELATIVE.search(revision):
            target = sorted(steps[-1].to_revisions_no_deps if steps else heads)
        else:
            target = self.resolve(revision)
        if downgrade:
            return Route(steps, target, self._goal_below(revision, heads))
        return Route(steps, target, target[0] if len(target) == 1 else revision)

    def _goal_below(self, revision: str, heads: tuple[str, ...]) -> str:
        """The target of a downgrade from `heads`, as `branch@id`: the branch, if there is one, keeps the others out."""
        with self.alembic_errors(revision):
            branch, target = self._script.revision_map._parse_downgrade_target(heads, revision, assert_relative_length=True)
        return "@".join(part for part in (branch, getattr(target, "revision", "base")) if part)

    def resolve(self, revision: str) -> list[str]:
        """An absolute revision as ids; empty for base. Raises RunnerError `unknown_revision`."""
        with self.alembic_errors(revision):
            return sorted(script.revision for script in self._script.get_revisions(revision) if script is not None)

    def check_rows(self, rows: Iterable[Any], table: str, downgrade: bool = False) -> None:
        """Raises RunnerError `invalid_version_table` if the version table has rows from which Alembic can't upgrade, or with
        `downgrade`, from which it can't downgrade."""
        rows = tuple(rows)
        invalid = [row for row in rows if not isinstance(row, str) or not row]
        duplicates = [row for row in rows if rows.count(row) > 1]
        if invalid:
            what = f"holds {'NULL' if invalid[0] is None else repr(invalid[0])} instead of a revision"
            remedy = "delete that row, and make the column version_num varchar(32) NOT NULL again"
        elif duplicates:
            what = f"holds {duplicates[0]} {len(duplicates)} times"
            remedy = "delete all of these rows but one, and make version_num the primary key again"
        # Alembic's downgrade may itself write such rows, and goes on from them.
        elif not downgrade and len(rows) > 1 and (older := self._implied(rows)):
            what = f"holds {', '.join(sorted(rows))}, and {older} precedes another one of them"
            remedy = f"delete the row {older}: the later one implies it"
        else:
            return
        raise RunnerError("invalid_version_table", f"the version table {table} {what}", f"{remedy}; nothing was changed")

    def _implied(self, rows: tuple[str, ...]) -> str | None:
        """A row that is redundant because another row implies it."""
        known = [row for row in rows if self.known(row)]
        parents = [parent for row in known for parent in self._script.get_revision(row)._versioned_down_revisions]
        earlier = self._reached(parents, lambda script: script._versioned_down_revisions)
        return next((row for row in known if row in earlier), None)

    def refuse_ahead(self, heads: tuple[str, ...]) -> None:
        """Raises RunnerError `database_ahead` if the database has revisions that the scripts do not have."""
        unknown = self.unknown(heads)
        if unknown:
            raise RunnerError(
                "database_ahead",
                f"the database is at {', '.join(unknown)}, which this release does not have "
                f"(its heads: {', '.join(self.heads) or 'none'})",
                "deploy the release that has this revision, or a newer one; nothing was changed",
                revision=unknown[0],
            )

    @contextmanager
    def alembic_errors(self, revision: str) -> Iterator[None]:
        """Translates Alembic's exceptions about a revision into RunnerError `unknown_revision`."""
        try:
            yield
        # For some notations, such as a relative step from an unknown label, Alembic raises any exception.
        except Exception as error:
            reason = describe(error) if str(error) else "Alembic does not accept it"
            raise RunnerError(
                "unknown_revision",
                f'revision "{revision}" can\'t be reached: {reason}',
                f"name a revision of this release (its heads: {', '.join(self.heads) or 'none'}); "
                "the command history lists all of them",
            ) from error

    def refuse_unintended_heads(self) -> None:
        """Raises ProjectError `multiple_heads`, with the merge command, if several heads are not intended."""
        if len(self.heads) > 1 and not are_intended(self.branch_labels()):
            raise ProjectError(
                "multiple_heads",
                f"the scripts have {len(self.heads)} heads: {', '.join(self.heads)}",
                f'merge them with `{self._command} merge -m "Merge heads" {" ".join(self.heads)}` and try again, '
                "or give each branch a different label if this is intended",
            )

    def branch_labels(self) -> dict[str, set[str]]:
        """The branch labels of each head, including those of its ancestors."""
        return {head.revision: head.branch_labels for head in self._script.get_revisions(self.heads)}


def not_loaded(error: BaseException, command: str, environment: str) -> ProjectError:
    """The error for scripts that can't be loaded. `command`: the command that runs Alembic. `environment`: where variables
    are set."""
    message = f"the revisions could not be loaded: {describe(error)}{location(error)}"
    step = f"set it {environment}" if missing_variable(error) else repair(command)
    return ProjectError("invalid_project", message, step)


def _without_id(error: BaseException) -> ProjectError | None:
    """The error for the file that Alembic was reading, if it declares no id. Alembic's own error names no file, or no step that
    helps."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_locals.get("module") if frame.f_code.co_name in ("_from_path", "_from_filename") else None
        if module is not None and not isinstance(getattr(module, "revision", None), str):
            return without_id(str(frame.f_locals["filename"]))
    return None


def _node(script: Any) -> Node:
    given = script.dependencies or ()
    depends_on = (given,) if isinstance(given, str) else tuple(given)
    labels = tuple(script._orig_branch_labels or ())
    return Node(script.revision, Path(script.path).name, tuple(script._versioned_down_revisions), depends_on, labels)


def info(script: Any) -> dict[str, str]:
    """A script as the contract's RevisionInfo: its id and the first line of its docstring."""
    return {"revision": script.revision, "message": ((script.doc or "").strip().splitlines() or [""])[0]}
