"""Log lines as JSON on standard output, which Lambda delivers to CloudWatch.

The standard library's logging is not used: the usual env.py calls fileConfig, which disables every logger that exists.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

_PASSWORD_IN_URL = re.compile(r"(://[^:/?#\s]*:)[^\s/]*(?=@)")
_PASSWORD_IN_DSN = re.compile(r"((?:password|passwd|pwd|secret|token)\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s,;&)]+)", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with the passwords of database addresses (URL or libpq keywords) blotted out."""
    return _PASSWORD_IN_DSN.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***", text))


def log(level: str, event: str, **facts: Any) -> None:
    """One line: level, event and facts; texts among the facts are redacted."""
    facts = {name: redact(value) if isinstance(value, str) else value for name, value in facts.items() if value is not None}
    sys.stdout.write(json.dumps({"level": level, "event": event, **facts}, default=str) + "\n")
    sys.stdout.flush()
