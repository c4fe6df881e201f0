"""The runner's errors: one of the contract's codes, what happened, and the next step."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any


@dataclass(eq=False, repr=False)
class RunnerError(Exception):
    """A failure that the caller sees.

    `code` is one of rules.RUNNER_CODES; `message` says what went wrong, with what; `next` is the step to take. All fields
    are redacted before they leave the runner.
    """

    code: str
    message: str
    next: str
    _: KW_ONLY
    revision: str | None = None
    sql_state: str | None = None
    statement: str | None = None
    data_loss: list[dict[str, Any]] | None = None
    blockers: list[dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def facts(self) -> dict[str, Any]:
        """The failure as the contract's FailureDetail."""
        facts = {
            "code": self.code,
            "message": self.message,
            "next": self.next,
            "revision": self.revision,
            "sqlState": self.sql_state,
            "statement": self.statement,
            "dataLoss": self.data_loss,
            "blockers": self.blockers or None,
        }
        return {name: value for name, value in facts.items() if value is not None}


class ProjectError(RunnerError):
    """The project itself is unusable, on any database."""


class EnvFailed(RunnerError):
    """env.py, or the Flask application that it needs, failed outside of run_migrations."""


def unexpected(error: BaseException) -> RunnerError:
    """The RunnerError `internal_error` for an unexpected exception."""
    text = " ".join(str(error).split())
    return RunnerError(
        "internal_error",
        f"the runner failed: {type(error).__name__}: {text}",
        "report this as a bug of cdk-alembic, with the traceback from the log",
    )
