"""Carries out a run: executes env.py, again while a lock is not available, and concludes."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import Any

from ..project.environment import current, run_environment
from ..project.revisions import same_target
from ..protocol.errors import RunnerError
from .attempt import Attempt
from .failure import not_committed
from .run import Run


def migrate(run: Run) -> None:
    """Upgrades or downgrades; the run's progress has the result. Raises RunnerError."""
    with closing(run.lookout):
        _execute(run)
    if run.progress.status is None:
        # The work in env.py's own transaction is committed now.
        run.invocation.renew()
        current(run.project, run.conclude)


def _execute(run: Run) -> None:
    attempt = Attempt(run, run.revision)
    give_up: float | None = None
    while True:
        try:
            run_environment(run.project, attempt.steps, around=attempt.around)
            return
        except RunnerError as error:
            raise _outside(run, error) from error.__cause__
        except (Exception, SystemExit) as error:
            tries = attempt.tries
            if not run.record.is_why(error):
                give_up = give_up or time.monotonic() + run.invocation.settings.limits.lock_retry
                if not attempt.may_be_repeated(error, give_up):
                    raise (attempt.failure or attempt.failure_of(error)) from error
                attempt.pause(error)
                tries += 1
            # A relative step such as +1 must not start again from where the first attempt ended.
            attempt = Attempt(run, same_target(run.progress.target, run.revision), tries)


def _outside(run: Run, error: RunnerError) -> RunnerError:
    """The error of an env.py that failed after its revisions: when it committed its own transaction, or later. Records it."""
    if not run.record.uncommitted:
        return error
    failure = error

    def conclude(heads: tuple[str, ...], context: Any) -> None:
        nonlocal failure
        if lost := run.settle(heads, context):
            failure = not_committed(error.__cause__ or error, lost, run.invocation) or error
        run.record.end(context, failure.code, heads, failure.message)

    # If the database can't be asked anymore, the next run records this one as killed.
    with suppress(Exception):
        current(run.project, conclude)
    return failure
