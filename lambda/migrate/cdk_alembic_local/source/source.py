"""Reads a revision's file without importing it: SourceFacts of lib/contract/facts."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cdk_alembic.project.sources import acknowledgements
from cdk_alembic.protocol.errors import RunnerError

from ..per_request import per_request
from ..upgrade_sql.read import read_steps, read_upgrade
from .functions.functions import Functions
from .history import history
from .imported_calls import imported_calls


def source_facts(path: Path, project: Path) -> dict[str, Any]:
    """SourceFacts of a revision's file; `project` is the folder of the Alembic project. Raises RunnerError `invalid_project`."""
    source = path.read_bytes()
    tree = parse(source, path)
    nodes = list(ast.walk(tree))
    functions = Functions(tree, nodes)
    roots = _roots(path.parent, project)
    root = min(roots, key=lambda root: len(root.parts))

    def function(name: str) -> dict[str, Any] | None:
        facts = functions.facts(name)
        return facts and {
            **facts,
            "steps": read_steps(path, root, roots, name),
            "importedCalls": list(imported_calls(facts["calls"], roots)),
        }

    upgrade = function("upgrade")
    return {
        "description": ((ast.get_docstring(tree) or "").strip().splitlines() or [""])[0],
        "acknowledgements": [{"rule": rule, "reason": reason, "line": line} for rule, reason, line in acknowledgements(source)],
        "upgrade": upgrade,
        "downgrade": function("downgrade"),
        "imports": list(_imports(nodes, roots)),
        "steps": read_upgrade(path, root, roots),
        "history": history(path, root, roots, upgrade["steps"] if upgrade else []),
    }


def parse(source: bytes, path: Path) -> ast.Module:
    """The file's syntax tree. Raises RunnerError `invalid_project`."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise RunnerError(
            "invalid_project",
            f"the file is not valid Python {sys.version_info[0]}.{sys.version_info[1]}: {reason} ({path.name}{line})",
            "fix the file",
        ) from error


def _imports(nodes: Iterable[ast.AST], roots: list[Path]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [(alias.name, [alias.name]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found = [("." * node.level + (node.module or ""), None)]
        elif isinstance(node, ast.ImportFrom):
            found = [(node.module, [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])]
        else:
            continue
        for module, names in found:
            own = names is None or any(_is_own(name, root) for name in names for root in roots)
            missing = not own and not _is_installed(module.partition(".")[0])
            yield {"module": module, "line": node.lineno, "ownProject": own, **({"isMissing": True} if missing else {})}


@cache
def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # `__main__`, and a module that a program has made
        return package in sys.modules


@per_request
def _roots(versions: Path, project: Path) -> list[Path]:
    """The folders of the project's own modules: its folder, its src/, and the parent of the package with it or its revisions."""
    roots = [project, project / "src"]
    for folder in (project, versions):
        while (folder / "__init__.py").is_file():
            folder = folder.parent
            if not (folder / "__init__.py").is_file():
                roots.append(folder)
    return roots


@per_request
def _is_own(module: str, root: Path) -> bool:
    first, *rest = module.split(".")
    # In most projects, the folder alembic/ is not a package: `from alembic import op` imports Alembic.
    if first == "alembic" or first in sys.stdlib_module_names:
        return False
    if (root / f"{first}.py").is_file() or (root / first / "__init__.py").is_file():
        return True
    below = root.joinpath(first, *rest)
    return bool(rest) and (below.with_suffix(".py").is_file() or (below / "__init__.py").is_file())
