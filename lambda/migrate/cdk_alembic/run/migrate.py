"""Carries out a run: executes env.py, again while a lock is not available, and concludes."""

from __future__ import annotations

import random
import time
from contextlib import closing
from functools import partial

from ..database.blockers import in_words
from ..database.failures import describe, sql_state
from ..project.environment import current, run_environment
from ..project.project import info
from ..project.revisions import same_target
from ..protocol.errors import RunnerError
from ..protocol.log import log
from .attempt import Attempt
from .conclusion import conclude, conclude_failed
from .failure import LOCK_STATES, failure_of
from .run import Run

RETRY_PAUSE_SECONDS = (0.2, 2.0)


def migrate(run: Run) -> None:
    """Upgrades or downgrades; the run's progress has the result. Raises RunnerError."""
    with closing(run.lookout):
        _try_until_done(run)
    if run.progress.status is None:
        # The work in env.py's own transaction is committed now.
        run.invocation.renew()
        current(run.project, partial(conclude, run))


def _try_until_done(run: Run) -> None:
    revision = run.revision
    give_up: float | None = None
    while True:
        attempt = Attempt(run, revision)
        try:
            run_environment(run.project, attempt.steps, around=attempt.around)
            return
        except RunnerError as error:
            raise conclude_failed(run, error) from error.__cause__
        except (Exception, SystemExit) as error:
            if not run.work.is_why(error):
                give_up = give_up or time.monotonic() + run.invocation.settings.limits.lock_retry
                if not _may_be_repeated(run, attempt, error, give_up):
                    raise (attempt.failure or failure_of(error, run, attempt.left_transaction)) from error
                _pause(run, error)
                run.progress.tries += 1
            # A relative step such as +1 must not start again from where the first attempt ended.
            revision = same_target(run.progress.target, run.revision)


def _may_be_repeated(run: Run, attempt: Attempt, error: BaseException, give_up: float) -> bool:
    """Whether another attempt may succeed. `give_up`: the time of the last one, of time.monotonic()."""
    return (
        sql_state(error) in LOCK_STATES
        and run.work.running is not None
        # It would repeat what an autocommit block committed before the failure.
        and not attempt.left_transaction
        and not run.work.self_committed
        and time.monotonic() < give_up
        and not run.invocation.is_over()
        and not run.invocation.cancelled
    )


def _pause(run: Run, error: BaseException) -> None:
    """Waits before another attempt at a revision that could not get its lock."""
    invocation = run.invocation
    invocation.lock_wait_seconds += invocation.settings.limits.lock_timeout
    run.lookout.is_alert = True
    held_by = in_words(run.lookout.seen.blockers) or None
    about = {"stage": invocation.settings.stage, "tenant": invocation.tenant, **info(run.work.running.script)}
    log("WARNING", "lock_retry", **about, reason=describe(error), heldBy=held_by)
    time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))
