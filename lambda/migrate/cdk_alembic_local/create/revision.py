"""Writes a new revision as `alembic revision` would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cdk_alembic.database.conditions import connection_failure
from cdk_alembic.database.failures import describe, statement_of
from cdk_alembic.project.graph import unique_labels
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError

from ..scratch.next_release import NextRelease
from ..scratch.set_aside import is_kept, remove_drops, today
from ..scratch.standing import Standing, operations_of
from ..source.graph import relative, revision_files
from ..source.post_write_hooks import hooks_may_fail
from .changed_columns import changed_columns
from .own_types import own_types


class NothingToCreate(RunnerError):
    """No difference between models and database can be written."""

    left: Sequence[str] = ()
    """The differences that are there all the same."""


class Placement(NamedTuple):
    """Where a revision goes: arguments of `alembic.command.revision`."""

    head: str | None = None
    """None: the only head."""
    splice: bool = False
    branch_label: str | None = None
    version_path: str | None = None
    rev_id: str | None = None
    depends_on: list[str] | None = None

    @classmethod
    def of(cls, given: dict[str, Any]) -> Placement:
        """From the contract's RevisionPlacement."""
        names = {"branchLabel": "branch_label", "versionPath": "version_path", "revId": "rev_id", "dependsOn": "depends_on"}
        return cls(**{names.get(name, name): value for name, value in given.items()})


ANYWHERE = Placement()


class Differences(NamedTuple):
    """How the differences between models and database are written."""

    renames: Sequence[Sequence[str]] = ()
    """Pairs of names of columns."""
    renamed_tables: Sequence[Sequence[str]] = ()
    """Pairs of names. The database has the new ones already."""
    ask_renames: bool = True
    """Whether other drops that look like a rename are refused."""
    unseen: bool = True
    """Whether differences that autogenerate does not see are written too."""
    keep_dropped: int | None = None
    """For how many days what is dropped is kept under another name; None: it is dropped."""
    waiting: Sequence[NextRelease] = ()
    """What this release's revisions have for the next one. The database has it already."""
    due: Sequence[NextRelease] = ()
    """What the revisions of earlier releases have for this one. The database has it already."""
    standing: Standing | None = None
    """What is left out."""
    creator: str | None = None
    """The place of a revision that created tables from the models: the database has their changes already."""


def create(project: Project, message: str, differences: Differences | None, placement: Placement = ANYWHERE) -> dict[str, Any]:
    """Writes a revision. Returns its id and file, as `earlier` those that env.py creates before it, what differs and is not
    written, and, as `hookFailure`, why a post_write_hook failed.

    With `differences`, runs env.py, whose database must be at head; None: the revision is empty.
    Raises RunnerError `nothing_to_create`, `looks_like_rename`, `no_target_metadata`,
    `create_failed`, `multiple_heads` or a connection error.
    """
    from alembic import command

    if placement.head is None:
        _refuse_several_heads(project)
    if placement.rev_id is not None and project.revisions.known(placement.rev_id):
        raise RunnerError(
            "create_failed", f"there is a revision {placement.rev_id} already", "choose another --rev-id, or leave it out"
        )
    arguments = {
        **placement._asdict(),
        "head": placement.head or "head",
        "message": message,
        "autogenerate": differences is not None,
    }
    before = revision_files(project.script)
    finish = None if differences is None else _Finish(project, differences)
    if _env_moves_revisions(project):
        project.config.set_main_option("revision_environment", "true")
    as_is = differences is not None and not differences.unseen
    types = nullcontext() if as_is else own_types(Path(project.script.dir) / "script.py.mako")
    with chdir(project.directory), _as_command_line(project.config, arguments), types, hooks_may_fail() as failures:
        try:
            written = command.revision(project.config, process_revision_directives=finish, **arguments)
        except RunnerError:
            raise
        except (Exception, SystemExit) as error:
            files = [relative(path, project.directory) for path in revision_files(project.script) - before]
            raise _failure(project, error, files) from error
    scripts = written if isinstance(written, list) else [written]
    left = finish.left if finish else []
    if not scripts or scripts[-1] is None:
        raise finish.nothing() if finish else _nothing([], None, Differences())
    *earlier, last = [{"revision": one.revision, "file": relative(one.path, project.directory)} for one in scripts]
    created = {**last, "earlier": earlier, "left": left}
    if differences and differences.standing and differences.standing.count:
        created["standing"] = differences.standing.count
    if failures:
        created["hookFailure"] = failures[0]
    return created


