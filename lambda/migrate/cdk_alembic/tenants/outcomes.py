"""The tenants' part of the answer: a TenantOutcome for each, and data that tenants share, once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from ..database.failures import shortened
from ..project.guard import data_losses
from ..project.project import Project
from ..protocol.errors import ProjectError, RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant
from .run import TenantRun

# The limit of a Step Functions state is 256 KiB, including the remaining tenants,
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_LENGTH = 150_000
MAX_MESSAGE_LENGTH = 600
MAX_WARNINGS = 50
MAX_DRIFTED = 10
MAX_DEFINITION_LENGTH = 1000


class Outcomes:
    """The outcomes of the tenants that a request has finished."""

    def __init__(self, project: Project, invocation: Invocation) -> None:
        self.by_name: dict[str, dict[str, Any]] = {}
        self.failed = 0
        self._project = project
        self._invocation = invocation
        self._length = 0
        self._warnings: dict[str, None] = {}
        self._losses: dict[str, dict[str, Any]] = {}
        self._paths: dict[tuple[str, ...], list[Any]] = {}

    def is_full(self) -> bool:
        """Whether more outcomes would make the answer too large."""
        return self._length > MAX_LENGTH

    def facts(self) -> dict[str, Any]:
        """The fields of the answer that are about all tenants."""
        warnings = list(self._warnings)
        more = len(warnings) - MAX_WARNINGS
        if more > 0:
            warnings[MAX_WARNINGS:] = [f"and {more} more warnings"]
        return {"failed": self.failed, "dataLoss": list(self._losses.values()), "warnings": warnings}

    def warn(self, warnings: Iterable[str]) -> None:
        """Adds warnings, each once."""
        self._warnings.update(dict.fromkeys(warnings))

    def add(
        self,
        tenant: Tenant,
        invocation: Invocation,
        started: float,
        run: TenantRun | None = None,
        error: RunnerError | None = None,
        drift: dict[str, Any] | None = None,
    ) -> str:
        """Adds a tenant's outcome and returns its status. Without a `run`, the tenant was only checked. `drift`: the contract's
        DriftReport, if the run has none."""
        before = invocation.before
        after = run.progress.heads if run and run.progress.heads is not None else None if invocation.applied else before
        try:
            pending = self._pending(after or ())
        except ProjectError:
            raise
        except RunnerError as failure:
            # An invalid version table is this tenant's failure only.
            pending, error = [], error or failure
        outcome = {
            "tenant": tenant.name,
            "status": self._status(run, after or (), pending, error),
            **({} if before is None else {"from": sorted(before)}),
            **({} if after is None else {"to": sorted(after)}),
            "applied": [item["revision"] for item in invocation.applied],
            "pending": len(pending),
            "durationMs": round((time.monotonic() - started) * 1000),
        }
        if error:
            outcome["error"] = self._failure(tenant, error)
        elif drift := drift or (run.drift if run else None):
            outcome["drift"] = _brief(drift)
        fresh = run.progress.fresh if run else None
        may_lose = fresh is False or (fresh is None and bool(after))
        self._add_up(outcome, invocation, pending if may_lose else [])
        return outcome["status"]

    def _add_up(self, outcome: dict[str, Any], invocation: Invocation, losing: list[Any]) -> None:
        """Adds a tenant's outcome to the totals. `losing`: the scripts that may destroy its data."""
        self.by_name[outcome["tenant"]] = outcome
        self._length += len(json.dumps(outcome))
        self.failed += "error" in outcome
        self._invocation.applied.extend(invocation.applied)
        self._invocation.lock_wait_seconds += invocation.lock_wait_seconds
        self.warn(invocation.warnings)
        losses = data_losses(losing, self._invocation.settings.guard_unread)
        self._losses.update((json.dumps(loss), loss) for loss in losses)

    def _status(self, run: TenantRun | None, after: tuple[str, ...], pending: list[Any], error: RunnerError | None) -> str:
        if error:
            return "failed"
        if self._invocation.request.command == "upgrade":
            return run.progress.status if run else "complete"
        if self._project.revisions.unknown(after):
            return "ahead"
        return "pending" if pending else "complete"

    def _pending(self, heads: tuple[str, ...]) -> list[Any]:
        if self._project.revisions.unknown(heads):
            return []
        if heads not in self._paths:
            steps = self._project.revisions.route("head", heads, downgrade=False).steps
            self._paths[heads] = [step.revision for step in steps]
        return self._paths[heads]

    def _failure(self, tenant: Tenant, error: RunnerError) -> dict[str, Any]:
        facts = {
            name: value for name, value in error.facts().items() if name != "dataLoss"
        }  # the answer has it once for all tenants
        texts = {name: shortened(facts[name], MAX_MESSAGE_LENGTH) for name in ("message", "next")}
        facts = {**facts, **texts}
        log("WARNING", "tenant_failed", stage=self._invocation.settings.stage, tenant=tenant.name, **facts)
        return facts


def _brief(drift: dict[str, Any]) -> dict[str, Any]:
    """The contract's TenantDrift of a DriftReport."""
    objects = []
    for drifted in drift["objects"][:MAX_DRIFTED]:
        name = {key: shortened(drifted[key], MAX_MESSAGE_LENGTH) for key in ("change", "object")}
        objects.append(drifted if sum(map(len, drifted.values())) <= MAX_DEFINITION_LENGTH else name)
    about = {key: drift[key] for key in ("status", "reason", "keptAt") if key in drift}
    return {**about, "count": len(drift["objects"]), "objects": objects}
