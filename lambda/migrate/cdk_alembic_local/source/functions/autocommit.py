"""Finds the texts that a file executes in autocommit blocks, wherever they are written: in a variable, or given to a function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from cdk_alembic.project.sources import last_name

Function = ast.FunctionDef | ast.AsyncFunctionDef


def run_in_autocommit(
    functions: list[Function], is_block: Callable[[ast.expr], bool], executes: tuple[str, ...]
) -> frozenset[ast.AST]:
    """The nodes whose values reach a call of `executes` in an autocommit block, also through functions of the file.

    `is_block`: whether the expression of a `with` is one.
    """
    executed = {function: list(_executed(function, is_block, executes)) for function in functions}
    if not any(executed.values()):
        return frozenset()
    helpers: set[str] = set()
    while True:
        flows = {function: _Flow(function, executed[function], helpers) for function in functions}
        found = {function.name for function, flow in flows.items() if flow.names & _parameters(function)}
        if found <= helpers:
            return frozenset(node for flow in flows.values() for node in flow.nodes)
        helpers |= found


def _executed(function: Function, is_block: Callable[[ast.expr], bool], executes: tuple[str, ...]) -> Iterator[ast.expr]:
    for block in ast.walk(function):
        if isinstance(block, (ast.With, ast.AsyncWith)) and any(is_block(item.context_expr) for item in block.items):
            for statement in block.body:
                for call in _calls(statement):
                    if last_name(call.func) in executes:
                        yield from call.args[:1]


class _Flow:
    """The data flow into some expressions of a function: their names, and the nodes of all values assigned to these names."""

    def __init__(self, function: Function, expressions: list[ast.expr], helpers: set[str]) -> None:
        self.names: set[str] = set()
        self.nodes: set[ast.AST] = set()
        self._assigned = list(_assigned(function))
        for expression in expressions:
            self._add(expression)
        for call in _calls(function):
            if isinstance(call.func, ast.Name) and call.func.id in helpers:
                for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                    self._add(value)

    def _add(self, expression: ast.expr) -> None:
        if expression in self.nodes:
            return
        self.nodes.update(ast.walk(expression))
        for name in {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - self.names:
            self.names.add(name)
            for target, value in self._assigned:
                if target == name:
                    self._add(value)


def _assigned(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Each name that a function assigns or loops with, and the value."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value:
            targets, value = [node.target], node.value
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            targets, value = [node.target], node.iter
        else:
            continue
        yield from ((name.id, value) for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (part for part in ast.walk(node) if isinstance(part, ast.Call))


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    return {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