def standing_facts(project: Project) -> dict[str, Any]:
    """StandingFacts, from a database at head. Writes nothing."""
    from alembic import command

    from .unseen_differences import compare

    found: dict[str, Any] = {}

    def look(context: Any, directives: list[Any]) -> None:
        found.update(operations_of(context, directives), catalog=compare(context, [])[1])
        directives.clear()

    def hook(context: Any, revision: Any, directives: list[Any]) -> None:
        _after_own_hook(context, directives, look)

    arguments = {"message": "standing drift", "autogenerate": True}
    with chdir(project.directory), _as_command_line(project.config, arguments):
        command.revision(project.config, process_revision_directives=hook, **arguments)
    return found


def _refuse_several_heads(project: Project) -> None:
    project.revisions.refuse_unintended_heads()
    if len(project.revisions.heads) > 1:
        branches = sorted(unique_labels(project.revisions.branch_labels()).values())
        raise RunnerError(
            "multiple_heads",
            f"the scripts have {len(project.revisions.heads)} labeled branches, and a new revision can follow only one",
            f"name the one to follow: {' or '.join(f'--head {label}@head' for label in branches)}",
        )


def _env_moves_revisions(project: Project) -> bool:
    """Whether env.py sets the revisions' locations, so Alembic must run it before it writes a revision."""
    from alembic.script import ScriptDirectory

    return project.script._version_locations != ScriptDirectory.from_config(project.config)._version_locations


@contextmanager
def _as_command_line(config: Any, options: dict[str, Any]) -> Iterator[None]:
    """Gives env.py the options of an `alembic revision` on the command line: hooks read `config.cmd_opts.autogenerate`."""
    from alembic.config import CommandLine

    before = config.cmd_opts
    config.cmd_opts = CommandLine().parser.parse_args(["revision"])
    vars(config.cmd_opts).update({"x": getattr(before, "x", None), **options})
    try:
        yield
    finally:
        config.cmd_opts = before


def _after_own_hook(context: Any, directives: list[Any], then: Callable[[Any, list[Any]], None]) -> None:
    """Alembic calls this before env.py's own process_revision_directives, which may add or remove operations."""
    hook: Callable[..., None] | None = context.opts["process_revision_directives"]

    def hook_and_then(context: Any, revision: Any, directives: list[Any]) -> None:
        given = list(directives)
        if hook:
            hook(context, revision, directives)
        # Alembic's cookbook and Flask-Migrate leave nothing of a revision in which autogenerate sees nothing.
        if not directives and all(directive.upgrade_ops.is_empty() for directive in given):
            directives[:] = given
        then(context, directives)

    for directive in directives:
        remove_drops(directive.upgrade_ops, is_kept)
        directive.upgrade_ops.reverse_into(directive.downgrade_ops)
    context.opts["process_revision_directives"] = hook_and_then


class _Finish:
    """Adds to a revision what autogenerate did not find, and removes what is not to be written."""

    def __init__(self, project: Project, differences: Differences) -> None:
        self._project = project
        self._differences = differences
        self.left: list[str] = []
        self.uncompared: str | None = None
        """Why the catalogs could not be compared."""

    def __call__(self, context: Any, revision: Any, directives: list[Any]) -> None:
        _after_own_hook(context, directives, self._finish)

    def _finish(self, context: Any, directives: list[Any]) -> None:
        if directives:
            self._complete(context, directives)
        if all(operations.is_empty() for directive in directives for operations in directive.upgrade_ops_list):
            raise self.nothing()

    def nothing(self) -> NothingToCreate:
        return _nothing(self.left, self.uncompared, self._differences)

    def _complete(self, context: Any, directives: list[Any]) -> None:
        from .keep_dropped import keep_dropped
        from .own_operations import out_of_batches
        from .renames import apply_renames, write_renamed_tables
        from .table_order import order_tables

        renames, tables, ask_renames, unseen, days, *_ = self._differences
        standing = self._differences.standing
        if standing:
            standing.remove_operations(context, directives)
        apply_renames(context, directives, renames, ask=ask_renames)
        order_tables(directives)
        if unseen:
            self._add_unseen(context, directives)
        write_renamed_tables(directives, tables)
        if days is not None:
            keep_dropped(context, directives, today() + timedelta(days=days))
        out_of_batches(directives)
        self._refuse_served(directives)

    def _refuse_served(self, directives: list[Any]) -> None:
        """Refuses a change of a column that a trigger keeps equal to another one until the next release."""
        waiting, due = self._differences.waiting, self._differences.due
        changed = {column for directive in directives for column in changed_columns(directive.upgrade_ops)}
        for release in (*waiting, *due):
            for table, column in changed.intersection(release.served):
                drop = f'safe-alembic create "Drop {release.dropped[0][1]} of {table}"'
                step = f"take the change out of the models, run `{drop}`, and then change them"
                raise RunnerError(
                    "create_failed",
                    f"{table}.{column} can't change yet: a trigger of {release.file} keeps it equal to another column until the "
                    "next release",
                    step if release in due else f"release what this branch has first; after that, {step}",
                )

    def _add_unseen(self, context: Any, directives: list[Any]) -> None:
        from .constraint_names import name_constraints
        from .conversions import convert, without_checks
        from .identities import without_identities
        from .new_columns import add_defaults
        from .percents import write_percents_once
        from .unseen_differences import find

        write_percents_once(context)
        name_constraints(directives)
        defaults = add_defaults(directives)
        without_checks(directives)
        convert(context, directives)
        without_identities(directives)
        try:
            found = find(context, directives, [new for _, new in self._differences.renamed_tables], self._differences.standing)
        except Exception as error:
            statement = statement_of(error)
            self.uncompared = f"{describe(error)}, in {' '.join(statement.split())}" if statement else describe(error)
            self.left = [f"what only the catalogs show, because they could not be compared: {self.uncompared}"]
            return
        found.add_to(directives[0])
        self.left = found.left
        if defaults and context.opts["compare_server_default"]:
            self.left.append(f"in the models, {', '.join(defaults)}: env.py compares defaults, so `alembic check` asks for it")


