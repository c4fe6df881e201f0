"""The values of an interpreted upgrade that are not plain Python values."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

MARK = "cdk_alembic_unknown"
"""Replaces an unknown value in a text. It is an identifier, so the text stays valid SQL."""


class Text(str):
    """A literal whose lines are lines of the revision's file, starting at `line`."""

    line: int = 0


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _Unknown()


@dataclass(eq=False)
class External:
    """A member of a module outside of the backend, such as `alembic.op.drop_table`."""

    name: str


@dataclass(eq=False)
class Attribute:
    of: Any
    name: str


@dataclass(eq=False)
class Item:
    """An element of an unknown value: the one at `key`, or any element of a loop (`key` is UNKNOWN)."""

    of: Any
    key: Any = UNKNOWN
    narrowed: bool = False
    """Whether the current code runs for some of the loop's elements only."""


@dataclass(eq=False)
class Call:
    function: Any
    args: list[Any]
    keywords: dict[str, Any]

    @property
    def name(self) -> str:
        return last_name(self.function)

    @property
    def receiver(self) -> Any:
        """The object whose method is called. For an External: its name without the last part."""
        if isinstance(self.function, Attribute):
            return self.function.of
        if isinstance(self.function, External) and "." in self.function.name:
            return External(self.function.name.rpartition(".")[0])
        return None

    def given(self, position: int, *names: str) -> Any:
        """An argument by position or name; None if not passed."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.args[position] if position < len(self.args) else None


SYMBOLS = (External, Attribute, Item, Call)


class Elements(list):
    """A list of the revision."""

    many: bool = False
    """Whether its elements stand for any number of them: they were collected in a loop over unknown elements."""

    @classmethod
    def of(cls, items: Iterable[Any], *, many: bool) -> Elements:
        made = cls(items)
        made.many = many
        return made

    def some(self) -> Elements:
        """Those of a slice, or left after one was removed."""
        return Elements.of(map(narrowed, self), many=True)


def is_many(value: Any) -> bool:
    return isinstance(value, Elements) and value.many


def narrowed(value: Any) -> Any:
    """A value of a loop's row, which now represents only some of the rows."""
    if isinstance(value, Item):
        return replace(value, narrowed=True) if value.key is UNKNOWN else replace(value, of=narrowed(value.of))
    if isinstance(value, Attribute):
        return replace(value, of=narrowed(value.of))
    return tuple(map(narrowed, value)) if type(value) is tuple else value


@dataclass(eq=False)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Any
    owner: Class | None = None
    """The class that defines this method."""
    is_context_manager: bool = False
    """Whether it is a context manager: the body of the `with` runs at its `yield`."""


@dataclass(eq=False)
class Class:
    node: ast.ClassDef
    names: dict[str, Any]
    bases: list[Any]

    def find(self, name: str) -> Any:
        """An attribute of the class or its bases; None if not found."""
        if name in self.names:
            return self.names[name]
        return next((found for base in self.bases if isinstance(base, Class) and (found := base.find(name)) is not None), None)

    def fields(self) -> dict[str, Any]:
        """The annotated names of its bases and of itself, in order, with their defaults; UNKNOWN if they have none."""
        found = {name: value for base in self.bases if isinstance(base, Class) for name, value in base.fields().items()}
        for node in self.node.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = self.names.get(node.target.id, UNKNOWN)
        return found


@dataclass(eq=False)
class Instance:
    cls: Class
    names: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class BoundFunction:
    """A function with its first arguments: a method, or a `functools.partial`."""

    function: Any
    args: list[Any]
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class ContextManager:
    """A context manager that is not entered yet."""

    function: Function
    args: list[Any]
    keywords: dict[str, Any]


@dataclass(eq=False)
class Getter:
    """`operator.attrgetter(name)`, or with arguments `operator.methodcaller(name, ...)`."""

    name: str
    args: list[Any] | None = None
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Super:
    """`super()` in a method of `cls`."""

    cls: Class
    instance: Any


@dataclass(eq=False)
class Method:
    """A method of a plain Python value."""

    of: Any
    name: str


@dataclass(eq=False)
class Builtin:
    name: str


@dataclass(eq=False)
class OneOf:
    """One of several possible values."""

    values: list[Any]


@dataclass(eq=False)
class Unless(OneOf):
    """A value that only a statement's failure changes."""

    usual: Any = UNKNOWN


CALLABLE = (Function, Class, BoundFunction)
PLAIN = (str, bytes, bytearray, int, float, bool, type(None), list, tuple, dict, set, frozenset, PurePath, range)


def either(values: list[Any]) -> Any:
    """Combines several possible values: at most 16, more are UNKNOWN."""
    flat: list[Any] = []
    for value in values:
        for one in value.values if isinstance(value, OneOf) else [value]:
            if not any(one is other or (type(one) is type(other) and isinstance(one, str) and one == other) for other in flat):
                flat.append(one)
    if len(flat) > 16:
        flat = [*flat[:16], UNKNOWN]
    return flat[0] if len(flat) == 1 else OneOf(flat) if flat else UNKNOWN


def is_globals(value: Any) -> bool:
    return isinstance(value, Builtin) and value.name in ("globals", "locals")


def last_name(value: Any) -> str:
    """`drop_table` of `op.drop_table`."""
    if isinstance(value, Attribute):
        return value.name
    return value.name.rpartition(".")[2] if isinstance(value, External) else ""


def as_text(value: Any) -> str:
    """A value as part of a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="replace")
    return MARK
