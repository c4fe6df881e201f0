"""What pending revisions would destroy: determined when the package was built, otherwise from patterns in their source.

A revision that destroys data acknowledges it in its own file, with a reason: `# cdk-alembic: allow drop-table: moved to orders`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.rules import BACKEND_DIRECTORY, MANIFEST_FILE
from .configuration import manifest, package_root
from .sources import UNREAD, acknowledgements, losses_of, source_of


def data_losses(scripts: Iterable[Any], unread: bool = False) -> list[dict[str, Any]]:
    """What the upgrades of these scripts destroy, in order: the contract's DataLoss. `unread`: include SQL that can't be read."""
    return [loss for loss in _all(scripts) if unread or loss["rule"] != UNREAD]


def uncertain_losses(scripts: Iterable[Any]) -> list[str]:
    """A sentence for each unacknowledged place that may destroy data and that stops no run."""
    uncertain = [loss for loss in _all(scripts) if loss["rule"] == UNREAD and "acknowledgement" not in loss]
    return [f"{_place(loss)} {loss['what']}" for loss in uncertain]


def unreadable(scripts: Iterable[Any]) -> list[str]:
    """A warning for each script without source in the package."""
    return [
        f"revision {script.revision} has no source file, so the guard cannot see what it destroys"
        for script in scripts
        if not source_of(Path(script.path))
    ]


def refuse_unacknowledged(scripts: Iterable[Any], unread: bool = False) -> None:
    """Raises RunnerError `blocked`, which names each unacknowledged place and the comment to write."""
    unacknowledged = [loss for loss in data_losses(scripts, unread) if "acknowledgement" not in loss]
    if unacknowledged:
        losses = "; ".join(f"{loss['what']} in {_place(loss)}" for loss in unacknowledged)
        comments = " and ".join(
            f"`# cdk-alembic: allow {rule}: <reason>`" for rule in dict.fromkeys(loss["rule"] for loss in unacknowledged)
        )
        raise RunnerError(
            "blocked",
            f"pending revisions destroy data: {losses}",
            f"nothing was applied; if this is intended, add {comments} to the file that does it and try again",
            revision=unacknowledged[0]["revision"],
            data_loss=unacknowledged,
        )


def _all(scripts: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"revision": script.revision, **loss} for script in scripts for loss in _losses_of_file(Path(script.path))]


def _place(loss: dict[str, Any]) -> str:
    return f"revision {loss['revision']} ({loss['file']}:{loss['line']})"


def _losses_of_file(path: Path) -> list[dict[str, Any]]:
    return _losses_of_source(path.name, source_of(path), _losses_in_manifest(path))


# Each of a thousand tenants checks the same revisions.
@lru_cache(maxsize=1024)
def _losses_of_source(name: str, source: bytes, packaged: tuple[tuple[str, str, int], ...] | None) -> list[dict[str, Any]]:
    found = losses_of(source) if packaged is None else packaged
    comments = list(acknowledgements(source)) if found else []
    losses = []
    for rule, what, line in found:
        loss = {"rule": rule, "what": what, "file": name, "line": line}
        reason = _reason(comments, rule, line)
        losses.append(loss if reason is None else {**loss, "acknowledgement": reason})
    return losses


def _reason(comments: Iterable[tuple[str, str, int]], rule: str, line: int) -> str | None:
    """That of the last comment above a loss, if the file has several for the rule."""
    own = [(at, reason) for named, reason, at in comments if named == rule]
    above = [reason for at, reason in own if at <= line]
    return above[-1] if above else own[0][1] if own else None


def _losses_in_manifest(path: Path) -> tuple[tuple[str, str, int], ...] | None:
    """The losses that the build of the package found in a file; None if the build did not read revisions."""
    root = package_root()
    backend, file, manifest_file = (root / BACKEND_DIRECTORY).resolve(), path.resolve(), root / MANIFEST_FILE
    if not manifest_file.is_file() or not file.is_relative_to(backend):
        return None
    destroys = _destroys(root, manifest_file.stat().st_mtime_ns)
    if destroys is None:
        return None
    found = destroys.get(file.relative_to(backend).as_posix(), ())
    return tuple((loss["rule"], loss["what"], loss["line"]) for loss in found)


@lru_cache(maxsize=1)
def _destroys(_root: Path, _changed: int) -> dict[str, list[dict[str, Any]]] | None:
    return manifest().get("destroys")