def _nothing(left: list[str], uncompared: str | None, differences: Differences) -> NothingToCreate:
    error = NothingToCreate("nothing_to_create", *_why_nothing(left, uncompared, differences))
    error.left = left
    return error


def _why_nothing(left: list[str], uncompared: str | None, differences: Differences) -> tuple[str, str]:
    """The message and the next step."""
    waiting, standing, creator = differences.waiting, differences.standing, differences.creator
    if creator is not None:
        return (
            f"{creator} creates tables from the models as they are now, so an empty database has your changes already",
            "pass a schema dump of production as the starting point (--baseline), or write into that revision the tables of then",
        )
    if uncompared is not None:
        return (
            f"autogenerate sees no change, and what it does not see could not be compared: {uncompared}",
            "correct the models, so that `metadata.create_all()` works in an empty database; for a revision without operations "
            "pass --empty",
        )
    if standing and standing.count and not left:
        return (
            f"the models have no change since {standing.since} to write: they differ from the migrations only as there, in "
            f"{standing.count} {'place' if standing.count == 1 else 'places'}",
            "change the models first; to write these differences, pass --with-drift",
        )
    files = ", ".join(dict.fromkeys(one.file for one in waiting))
    later = f"the next release changes something, as a comment in {files} says"
    if left:
        found = "; ".join([*left, later] if waiting else left)
        return (
            f"nothing can be written, but models and migrations do not agree: {found}",
            "change the models, or write the operations by hand into the revision that --empty makes",
        )
    if waiting:
        return (
            f"models and migrations agree: only {later}",
            "release it; after that, this command writes the revision of the next release",
        )
    return (
        "models and migrations agree: there is nothing to write into a revision",
        "change the models first, and make sure that env.py imports all of them; for a revision without operations pass --empty",
    )


def _failure(project: Project, error: BaseException, written: list[str]) -> RunnerError:
    from alembic.util import CommandError

    reason = str(error) if isinstance(error, CommandError) else describe(error)
    if written:
        return RunnerError(
            "create_failed",
            f"{', '.join(written)} was written, and what came after it failed: {reason}",
            "look at the file; delete it to begin again",
        )
    if isinstance(error, CommandError) and "does not provide a MetaData object" in reason:
        return RunnerError(
            "no_target_metadata",
            "there are no models to compare the migrations with: env.py sets no target_metadata",
            "set it in env.py (`target_metadata = Base.metadata`), or pass --empty and write the operations by hand",
        )
    if isinstance(error, FileNotFoundError) and Path(error.filename or "").name == "script.py.mako":
        return RunnerError(
            "create_failed",
            f"no revision was written: {Path(project.script.dir).name} has no script.py.mako, the template of a revision",
            "copy it from the folder that `alembic init new` makes",
        )
    if isinstance(error, Exception) and (failure := connection_failure(error)):
        return failure
    return RunnerError(
        "create_failed",
        f"no revision was written: {reason}",
        f'run `{project.command} revision --autogenerate -m "..."` in the project\'s folder and fix what it reports',
    )
