"""Where env.py's connection finds and creates what has no schema in its name."""

from __future__ import annotations

from typing import Any, NamedTuple

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot

_CURRENT = """
SELECT json_build_array(coalesce(current_schema(), 'public'), concat_ws(', ', nullif(current_setting('search_path'), ''),
  CASE WHEN current_schema() IS NULL THEN 'public' END))::text
"""


class SearchPath(NamedTuple):
    """A connection's search_path, with `public` at its end if none of its schemas exists."""

    schema: str
    """Its first existing schema."""
    setting: str

    @classmethod
    def of(cls, connection: Any) -> SearchPath:
        return cls(*raw.value(connection, _CURRENT))

    def set_on(self, connection: Any) -> None:
        """Sets it for the session."""
        raw.execute(connection, f"SELECT set_config('search_path', {raw.literal(self.setting)}, false)")

    def relative(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the names that models use: those in the first schema have none."""
        return snapshot if self.schema == "public" else snapshot.relative_to(self.schema)
