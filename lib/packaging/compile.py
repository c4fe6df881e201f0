"""Compiles Python files to unchecked-hash bytecode, on all cores: `python3 compile.py <package> <task root>`.

Standard input: a line for each file, `<source>\t<bytecode>`, both relative to the package; a third field, `bare`, omits its
docstrings. Tracebacks name the source below the task root. Files that this Python can't compile stay source, as with pip.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import marshal
import opcode
import os
import sys
from pathlib import Path
from types import CodeType

UNCHECKED_HASH = 0b01  # PEP 552
CO_OPTIMIZED = 1
LEFT_OUT = "left out"
LOADS = frozenset(opcode.hasconst)
LOAD_CONST, STORE_NAME = opcode.opmap["LOAD_CONST"], opcode.opmap["STORE_NAME"]


def main(package: str, task_root: str, lines: list[str]) -> None:
    jobs = sorted((line.split("\t") for line in lines), key=lambda job: -Path(package, job[0]).stat().st_size)
    workers = min(os.cpu_count() or 1, len(jobs) // 20 + 1) if hasattr(os, "fork") else 1
    children = []
    for number in range(1, workers):
        child = os.fork()
        if child == 0:
            try:
                compile_all(package, task_root, jobs[number::workers])
            finally:
                os._exit(0)
        children.append(child)
    compile_all(package, task_root, jobs[0::workers])
    for child in children:
        os.waitpid(child, 0)


def compile_all(package: str, task_root: str, jobs: list[list[str]]) -> None:
    for source, bytecode, *bare in jobs:
        # Templates, or code for other versions.
        with contextlib.suppress(Exception):
            content = Path(package, source).read_bytes()
            code = compile(content, f"{task_root}/{source}", "exec", dont_inherit=True)
            if bare:
                code = without_docstrings(code)
            header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(content)
            path = Path(package, bytecode)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header + marshal.dumps(code))


def without_docstrings(code: CodeType) -> CodeType:
    """Replaces each docstring with a word: SQLAlchemy requires docstrings, so Python's -OO does not work."""
    constants = [without_docstrings(value) if isinstance(value, CodeType) else value for value in code.co_consts]
    instructions = list(zip(code.co_code[::2], code.co_code[1::2], strict=True))
    if code.co_flags & CO_OPTIMIZED:
        # A function's docstring: a leading text that nothing loads.
        if constants and isinstance(constants[0], str) and not loads(instructions, 0):
            constants[0] = LEFT_OUT
    elif "__doc__" in code.co_names:
        # A module's or a class's docstring: a text that is assigned, and that nothing else loads.
        store = (STORE_NAME, code.co_names.index("__doc__"))
        for (operation, index), following in itertools.pairwise(instructions):
            is_text = operation == LOAD_CONST and following == store and isinstance(constants[index], str)
            if is_text and loads(instructions, index) == 1:
                constants[index] = LEFT_OUT
    return code.replace(co_consts=tuple(constants))


def loads(instructions: list[tuple[int, int]], index: int) -> int:
    """How many instructions load a constant; an index above 255 also counts for another constant."""
    return sum(operation in LOADS and argument == index for operation, argument in instructions)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.stdin.read().splitlines())
