"""Log lines as JSON on standard output, which Lambda delivers to CloudWatch, and no secret in anything that is printed.

The standard library's logging is not used: the usual env.py calls fileConfig, which disables every logger that exists.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_PASSWORD_IN_URL = re.compile(r"(://[^:/?#\s\"']*:)[^\s/\"']*(?=@)")
_PASSWORD_IN_DSN = re.compile(r"((?:password|passwd|pwd|secret|token)\s*[=:]\s*)('[^']*'|[^\s,;&)\"'\\]+)", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with the passwords of database addresses (URL or libpq keywords) blotted out."""
    return _PASSWORD_IN_DSN.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***", text))


def log(level: str, event: str, **facts: Any) -> None:
    """One line: level, event and facts; texts among the facts are redacted."""
    facts = {name: redact(value) if isinstance(value, str) else value for name, value in facts.items() if value is not None}
    sys.stdout.write(json.dumps({"level": level, "event": event, **facts}, default=str) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def redacted_output() -> Iterator[None]:
    """What the backend's code prints or logs meanwhile, to either stream, comes out redacted, line by line."""
    with (
        _Redacting(sys.stdout) as out,
        _Redacting(sys.stderr) as err,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        yield


class _Redacting(io.TextIOBase):
    """A password may be written in pieces, so nothing goes on before its line has ended."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._stream.write(redact(line) + "\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        if self._line:
            self._stream.write(redact(self._line))
            self._line = ""
        self.flush()
