"""The order of revisions, as declared in their files. Requires no Alembic: synth uses the same rules.

Alembic itself fails with a bare KeyError here, or silently uses the last of two files with the same id.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from ..protocol.errors import ProjectError


class Node(NamedTuple):
    """A revision as declared in its file."""

    revision: str
    file: str
    """The file's name."""
    down: tuple[str, ...]
    depends_on: tuple[str, ...]
    """Ids or branch labels."""
    labels: tuple[str, ...] = ()
    """Branch labels in its file."""


def duplicate(nodes: Iterable[Node]) -> ProjectError | None:
    """The error for two files with the same revision id; None if there is no error."""
    found: dict[str, Node] = {}
    for node in nodes:
        if (other := found.setdefault(node.revision, node)) is not node:
            return ProjectError(
                "invalid_project",
                f"two files have the revision id {node.revision}: {other.file} and {node.file}",
                "give one of them a new id, and use that id in the revisions that follow it",
            )
    return None


# Alembic reads them as targets, also as a down_revision.
_TARGETS = ("base", "head", "heads", "current")


def named_as_target(nodes: Iterable[Node]) -> ProjectError | None:
    """The error for an id that Alembic does not find again; None if there is no error."""
    node = next((node for node in nodes if node.revision in _TARGETS), None)
    return node and ProjectError(
        "invalid_project",
        f"{node.file} has the revision id {node.revision}, which is a word of Alembic's commands",
        "give it another id, and use that id in the revisions that follow it",
    )


def without_id(file: str) -> ProjectError:
    """The error for a revision file that declares no id."""
    return ProjectError(
        "invalid_project",
        f"{file} has no revision id",
        'give it one, such as `revision = "1a2b3c4d5e6f"`, or move it out of the folder of the revisions',
    )


def problem(nodes: Collection[Node]) -> ProjectError | None:
    """The error for an unusable id, a missing revision or a cycle; None if there is no error."""
    if error := named_as_target(nodes) or duplicate(nodes):
        return error
    found = {node.revision: node for node in nodes}
    named = found.keys() | {label for node in nodes for label in node.labels}
    for node in nodes:
        for down in node.down:
            if down not in found:
                return _missing(node, "down_revision", "follows", down, "or None if it is the first one")
        for other in node.depends_on:
            if other not in named:
                return _missing(node, "depends_on", "depends on", other, "or None if it depends on none")
    try:
        TopologicalSorter({node.revision: (*node.down, *node.depends_on) for node in nodes}).prepare()
    except CycleError as error:
        cycle = ", ".join(f"{revision} ({found[revision].file})" for revision in sorted(set(error.args[1])))
        return ProjectError(
            "invalid_project",
            f"revisions follow each other in a cycle: {cycle}",
            "correct down_revision or depends_on in one of them",
        )
    return None


def _missing(node: Node, variable: str, verb: str, name: str, otherwise: str) -> ProjectError:
    """The error for a revision that names another one in a variable of its file."""
    if not str(name).strip():
        return ProjectError(
            "invalid_project",
            f"revision {node.revision} ({node.file}) has an empty id in {variable}",
            f"set {variable} to the revision that it {verb}, {otherwise}",
        )
    return ProjectError(
        "invalid_project",
        f"revision {node.revision} ({node.file}) {verb} {_shown(name)}, which no file has",
        f"add the file of that revision, or correct {variable}",
    )


def _shown(name: str) -> str:
    """An id for a message: in quotes if it could be misread."""
    return name if re.fullmatch(r"\S+", str(name)) and name != "None" else repr(name)


def are_intended(labels: Mapping[str, Collection[str]]) -> bool:
    """Whether several heads are intended, so that a deploy upgrades all of them: each has a branch label of its own."""
    return len(unique_labels(labels)) == len(labels)


def unique_labels(labels: Mapping[str, Collection[str]]) -> dict[str, str]:
    """For each head with a label that no other head has: the first such label."""
    every = [label for names in labels.values() for label in names]
    unique = {head: [label for label in sorted(names) if every.count(label) == 1] for head, names in labels.items()}
    return {head: names[0] for head, names in unique.items() if names}
