"""Reads database errors of the four drivers (psycopg 3, psycopg2, asyncpg, pg8000), with or without SQLAlchemy's wrapper."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..connection.percent_signs import as_read
from ..connection.statement_starts import without_comments

MAX_STATEMENT_LENGTH = 500
MAX_REASON_LENGTH = 1000

_PYDANTIC_NOTE = re.compile(r"\s*\[type=\w+, input_value=.*?, input_type=\w+\]|\s*For further information visit \S+", re.DOTALL)
_PYDANTIC_FIELDS = re.compile(r"(?:^|\n)(?=\S)")
# `os.environ["X"]`, `environ.get("X")` and `getenv("X")`; with a default or an assignment, the variable is not needed.
_READ_VARIABLE = re.compile(r"""\b(?:environ\s*(?:\[|\.get\()|getenv\()\s*["'](\w+)["']\s*[\])](?!\s*(?:or\b|=[^=]))""")
# The last one is configparser's, for an option that is None.
_OF_NONE = re.compile(r"\bNone(?:Type)?\b|option values must be strings")
# A check of the backend's own: "SHOP_URL is not set", "missing environment variable SHOP_URL".
_MISSING = re.compile(r"\b(?:set|unset|missing|required|defined|undefined|provided?|env|environment)\b", re.IGNORECASE)
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
_NOT_NULL = "23502"
_CAUGHT = "the code caught this error, but it had aborted the transaction; only a savepoint (begin_nested) prevents that"
_ADAPTED_CLASS = re.compile(r"^<class '[^']+'>: ")


def sql_state(error: BaseException) -> str | None:
    """PostgreSQL's five-character code; None if the error is not from the database."""
    origin = origin_of(error)
    for name in ("sqlstate", "pgcode"):
        value = getattr(origin, name, None)
        if isinstance(value, str) and value:
            return value
    return _fields(origin).get("C")


def describe(error: BaseException) -> str:
    """The error on one line; the database's message if there is one."""
    root, origin = root_of(error), origin_of(error)
    diagnostics = getattr(origin, "diag", None)
    fields = _fields(origin)
    primary = getattr(diagnostics, "message_primary", None) or fields.get("M")
    detail = getattr(diagnostics, "message_detail", None) or fields.get("D") or getattr(origin, "detail", None)
    if primary is None:
        primary = _in_words(origin, is_database=sql_state(error) is not None)
    text = f"{primary} ({detail})" if detail and detail not in primary else primary
    if _CAUGHT in getattr(root, "__notes__", ()):
        text = f"{text}; {_CAUGHT}"
    return shortened(text, MAX_REASON_LENGTH)


def _in_words(error: BaseException, is_database: bool) -> str:
    if name := missing_variable(error):
        return f"the environment variable {name} is not set"
    # `location` adds the file and the line.
    text = error.msg if isinstance(error, SyntaxError) else without_values(error)
    text = _without_traceback(_ADAPTED_CLASS.sub("", text).strip())
    kind = type(error)
    names_itself = text.startswith(f"{kind.__name__}: ")
    if is_database or names_itself or (text and kind.__module__.startswith("alembic.")):
        return text
    return f"{kind.__name__}: {text}" if text else kind.__name__


def _without_traceback(text: str) -> str:
    """Flask quotes the traceback of a module that it could not import: keeps only its last line, which names the error."""
    message, _, quoted = text.partition("Traceback (most recent call last):")
    return f"{message}{quoted.strip().splitlines()[-1]}" if quoted.strip() else text


def without_values(error: BaseException) -> str:
    """The text of an error. Pydantic's contains the invalid values, which may be secrets, and a URL for each field."""
    if type(error).__name__ != "ValidationError":
        return str(error)
    title, _, reasons = _PYDANTIC_NOTE.sub("", str(error)).partition("\n")
    in_one_line = ", ".join(_pydantic_field(part) for part in _PYDANTIC_FIELDS.split(reasons) if part)
    return f"{title}: {in_one_line}" if in_one_line else title


def _pydantic_field(text: str) -> str:
    # With a colon, the reason for `api_token` would be redacted like a token.
    name, _, reason = ("", "", text) if text[0].isspace() else text.partition("\n")
    # The message of a model validator names no field and may have several lines.
    in_one_line = " ".join(reason.split())
    return f"{name} ({in_one_line})" if name else in_one_line


def missing_variable(error: BaseException) -> str | None:
    """The environment variable that `os.environ[...]` did not find; None for any other error."""
    if not isinstance(error, KeyError) or not error.args or not (frames := traceback.extract_tb(error.__traceback__)):
        return None
    is_environ = frames[-1].name == "__getitem__" and frames[-1].filename in (os.__file__, "<frozen os>")
    return str(error.args[0]) if is_environ else None


def unset_variables(error: BaseException) -> list[str]:
    """The environment variables that are probably missing: those that the file that failed reads without a default, or that the
    error's text calls missing, and that are not set. Unless the error is about a variable, None or a NULL, only those that its
    text names."""
    missing, state, text = missing_variable(error), sql_state(error), str(error)
    source = next(("".join(linecache.getlines(str(file))) for file, _ in _own_frames(error)), "")
    names = [*([missing] if missing else []), *_READ_VARIABLE.findall(source), *called_missing(error)]
    unset = [name for name in dict.fromkeys(names) if name not in os.environ]
    if missing is not None or state == _NOT_NULL or _OF_NONE.search(text):
        return unset
    return [name for name in unset if re.search(rf"\b{name}\b", text)]


def called_missing(error: BaseException) -> list[str]:
    """The environment variables that the text of an error of the backend's own calls missing."""
    return _VARIABLE.findall(str(error)) if sql_state(error) is None and _MISSING.search(str(error)) else []


def shortened(text: str, length: int) -> str:
    """The text on one line, with at most `length` characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def location(error: BaseException) -> str:
    """` (file.py:12)`: the innermost line of the backend's own code; empty if there is none."""
    for file, line in _own_frames(error):
        return f" ({file.name}:{line})"
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}:{error.lineno})"
    return ""


def _own_frames(error: BaseException) -> Iterator[tuple[Path, int | None]]:
    """File and line of each frame of the backend's own code, the innermost first."""
    # A Project makes its folder the working directory.
    backend = Path.cwd()
    for frame in reversed(traceback.extract_tb(root_of(error).__traceback__)):
        file = backend / frame.filename
        if file.is_relative_to(backend) and "site-packages" not in file.parts and file.is_file():
            yield file, frame.lineno


def statement_of(error: BaseException) -> str | None:
    """The statement that failed, on one line, without comments, shortened to MAX_STATEMENT_LENGTH characters."""
    statement = whole_statement_of(error)
    return None if statement is None else shortened(without_comments(statement) or statement, MAX_STATEMENT_LENGTH)


def whole_statement_of(error: BaseException) -> str | None:
    """The statement that failed, as it was sent."""
    statement = getattr(root_of(error), "statement", None)
    if not isinstance(statement, str):
        return None
    is_asyncpg = "asyncpg" in type(origin_of(error)).__module__
    return as_read(statement, "numeric" if is_asyncpg else "format")


def root_of(error: BaseException) -> BaseException:
    """Replaces an error that only reports an aborted transaction with the error that aborted it: leaving an autocommit block or
    a savepoint after a failure hides the original error."""
    while _is_aftermath(error) and error.__context__ is not None:
        error = error.__context__
    return error


class LastFailure:
    """The last error of an engine's connections. Code that catches the error that aborts a transaction hides it: the next
    statement fails with one that only says that the transaction is aborted."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def listener(self, engine: Any) -> tuple[Any, str, Callable[[Any], None]]:
        """For SQLAlchemy's handle_error event."""
        return (engine, "handle_error", self._record)

    def _record(self, context: Any) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if not _is_aftermath(error):
            self._error = error

    def explain(self, error: BaseException) -> None:
        """Makes the error that aborted the transaction the context of one that only reports it."""
        root = root_of(error)
        if self._error is not None and _is_aftermath(root):
            self._error.add_note(_CAUGHT)
            root.__context__ = self._error


def origin_of(error: BaseException) -> BaseException:
    """The driver's error, without SQLAlchemy's wrapper."""
    root = root_of(error)
    origin = getattr(root, "orig", None)
    return origin if isinstance(origin, BaseException) else root


def _is_aftermath(error: BaseException) -> bool:
    origin = getattr(error, "orig", None) or error
    return "in failed transaction block" in str(origin) or "25P02" in (
        getattr(origin, "sqlstate", None),
        getattr(origin, "pgcode", None),
        _fields(origin).get("C"),
    )


def _fields(origin: BaseException) -> dict[str, str]:
    """PostgreSQL's error fields, which pg8000 passes as a dictionary."""
    return origin.args[0] if origin.args and isinstance(origin.args[0], dict) else {}
