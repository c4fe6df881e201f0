"""The models as env.py imports them: a revision that runs in this process may reflect other tables into their metadata."""

from __future__ import annotations

from typing import Any


def metadata_of(target: Any) -> list[Any]:
    """env.py's `target_metadata` as a list."""
    if isinstance(target, (list, tuple, set, frozenset)):
        return list(target)
    return [] if target is None else [target]


class ImportedModels:
    """The tables that the models have before a revision runs."""

    def __init__(self, context: Any) -> None:
        self._tables = [(metadata, set(metadata.tables)) for metadata in metadata_of(context.opts.get("target_metadata"))]

    def restore(self) -> None:
        """Removes the tables that came later."""
        for metadata, own in self._tables:
            for name in set(metadata.tables) - own:
                metadata.remove(metadata.tables[name])
