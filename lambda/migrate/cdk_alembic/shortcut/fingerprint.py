"""What must be the same for the shortcut to know what the full way would answer. Imported by every call: few imports."""

from __future__ import annotations

# Pathlib is slow to import, and slower for hundreds of files.
# ruff: noqa: PTH123, PTH208
import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Grows when the full way answers something else for the same package, environment and database.
NOTE_VERSION = 1

VERSION_TABLE = "alembic_version"
"""Alembic's own name for it. A project with another one always goes the full way."""

# Differ between two processes of the same function, or are read by Lambda and the AWS SDK alone.
_VOLATILE_PREFIXES = ("AWS_", "_")
_VOLATILE = ("PWD", "OLDPWD", "SHLVL")
_KEPT = ("AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME")

_environment: str | None = None


def environment(settings: Mapping[str, Any]) -> str:
    """Digest of the variables this process was started with, without the database's address: it is compared by itself.

    The backend may change its own environment, so the first call decides.
    """
    global _environment
    if _environment is None:
        filled = {"POSTGRES_PASSWORD", "DATABASE_URL"}
        if "variables" in settings["database"]:
            filled = {value for name, value in settings["database"]["variables"].items() if name != "urlScheme"}
        relevant = [
            (name, value)
            for name, value in os.environ.items()
            if name in _KEPT or not (name.startswith(_VOLATILE_PREFIXES) or name in _VOLATILE or name in filled)
        ]
        _environment = _digest(sorted(relevant))
    return _environment


def place(settings: Mapping[str, Any], host: object, port: object, user: object, database: object) -> str:
    """Digest of where a call goes, and with what: the process's environment and the database's address."""
    return _digest([environment(settings), str(host), str(port), str(user), str(database)])


def note_id(settings: Mapping[str, Any]) -> str:
    """One note per function and stage."""
    return _digest([os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""), settings["stage"]])


def checksums(root: str, files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each file below `root`; empty of one that is missing."""
    found = {}
    for file in files:
        try:
            with open(f"{root}/{file}", "rb", buffering=0) as stream:
                found[file] = hashlib.sha256(stream.read()).hexdigest()
        except FileNotFoundError:
            # That it is not there is an answer, too.
            found[file] = ""
    return found


def sources(root: str, contents: Mapping[str, str], dependencies: str) -> str:
    """Digest of files with their checksums, of what else lies in their folders, and of the installed distributions."""
    folders = sorted({file.rpartition("/")[0] for file in contents})
    listed = [[folder, *sorted(name for name in os.listdir(f"{root}/{folder}") if not _is_cache(name))] for folder in folders]
    installed = sorted(name for name in os.listdir(f"{root}/{dependencies}") if name.endswith(".dist-info"))
    return _digest([NOTE_VERSION, sorted(contents.items()), listed, installed])


def key_of(version_table: str, version_table_schema: str | None) -> int:
    """The advisory lock's number: a positive bigint. PostgreSQL keeps advisory locks per database."""
    name = f"cdk-alembic:{version_table_schema or ''}:{version_table}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _is_cache(name: str) -> bool:
    return name == "__pycache__" or name.endswith(".pyc")


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()
