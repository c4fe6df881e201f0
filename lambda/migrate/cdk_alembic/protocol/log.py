"""Log lines as JSON on standard output, which Lambda sends to CloudWatch, and redaction of secrets in everything printed.

The standard library's logging is not used: a typical env.py calls fileConfig, which disables all existing loggers.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO
from urllib.parse import quote

# A password may contain an unencoded slash or colon, so it ends at the word's last @. Each pattern scans the text once; a
# combined one would try every end for every start.
_WORD = re.compile(r"[^\s\"']+")
_USER_IN_URL = re.compile(r"://[^:/?#]*:")
# libpq's keywords, in JSON and Python notation too. An unclosed quote redacts the rest of its line. The name in a secret's ARN,
# which follows the account, stays: it is the one to look for.
_PASSWORD_IN_DSN = re.compile(
    r"""((?:password|passwd|pwd|(?<![0-9]{12}:)secret|token)["'\\]{0,2}\s*[=:]\s*)"""
    r"""(\\?"[^"\n]*"?|'[^'\n]*'?|[^\s,;&)"'\\]+)""",
    re.IGNORECASE,
)

# A shorter secret could be part of any word.
_SHORTEST_SECRET = 8
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """Makes `redact` remove this text everywhere, including its URL-encoded form, until `redacted_output` ends."""
    if len(secret) >= _SHORTEST_SECRET:
        _secrets.update((secret, quote(secret, safe="")))


def redact(text: str) -> str:
    """The text without the passwords of database addresses (URL or libpq keywords) and the texts passed to `hide`."""
    return _PASSWORD_IN_DSN.sub(r"\1***", without_secrets(text))


def without_secrets(text: str) -> str:
    """The text without the passwords of URLs and the texts passed to `hide`. Keeps `password=...`: for texts where that is a
    column."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    if "://" in text:
        text = _WORD.sub(_without_password, text)
    return text


def _without_password(word: re.Match[str]) -> str:
    text = word[0]
    end = text.rfind("@")
    user = _USER_IN_URL.search(text, 0, max(end, 0))
    return f"{text[: user.end()]}***{text[end:]}" if user else text


def redacted(value: Any) -> Any:
    """A JSON value with every text redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: redacted(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value


def log(level: str, event: str, **facts: Any) -> None:
    """Writes one line: level, event and facts. Redacts texts and omits facts that are None."""
    facts = {name: redacted(value) for name, value in facts.items() if value is not None}
    # Does not redact the whole line again: a quote within a text could look like the end of a password.
    stream = sys.stdout.stream if isinstance(sys.stdout, _Redacting) else sys.stdout
    stream.write(json.dumps({"level": level, "event": event, **facts}, default=str) + "\n")
    stream.flush()


@contextlib.contextmanager
def redacted_output() -> Iterator[None]:
    """Within this block, redacts the lines that the backend's code prints or logs to stdout and stderr. Afterwards, forgets the
    texts that were passed to `hide`: with a database per tenant, passwords would pile up."""
    make_record = logging.getLogRecordFactory()
    # Lambda's logging handler does not write to the streams.
    logging.setLogRecordFactory(lambda *args, **options: _redacted_record(make_record(*args, **options)))
    try:
        with (
            _Redacting(sys.stdout) as out,
            _Redacting(sys.stderr) as err,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            yield
    finally:
        logging.setLogRecordFactory(make_record)
        _secrets.clear()


def _redacted_record(record: logging.LogRecord) -> logging.LogRecord:
    with contextlib.suppress(Exception):  # logging itself reports wrong arguments
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
            record.exc_info = None
        record.msg, record.args = redact(text), ()
    return record


# The limit of a CloudWatch event is 256 KB, https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
MAX_LINE = 200_000
# The end of a long line is held back: a secret that is written in several pieces may start there.
_HELD_BACK = 4_000


class _Redacting(io.TextIOBase):
    """Passes on a line when it is complete or too long, because a password may be written in several pieces."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._pieces: list[str] = []
        self._length = 0

    def write(self, text: str) -> int:
        *ended, rest = text.split("\n")
        for line in ended:
            self._pieces.append(line)
            self.stream.write(redact("".join(self._pieces)) + "\n")
            self._start_line("")
        self._pieces.append(rest)
        self._length += len(rest)
        if self._length > MAX_LINE:
            line = redact("".join(self._pieces))
            self.stream.write(line[:-_HELD_BACK] + "\n")
            self._start_line(line[-_HELD_BACK:])
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        # Python closes it again when it is collected, and the stream may be closed by then.
        if not self.closed:
            self.stream.write(redact("".join(self._pieces)))
            self._start_line("")
            super().close()

    def _start_line(self, text: str) -> None:
        self._pieces, self._length = [text], len(text)
