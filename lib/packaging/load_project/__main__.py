"""Loads a package like the function, without a database, and prints JSON: `load_project.py <package> <overlay> <variables>
<installed>`.

The packaged runner finds the project. env.py runs as in the function, up to where it connects, and then in Alembic's offline
mode to its end, in Flask's application context if it needs one; Alembic itself loads the revisions. Nothing connects or starts,
and the package is read-only, as on Lambda. `Proof` in lib/packaging/proof/proof.ts describes the facts.

`overlay`: has this machine's libraries in place of those for another machine. `variables`: the names of those that the function
fills with the database's address. `installed`: a JSON file of what is installed, or empty; with it, the facts have what is used.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# Python starts isolated, without the script's folder: the backend may have modules of the same names.
sys.path.append(str(Path(__file__).parents[1]))
# The package has the runner.
sys.path.insert(0, str(Path(sys.argv[1]).resolve()))
from load_project.address_settings import address_settings, unset_settings
from load_project.connections import ADDRESS, has_wrong_driver
from load_project.errors import (
    absent_in,
    causes_of,
    described,
    has_wrong_syntax,
    in_backend,
    in_code,
    judge,
    of_sqlite,
    root_of,
    writes_in,
)
from load_project.loading import Loading, ProjectNotLoaded
from load_project.sandbox import Overlay, Refused, is_refused, let_libraries_be_found, read_only, refuse, without_network
from load_project.variables import (
    last_first,
    required_variables,
    settings_in_line,
    settings_of,
    watch_environment,
    wrong_variables,
)

sys.path.pop()

# Variables that Lambda sets, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
OF_LAMBDA = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "migrate", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}

# What lib/packaging/proof/proof.ts starts this script with, besides the function's variables.
OF_PROOF = ("PATH", "HOME", "LANG", "LAMBDA_TASK_ROOT", "AWS_DEFAULT_REGION")


def main(package: Path, overlay: str, variables: dict[str, str], installed: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the facts of `Proof`."""
    if overlay:
        sys.meta_path.insert(0, Overlay(overlay))
    given = {name: value for name, value in os.environ.items() if name not in OF_PROOF}
    os.environ.update(OF_LAMBDA)
    sys.addaudithook(refuse)
    no_network, connected = without_network(package, ADDRESS["host"])
    sys.addaudithook(no_network)
    sys.addaudithook(read_only(package))
    let_libraries_be_found()
    backend = package / "backend"
    unset = watch_environment(backend)
    loading = Loading(package, variables)
    project = None
    try:
        project = loading.run()
    except (Exception, SystemExit, Refused) as error:
        loading.failures.append(error)
        # In the function, a revision is loaded with a connection: only this would fail there too.
        if isinstance(error, ProjectNotLoaded) and required_variables(root_of(error), backend, last_first(unset)):
            loading.certain.append(error)
    facts = loading.facts
    if connected:
        facts["connects"] = connected[0]
    if "elsewhere" in facts:
        facts["elsewhere"]["unset"] = [*last_first(unset), *unset_settings()]
    judge_failures(loading, given, last_first(unset), with_overlay=bool(overlay))
    if "missing" in facts:
        facts["missing"]["unsetSettings"] = unset_settings()
    if installed and project and not loading.failures:
        from load_project.used_distributions import used_by_project

        # env.py may have set where they are.
        revisions = [os.path.realpath(revision.path) for revision in project.script.walk_revisions()]
        facts["used"] = used_by_project(package, revisions, **installed)
    return facts


def judge_failures(loading: Loading, given: dict[str, str], unset: list[str], with_overlay: bool) -> None:
    """Adds what the failures mean.

    `given`: the function's variables. `unset`: those that the backend read and the function does not have, the last one first.
    """
    facts, certain, backend = loading.facts, loading.certain, loading.package / "backend"
    for error in (*certain, *loading.failures):
        judge(error, loading.package, facts, unset, with_overlay=with_overlay)
    if certain and has_wrong_driver(root_of(certain[0])):
        facts["otherDriver"] = True
    if certain and (place := of_sqlite(root_of(certain[0]), backend)) is not None:
        found = {"address": "an SQLite database", "isPostgres": False, "settings": address_settings("sqlite")}
        facts["elsewhere"] = {**found, "by": place, "unset": [*unset, *unset_settings()]}
    elif "missing" not in facts and (failure := next(iter([*certain, *filter(is_likely, loading.failures)]), None)):
        facts["fails"] = {
            **described_failure(failure, loading.package, given, unset),
            "isLikely": not certain,
            "arguments": [*loading.arguments],
        }


def described_failure(failure: BaseException, package: Path, given: dict[str, str], unset: list[str]) -> dict[str, Any]:
    backend, root = package / "backend", root_of(failure)
    required = required_variables(root, backend, unset)
    # Of a class that lacks the database's password, the other parts of the address may have defaults.
    of_class = settings_of(root) if required else settings_in_line(root, backend)
    return {
        "reason": in_backend(described(causes_of(failure), package)).replace(f"{backend}{os.sep}", ""),
        "absent": absent_in(root, backend),
        "inCode": in_code(failure),
        "wrongSyntax": has_wrong_syntax(failure, backend),
        "writes": writes_in(root, backend),
        "unset": [name for name in dict.fromkeys([*unset, *of_class]) if name not in os.environ],
        "required": required,
        "wrong": wrong_variables(root, given),
        "inRevision": isinstance(failure, ProjectNotLoaded),
    }


def is_likely(error: BaseException) -> bool:
    """Whether a revision would hardly load in the function either: there, `op` has a connection."""
    return isinstance(error, ProjectNotLoaded) and not is_refused(error) and "proxy object" not in str(root_of(error))


if __name__ == "__main__":
    # The project's own output must not mix with the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    installed = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8")) if sys.argv[4] else None
    found = main(Path(sys.argv[1]).resolve(), sys.argv[2], json.loads(sys.argv[3]), installed)
    out.write(json.dumps(found))
    out.flush()
    # The project's threads and what it registered to run at exit must not change the answer or delay it.
    os._exit(0)
