"""Prints what every module below a folder imports from the others, as JSON: {file: [file, ...]}."""

import ast
import json
import sys
from pathlib import Path

root = Path(sys.argv[1])
modules = {".".join(path.relative_to(root).with_suffix("").parts): path for path in sorted(root.rglob("*.py"))}


def imported(name: str, path: Path) -> set[str]:
    package = name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from package import x`: a module of that name, or something that the package itself holds.
            found.update(f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base for alias in node.names)
    return {module if module in modules else f"{module}.__init__" for module in found} & modules.keys() - {name}


def file(name: str) -> str:
    return modules[name].relative_to(root).as_posix()


print(json.dumps({file(name): sorted(map(file, imported(name, path))) for name, path in modules.items()}))
