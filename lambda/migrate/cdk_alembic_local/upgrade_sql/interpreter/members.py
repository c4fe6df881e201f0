"""Attributes and elements of values."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from ..rendering.queries import column_read
from ..values import (
    MARK,
    PLAIN,
    UNKNOWN,
    Attribute,
    BoundFunction,
    Call,
    Class,
    External,
    Function,
    Instance,
    Item,
    Method,
    OneOf,
    Super,
    as_text,
    either,
    is_globals,
    is_many,
)
from . import builtin_calls
from .modules import Module


class Members:
    """Part of Interpreter."""

    def _get_attribute(self, node: ast.Attribute) -> Any:
        return self._attribute(self._value(node.value), node.attr)

    def _attribute(self, value: Any, name: str) -> Any:
        if isinstance(value, OneOf):
            return either([self._attribute(one, name) for one in value.values])
        if isinstance(value, Super):
            found = next((found for base in value.cls.bases if isinstance(base, Class) and (found := base.find(name))), None)
            return BoundFunction(found, [value.instance]) if isinstance(found, Function) else Attribute(value, name)
        if isinstance(value, Call) and name == "ops" and (found := value.given(0, "ops")) is not None:
            return value.args[-1] if value.name == "ModifyTableOps" and value.args else found
        if isinstance(value, Module):
            inner = self._modules.member("", name, value, 1) if not value.defines(name) else None
            return value.look_up(name) if value.defines(name) else inner
        if isinstance(value, External):
            return External(f"{value.name}.{name}")
        if isinstance(value, Path):
            if name == "parents":
                return list(value.parents)
            return getattr(value, name) if name in ("parent", "name", "stem", "suffix") else Method(value, name)
        if isinstance(value, str) and name in ("value", "name"):
            return value  # a member of an enum
        if isinstance(value, PLAIN):
            return Method(value, name)
        if isinstance(value, (Instance, Class)):
            return self._member(value, name)
        if builtin_calls.is_open_file(value) or (isinstance(value, Call) and value.keywords.get("template")):
            return Attribute(value, name)
        # The dialect is always PostgreSQL: `op.get_bind().dialect.name`
        if name == "name" and isinstance(value, (Attribute, External)) and value.name.rpartition(".")[2] in ("dialect", "engine"):
            return "postgresql"
        return self._read(Attribute(value, name))

    def _read(self, value: Attribute | Item) -> Attribute | Item:
        """Reports the column that a value comes from."""
        if column := column_read(value):
            self._report_reads([column])
        return value

    def _member(self, value: Instance | Class, name: str) -> Any:
        cls = value.cls if isinstance(value, Instance) else value
        if isinstance(value, Instance) and name in value.names:
            return value.names[name]
        found = cls.find(name)
        if found is None:
            return Attribute(value, name)
        if isinstance(found, Function):
            kinds = [getattr(decorator, "id", "") for decorator in getattr(found.node, "decorator_list", ())]
            if "staticmethod" in kinds:
                return found
            if "property" in kinds and isinstance(value, Instance):
                return self._call(found, [value], {})
            return BoundFunction(found, [value]) if isinstance(value, Instance) or "classmethod" in kinds else found
        # A model's column is identified by the model.
        return Attribute(value, name) if isinstance(found, Call) and isinstance(value, Class) else found

    def _get_subscript(self, node: ast.Subscript) -> Any:
        value, key = self._value(node.value), self._value(node.slice)
        if is_globals(value):
            return self._of_globals(key)
        if is_many(value):
            return value.some() if isinstance(node.slice, ast.Slice) else either(value.some())
        if isinstance(value, (dict, list, tuple, str)) and isinstance(key, (str, int, slice)):
            if isinstance(value, dict) and (isinstance(key, slice) or MARK in as_text(key) or key not in value):
                return either(list(value.values()))
            try:
                return value[key]
            except Exception:
                return UNKNOWN
        if isinstance(value, (dict, list, tuple)) and not isinstance(node.slice, ast.Slice):
            return either(list(value.values() if isinstance(value, dict) else value))
        # vars(op)["drop_table"]
        if isinstance(value, (External, Attribute)) and value.name.endswith("__dict__") and isinstance(key, str):
            return External(f"{value.name[:-9]}.{key}") if isinstance(value, External) else self._attribute(value.of, key)
        is_part = isinstance(key, Item) and isinstance(key.of, Call) and _skips_numbers(key.of)
        return self._read(Item(value, key, narrowed=is_part))

    def _get_slice(self, node: ast.Slice) -> Any:
        parts = [None if part is None else self._value(part) for part in (node.lower, node.upper, node.step)]
        return slice(*parts) if all(part is None or isinstance(part, int) for part in parts) else UNKNOWN

    def _of_globals(self, key: Any, default: Any = UNKNOWN) -> Any:
        """All functions that match `globals()["upgrade_%s" % engine_name]`, as in Alembic's template for several databases."""
        before, mark, after = as_text(key).partition(MARK)
        module = self._scope.module
        if not mark:
            return module.look_up(before) if module.defines(before) else default
        names = module.matching(lambda name: name.startswith(before) and name.endswith(after))
        return either(
            [found for name in names if isinstance(found := module.look_up(name), Function) and found.node not in self._stack]
        )


def _skips_numbers(numbers: Call) -> bool:
    """Whether a `range` leaves out some of the numbers from 0 to a `len`."""
    if numbers.name != "range":
        return False
    *start, end = numbers.args[:2]
    return start not in ([], [0]) or len(numbers.args) > 2 or not (isinstance(end, Call) and end.name == "len")
