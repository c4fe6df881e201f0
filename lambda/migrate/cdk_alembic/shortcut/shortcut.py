"""Answers a call that has nothing to do: one query over the backend's own driver, without Alembic and SQLAlchemy.

The full way leaves a note in the database (head_cache.py): with this environment, these sources and this address, Alembic found
that the scripts end at this head, and that the table of this oid is its version table. If all of it is unchanged and the version
table holds that head, the full way would answer the same. Any doubt takes the full way.
"""

from __future__ import annotations

# Pathlib is slow to import.
# ruff: noqa: PTH100, PTH112, PTH118, PTH123
import json
import os
import sys
import time

from ..protocol.contract import CONTRACT_VERSION, DEPENDENCIES_DIRECTORY, MANIFEST_FILE, SETTINGS_VARIABLE, request_problems
from ..protocol.outcome import ended, metrics
from . import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# With less time left the full way has better errors for what may come.
LEAST_SECONDS = 10

_OPTIONS = {
    "upgrade": ("command", "revision", "sliceSeconds", "requestedBy", "runId"),
    "plan": ("command", "revision"),
    "current": ("command",),
}

_QUERY = """
SELECT json_build_object(
  'place', note.place, 'sources', note.sources, 'head', note.head, 'read', {read},
  'atHead', note.version_table = '{table}'::regclass::oid
    AND ARRAY(SELECT version_num::text FROM {table}) = ARRAY[note.head],
  'free', pg_try_advisory_xact_lock_shared({key}),
  'checksums', {checksums})::text
FROM cdk_alembic.note WHERE id = '{id}'
"""
_CHECKSUMS = """(
    SELECT json_object_agg(latest.revision, latest.checksum) FROM (
      SELECT DISTINCT ON (revision) revision, checksum
      FROM cdk_alembic.run_revision JOIN cdk_alembic.run ON run.id = run_id
      WHERE version_table = '{table}' ORDER BY revision, started_at DESC, position DESC) AS latest)"""

_of_package: dict[str, tuple[str, dict[str, str]]] = {}
"""Digest of a package's sources, and checksums of its revisions: they can't change while the process lives."""


class Doubt(Exception):
    """Why the full way is taken."""


def attempt(event: Any, context: Any) -> dict[str, Any] | str:
    """The answer, or why the full way has to give it."""
    started = time.monotonic()
    try:
        answer = _answer(event, context)
    except Doubt as doubt:
        return str(doubt)
    except Exception as error:
        # Whatever it is, the full way has words for it.
        return f"the shortcut failed: {type(error).__name__}"
    _log("run_ended", ended(answer), shortcut=True)
    if answer["command"] == "upgrade":
        milliseconds = round((time.monotonic() - started) * 1000)
        _log("metrics", metrics(answer["stage"], applied=0, failed=False, milliseconds=milliseconds, lock_wait=0))
    return answer


def package_root() -> str:
    """The package's folder."""
    return os.environ.get("LAMBDA_TASK_ROOT") or os.path.abspath(os.path.join(__file__, "..", "..", ".."))


def driver(root: str) -> str:
    """The driver that the package's manifest names: what the backend connects with, if that says all. Raises Doubt."""
    try:
        with open(f"{root}/{MANIFEST_FILE}", encoding="utf-8") as stream:
            manifest = json.load(stream)
    except OSError:
        raise Doubt("the package has no manifest") from None
    if manifest["driver"] is None:
        raise Doubt(manifest["reason"])
    return manifest["driver"]


def _answer(event: Any, context: Any) -> dict[str, Any]:
    root = package_root()
    name = driver(root)
    command, revision = _command(event)
    settings = json.loads(os.environ[SETTINGS_VARIABLE])
    if "tenants" in settings:
        raise Doubt("the function migrates tenants")
    # Before anything can change it.
    fingerprint.environment(settings)
    if context.get_remaining_time_in_millis() < LEAST_SECONDS * 1000:
        raise Doubt("there is little time left")
    address = _address(settings["database"])
    found = _ask(root, name, address, _query(root, settings, command))
    where = fingerprint.place(settings, address["host"], address["port"], address["user"], address["database"])
    head = found["head"]
    if found["place"] != where:
        raise Doubt("the environment or the address is not the one of the last full run")
    if not found["atHead"]:
        raise Doubt("the database is not at head")
    if not found["free"]:
        raise Doubt("another run holds the mutex")
    if revision not in (None, "head", head):
        raise Doubt("a revision is named")
    checksums = _checksums(root, found)
    if any(checksums.get(revision, checksum) != checksum for revision, checksum in (found["checksums"] or {}).items()):
        raise Doubt("an applied revision was edited")
    return {
        "contract": CONTRACT_VERSION,
        "command": command,
        "stage": settings["stage"],
        "status": "complete",
        "from": [head],
        "to": [head],
        "heads": [head],
        "target": [head],
        "applied": [],
        "pending": [],
        "unknown": [],
        "dataLoss": [],
        "edited": [],
        "warnings": [],
        "protected": settings.get("protected", False),
    }


