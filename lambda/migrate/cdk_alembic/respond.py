"""The full way: event and context come in, Alembic is asked, the contract's answer goes out."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

from .database import address as database
from .database.attempts import until_connected
from .database.failures import shortened
from .project.project import Project, package_root
from .protocol.contract import (
    CONTRACT_VERSION,
    RESTRICTED_COMMANDS,
    SETTINGS_VARIABLE,
    Request,
    Settings,
    parse_request,
    parse_settings,
    request_problems,
    settings_problems,
)
from .protocol.errors import RunnerError
from .protocol.invocation import Call
from .protocol.log import forget_secrets, log, redacted, redacted_output
from .protocol.outcome import ended, tenants_ended
from .protocol.report import report
from .run.commands import execute
from .tenants.list import list_tenants
from .tenants.request import tenant_request
from .tenants.tenants import migrate

# Verifying the heads and answering takes a connection and a query; a short function keeps a fifth of its time for it.
RESERVE_SECONDS = 10.0
RESERVE_SHARE = 0.2

# The answer to CloudFormation has 4,096 bytes for everything.
MAX_MESSAGE_LENGTH = 1500

_project: Project | None = None


class MigrationFailed(Exception):
    """Makes Lambda answer with a function error whose `errorMessage` is the contract's failure as JSON."""


def carry_out(event: Any, context: Any, prepare: Callable[[Call], None] = lambda call: None) -> dict[str, Any]:
    """Carries out one request; no payload at all upgrades to head. Raises MigrationFailed. `prepare` gets the
    call before it begins."""
    call: Call | None = None
    try:
        settings = _settings()
        if settings.tenants is not None:
            call = _call(tenant_request(event), settings, context)
            return _carry_out_tenants(call)
        call = _call(_request(event, settings), settings, context)
        prepare(call)
        with redacted_output():
            answer = redacted(_carry_out(call))
    except RunnerError as error:
        raise _failed(error, call) from None
    except Exception as error:
        detail = RunnerError(
            "internal_error",
            f"the runner failed: {type(error).__name__}: {error}",
            "look at the function's log, and report it as a defect of cdk-alembic",
        )
        raise _failed(detail, call, error) from None
    log("INFO", "run_ended", **ended(answer))
    report(call, answer["status"], {key: answer[key] for key in ("from", "to", "applied", "runId") if key in answer})
    return answer


def _settings() -> Settings:
    try:
        settings = json.loads(os.environ.get(SETTINGS_VARIABLE, "null"))
    except json.JSONDecodeError as error:
        problems = [str(error)]
    else:
        problems = settings_problems(settings)
    if problems:
        raise RunnerError(
            "invalid_settings",
            f"the environment variable {SETTINGS_VARIABLE} can't be used: {'; '.join(problems)}",
            "deploy the function with the construct AlembicMigration, which sets it",
        )
    return parse_settings(settings)


def _request(event: Any, settings: Settings) -> Request:
    event = {} if event is None else event
    problems = request_problems(event)
    if problems:
        raise RunnerError(
            "invalid_request",
            "; ".join(problems),
            'send {} to upgrade to head, or {"command": "plan"} to see what is pending; nothing was changed',
        )
    request = parse_request(event)
    if request.command in RESTRICTED_COMMANDS and request.command not in settings.allow:
        raise RunnerError(
            "not_allowed",
            f'"{request.command}" is not allowed for stage {settings.stage}',
            f"set allow{request.command.capitalize()} on the AlembicMigration of this stage and deploy, if it is really meant",
        )
    return request


def _call(request: Any, settings: Settings, context: Any) -> Call:
    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    reserve = min(RESERVE_SECONDS, remaining() * RESERVE_SHARE)
    return Call(request, settings, f"cdk-alembic {settings.stage} {context.aws_request_id}", remaining, reserve, place="function")


def _carry_out(call: Call) -> dict[str, Any]:
    return until_connected(call, lambda: execute(_load(call.settings), call))


def _carry_out_tenants(call: Call) -> dict[str, Any]:
    # A process that lives long has seen the passwords of many databases.
    forget_secrets()
    with redacted_output():
        answer = redacted(list_tenants(call) if call.request.command == "tenants" else migrate(_load_for_tenants(), call))
    log("INFO", "run_ended", **tenants_ended(answer))
    if call.request.command != "tenants":
        facts = {name: len(answer[name]) for name in ("outcomes", "left", "notBegun")}
        outcome = "tenants_failed" if answer["failed"] else answer["status"]
        report(call, outcome, {"tenants": {**facts, "failed": answer["failed"]}, "runId": call.request.run_id})
    return answer


def _load_for_tenants() -> Project:
    global _project
    if _project is None:
        _project = Project.of_package(package_root())
    return _project


def _load(settings: Settings) -> Project:
    global _project
    if database.fill_environment(settings.database, os.environ) and _project is not None:
        # The backend read its settings from the environment when it was imported: a rotated password must reach it.
        _project.forget_modules()
        _project = None
    if _project is None:
        _project = Project.of_package(package_root())
    return _project


def renew(call: Call) -> None:
    """Fetches the password again: a run without a deadline may outlast a token, or see a rotation."""
    try:
        if database.fill_environment(call.settings.database, os.environ) and _project is not None:
            _project.forget_modules()
    except RunnerError as error:
        # The one that the run began with may still do.
        log("WARNING", "password_not_renewed", stage=call.settings.stage, reason=error.message)


def _failed(error: RunnerError, call: Call | None, cause: BaseException | None = None) -> MigrationFailed:
    cause = cause or error.__cause__
    facts = {
        **error.facts(),
        "message": shortened(error.message, MAX_MESSAGE_LENGTH),
        "next": shortened(error.next, MAX_MESSAGE_LENGTH),
    }
    detail = redacted(facts)
    log(
        "ERROR",
        "run_failed",
        **detail,
        stage=call.settings.stage if call else None,
        traceback="".join(traceback.format_exception(cause)) if cause else None,
    )
    if call:
        report(call, error.code, {"error": detail, "applied": call.applied})
    return MigrationFailed(
        json.dumps(
            {
                "contract": CONTRACT_VERSION,
                "status": "failed",
                "error": detail,
                "applied": call.applied if call else [],
            }
        )
    )
