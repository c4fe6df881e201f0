"""Writes the revision that a request asks for, compared with a scratch database at head."""

from __future__ import annotations

from typing import Any

from cdk_alembic.project.environment import application_context, current
from cdk_alembic.project.project import Project

from .create.revision import Differences, NothingToCreate, Placement, create, standing_facts
from .replay.upgrade_to_head import at_head, rename_tables, table_to_fill
from .scratch.models import metadata_of
from .scratch.next_release import NextRelease, carry_out, done_in_models, in_one, pending
from .scratch.scratch import Scratch
from .scratch.standing import Standing, refuse_modules_of


def create_on_scratch(project: Project, scratch: Scratch, ask: dict[str, Any]) -> dict[str, Any]:
    """Returns what `create` does, and the facts of a table to fill or the bodies of the next release's revision.

    Raises RunnerError as `create`."""
    placement = Placement.of(ask.get("placement", {}))
    with application_context(project), at_head(project, scratch, ask) as creator:
        if not ask["empty"]:
            return _create_compared(project, scratch, ask, placement, creator)
        fill = ask.get("fill")
        facts = {"table": table_to_fill(project, fill["table"], fill["column"])} if fill else {}
        return {**create(project, ask["message"], None, placement), **facts}


def standing_on_scratch(project: Project, scratch: Scratch, ask: dict[str, Any]) -> dict[str, Any]:
    """StandingFacts of a checkout of the default branch. Raises RunnerError if its own models could not be loaded."""
    if not project.revisions.heads:
        # Nobody has compared its models with revisions before.
        return {"upgrade_ops": [], "downgrade_ops": [], "catalog": {"added": {}, "removed": {}, "changed": {}}}
    with application_context(project), at_head(project, scratch, ask):
        _carry_out_releases(project, scratch, set())
        facts = standing_facts(project)
    refuse_modules_of(ask["repository"], ask["checkout"])
    return facts


def _carry_out_releases(project: Project, scratch: Scratch, unreleased: set[str]) -> tuple[list[NextRelease], list[NextRelease]]:
    """Those of this branch and those due: compared with the schema after them, the models show what else has changed."""
    releases = scratch.run(lambda connection: pending(connection, project.script))
    done = _done_in_models(project, releases)
    # A model that no longer requires a column needs nothing.
    waiting = [one for one in releases if one.revision in unreleased and (one.dropped or one in done)]
    due = [one for one in done if one.revision not in unreleased]
    scratch.run(lambda connection: carry_out(connection, [one for one in releases if one in waiting or one in due]))
    return waiting, due


def _create_compared(
    project: Project, scratch: Scratch, ask: dict[str, Any], placement: Placement, creator: str | None
) -> dict[str, Any]:
    unseen = not ask.get("asIs", False)
    waiting, due = _carry_out_releases(project, scratch, set(ask.get("unreleased") or [])) if unseen else ([], [])
    renames = ask.get("renames") or []
    tables = scratch.run(lambda connection: rename_tables(connection, renames))
    differences = Differences(
        [pair for pair in renames if pair not in tables],
        tables,
        ask.get("askRenames", True),
        unseen=unseen,
        keep_dropped=ask.get("keepDropped"),
        waiting=waiting,
        due=due,
        standing=Standing(ask["standing"]) if ask.get("standing") else None,
        creator=creator,
    )
    try:
        return create(project, ask["message"], differences, placement)
    except NothingToCreate as nothing:
        if not due:
            raise
        wanted = [one for one in due if one.is_named_in(ask["message"])]
        if not wanted:
            raise _only_due(nothing, due) from nothing
        created = create(project, ask["message"], None, placement)
        return {**created, "left": list(nothing.left), "nextRelease": in_one(wanted)}


def _only_due(nothing: NothingToCreate, due: list[NextRelease]) -> NothingToCreate:
    """What is due is written only if the description says so: a change that has no effect must not become one."""
    descriptions = [text for one in due for text in one.descriptions()]
    files = ", ".join(dict.fromkeys(one.file for one in due))
    commands = " or ".join(f'`safe-alembic create "{text}"`' for text in descriptions)
    message = f"{nothing.message}; what {files} left to this release is due, and the description does not name it"
    return NothingToCreate("nothing_to_create", message, f"for it run {commands}; otherwise change the models first")


def _done_in_models(project: Project, releases: list[NextRelease]) -> list[NextRelease]:
    if not releases:
        return []
    _, models = current(project, lambda heads, context: metadata_of(context.opts.get("target_metadata")))
    return done_in_models(releases, models)