def _command(event: Any) -> tuple[str, Any]:
    """Command and revision of a request that is surely valid. A note is left only by settings that are."""
    event = {} if event is None else event
    if not isinstance(event, dict):
        raise Doubt("the request is unusual")
    command = event.get("command", "upgrade")
    if not isinstance(command, str) or not set(event) <= set(_OPTIONS.get(command, ())):
        raise Doubt("the request is unusual")
    if request_problems(event):
        raise Doubt("the request can't be carried out")
    return command, event.get("revision")


def _address(database: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where env.py will connect to, most likely: the note in the database tells whether it did."""
    if database["source"] != "environment":
        from ..database.address import ask_for_tls, fetch

        address = fetch(database)
        ask_for_tls(address["host"], os.environ)
        return address
    url, host = os.environ.get("DATABASE_URL"), os.environ.get("POSTGRES_HOST")
    if (url is None) == (host is None):
        raise Doubt("neither DATABASE_URL nor POSTGRES_HOST alone tells the address")
    if url is not None:
        return _parse(url)
    return {
        "host": host,
        "port": os.environ.get("POSTGRES_PORT", "5432"),
        "user": os.environ["POSTGRES_USER"],
        "password": os.environ["POSTGRES_PASSWORD"],
        "database": os.environ["POSTGRES_DB"],
    }


def _parse(url: str) -> dict[str, str]:
    """A plain URL; one that asks for more than an address is left to SQLAlchemy."""
    import re

    part = r"([^:/?#@\[\]\s]+)"
    plain = re.fullmatch(rf"postgres\w*(?:\+\w+)?://{part}:{part}@([\w.-]+)(?::([0-9]+))?/([\w.-]+)", url)
    if not plain:
        raise Doubt("DATABASE_URL is no plain address")
    user, password, host, port, database = plain.groups()
    if "%" in user + password:
        from urllib.parse import unquote

        user, password = unquote(user), unquote(password)
    return {"host": host, "port": port or "5432", "user": user, "password": password, "database": database}


def _query(root: str, settings: Mapping[str, Any], command: str) -> str:
    table = fingerprint.VERSION_TABLE
    return _QUERY.format(
        table=table,
        key=fingerprint.key_of(table, None),
        id=fingerprint.note_id(settings),
        read="NULL" if root in _of_package else "json_build_array(note.files, note.scripts)",
        # An upgrade does not look at what was edited.
        checksums="NULL" if command == "upgrade" else _CHECKSUMS.format(table=table),
    )


def _ask(root: str, name: str, address: Mapping[str, Any], query: str) -> Any:
    from ..database.drivers import ask

    dependencies = os.path.join(root, DEPENDENCIES_DIRECTORY)
    added = os.path.isdir(dependencies) and dependencies not in sys.path
    if added:
        sys.path.insert(0, dependencies)
    try:
        text = ask(name, address, query)
    except Exception as error:
        # No note, no version table, no server: PostgreSQL or the driver says it in many ways.
        raise Doubt(f"the database did not tell where it is: {type(error).__name__}") from None
    finally:
        # The full way puts the backend's own folders in their order.
        if added:
            sys.path.remove(dependencies)
    if text is None:
        raise Doubt("no full run has left a note")
    return json.loads(text)


def _checksums(root: str, found: Mapping[str, Any]) -> dict[str, str]:
    """Of each revision, if all sources are those of the last full run. Raises Doubt."""
    if root not in _of_package:
        files, scripts = found["read"]
        try:
            contents = fingerprint.checksums(root, files)
            digest = fingerprint.sources(root, contents, DEPENDENCIES_DIRECTORY)
        except OSError:
            raise Doubt("the sources are not those of the last full run") from None
        if digest == found["sources"]:
            _of_package[root] = digest, {revision: contents[file] for revision, file in scripts.items()}
    if root not in _of_package or _of_package[root][0] != found["sources"]:
        raise Doubt("the sources are not those of the last full run")
    return _of_package[root][1]


def _log(event: str, facts: Mapping[str, Any], **more: Any) -> None:
    # log.py would import what is not needed for a line without a secret.
    print(json.dumps({"level": "INFO", "event": event, **facts, **more}), flush=True)
