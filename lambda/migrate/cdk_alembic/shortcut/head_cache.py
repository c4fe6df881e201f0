"""The full way's note for the shortcut: what Alembic and env.py found, which a cold call can't know without them."""

from __future__ import annotations

import json
import os
from typing import Any

from ..database import history
from ..database.failures import describe
from ..database.mutex import own_connection
from ..project.project import Project
from ..protocol.contract import DEPENDENCIES_DIRECTORY
from ..protocol.invocation import Call
from ..protocol.log import log, redact
from . import fingerprint

_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS cdk_alembic",
    """
CREATE TABLE IF NOT EXISTS cdk_alembic.note (
  id text PRIMARY KEY,
  place text NOT NULL,
  sources text NOT NULL,
  head text NOT NULL,
  version_table oid NOT NULL,
  files json NOT NULL,
  scripts json NOT NULL
)""",
)
_STATE = """
SELECT to_regclass('cdk_alembic.note') IS NOT NULL, has_database_privilege(current_database(), 'CREATE')
"""
# Asked over env.py's own connection, whose search_path may be its own.
_VERSION_TABLE = f"SELECT CAST(CAST(to_regclass('{fingerprint.VERSION_TABLE}') AS oid) AS bigint)"
_LEAVE = """
INSERT INTO cdk_alembic.note AS old (id, place, sources, head, version_table, files, scripts)
VALUES (:id, :place, :sources, :head, CAST(:version_table AS bigint), CAST(CAST(:files AS text) AS json),
  CAST(CAST(:scripts AS text) AS json))
ON CONFLICT (id) DO UPDATE SET place = EXCLUDED.place, sources = EXCLUDED.sources, head = EXCLUDED.head,
  version_table = EXCLUDED.version_table, files = EXCLUDED.files, scripts = EXCLUDED.scripts
"""


def leave(project: Project, call: Call, context: Any, heads: tuple[str, ...]) -> None:
    """Writes down what a cold call needs, after an upgrade that ended at the only head. A doubt leaves no note, a role that may
    not write none either."""
    from sqlalchemy.exc import SQLAlchemyError

    address = project.observation.address() if project.observation else None
    if not address or heads != project.heads or len(heads) != 1 or not _is_plain(context) or not _is_plain_text(call, heads):
        return
    root = str(project.directory.parent)
    files = sorted(project.observation.files)
    scripts = {script.revision: os.path.relpath(script.path, root) for script in project.script.walk_revisions()}
    contents = fingerprint.checksums(root, files)
    settings = {"stage": call.settings.stage, "database": call.settings.database}
    values = {
        "id": fingerprint.note_id(settings),
        "place": fingerprint.place(settings, *address),
        "sources": fingerprint.sources(root, contents, DEPENDENCIES_DIRECTORY),
        "head": heads[0],
        "files": json.dumps(files),
        "scripts": json.dumps(scripts),
    }
    try:
        version_table = context.connection.exec_driver_sql(_VERSION_TABLE).scalar()
        with own_connection(context) as connection:
            exists, may_create = connection.exec_driver_sql(_STATE).one()
            if version_table is None or not (exists or may_create):
                return
            if not exists:
                for statement in _CREATE:
                    connection.exec_driver_sql(statement)
            history.execute(connection, _LEAVE, **values, version_table=version_table)
    except SQLAlchemyError as error:
        log("INFO", "note_not_left", stage=call.settings.stage, reason=describe(error))


def _is_plain(context: Any) -> bool:
    """Whether Alembic reads what `SELECT version_num FROM alembic_version` reads."""
    return (
        context.version_table == fingerprint.VERSION_TABLE
        and not context.version_table_schema
        and context._version.columns.keys() == ["version_num"]
        and not context.connection.get_execution_options().get("schema_translate_map")
    )


def _is_plain_text(call: Call, heads: tuple[str, ...]) -> bool:
    """Whether there is nothing that an answer or a log line would have to blot out."""
    return all(redact(text) == text for text in (call.settings.stage, *heads))
