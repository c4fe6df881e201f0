"""The function's entry, and a request's stages: request and settings, database, project, run, answer."""

from __future__ import annotations

import json
import os
import traceback
from contextlib import closing
from functools import partial
from typing import Any

from .connection.address import DatabaseVariables, fill_secrets
from .connection.destination import Destination
from .connection.retries import Retries
from .connection.watchdog import watching
from .database.failures import shortened
from .project.configuration import manifest
from .project.environment import application_context
from .project.project import Project
from .protocol import report
from .protocol.errors import RunnerError, unexpected
from .protocol.log import log, redacted, redacted_output
from .protocol.process import Process
from .protocol.request import Invocation, Settings, receive
from .protocol.rules import CONTRACT_VERSION
from .run.blocker_watch import name_holders
from .run.commands import carry_out
from .run.garbage import loading

# A response to CloudFormation may have 4,096 bytes in total.
MAX_MESSAGE_LENGTH = 1500


class MigrationFailed(Exception):
    """Makes Lambda answer with a function error whose `errorMessage` is the contract's failure as JSON."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Carries out one request; without a payload, it upgrades to head. Raises MigrationFailed, so that Lambda sets FunctionError
    and counts the error."""
    return respond(event, Process("function", context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000))


def respond(event: Any, process: Process) -> dict[str, Any]:
    """The contract's answer to one request. Raises MigrationFailed."""
    invocation: Invocation | None = None
    with redacted_output(), loading():
        try:
            settings = Settings.of_environment()
            invocation = Invocation(receive(event, settings), settings, process)
            with (
                closing(DatabaseVariables(os.environ, settings.database, manifest().get("driver"))) as variables,
                watching(process),
            ):
                if settings.tenants is None:
                    answer = _answer(invocation, variables)
                else:
                    answer = _answer_for_tenants(invocation, variables)
            answer = redacted(answer)
            report.completed(invocation, answer)
            return answer
        except Exception as error:
            raise _failed(error, invocation) from None


def _answer(invocation: Invocation, variables: DatabaseVariables) -> dict[str, Any]:
    destination = Destination(variables)
    retries = Retries(invocation)
    while True:
        project: Project | None = None
        try:
            changed = fill_secrets(os.environ, invocation.settings.secrets) | variables.fill()
            project = Project.of_package(destination)
            if changed:
                # The backend read its settings when it was imported: import it again, so that it sees a rotated password.
                project.forget_modules()
            if invocation.process.compute == "container":
                invocation.renew = partial(_renew, invocation, variables, project)
            with application_context(project):
                return carry_out(project, invocation)
        except RunnerError as error:
            if project is not None:
                name_holders(error, project.version_table)
            variables.explain(error)
            retries.pause(error)


def _answer_for_tenants(invocation: Invocation, variables: DatabaseVariables) -> dict[str, Any]:
    from .tenants.list import list_tenants
    from .tenants.worker import migrate

    if invocation.request.command == "tenants":
        return list_tenants(invocation, variables)
    changed = fill_secrets(os.environ, invocation.settings.secrets)
    project = Project.of_package()
    if changed:
        project.forget_modules()
    with application_context(project):
        return migrate(project, invocation, variables)


def _renew(invocation: Invocation, variables: DatabaseVariables, project: Project) -> None:
    """A run without a deadline may last longer than a token, or see a rotation."""
    try:
        if variables.fill():
            project.forget_modules()
    except RunnerError as error:
        # The password that the run started with may still work.
        log("WARNING", "password_not_renewed", stage=invocation.settings.stage, reason=error.message)


def _failed(error: Exception, invocation: Invocation | None) -> MigrationFailed:
    is_known = isinstance(error, RunnerError)
    facts = (error if is_known else unexpected(error)).facts()
    facts.update({name: shortened(facts[name], MAX_MESSAGE_LENGTH) for name in ("message", "next")})
    if invocation is not None:
        if invocation.ended_blockers:
            facts["endedBlockers"] = invocation.ended_blockers
        if invocation.restore_point:
            facts["restorePoint"] = invocation.restore_point
    detail = redacted(facts)
    cause = error.__cause__ if is_known else error
    report.failed(invocation, detail, "".join(traceback.format_exception(cause)) if cause else None)
    applied = invocation.applied if invocation else []
    return MigrationFailed(json.dumps({"contract": CONTRACT_VERSION, "status": "failed", "error": detail, "applied": applied}))
