"""Evaluates calls of Python's built-ins and standard library with known arguments."""

from __future__ import annotations

import ast
import base64
import glob
import inspect
import itertools
import json
import os.path
import posixpath
import re
import string
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from ..values import (
    MARK,
    PLAIN,
    SYMBOLS,
    UNKNOWN,
    Call,
    Class,
    Elements,
    External,
    Item,
    Method,
    OneOf,
    Text,
    as_text,
    either,
    is_many,
)

_MAX_FILE_BYTES = 4 * 1024 * 1024
_MAX_ITEMS = 500
_PURE_FUNCTIONS = {
    "chr": chr, "ord": ord, "bytearray": bytearray, "bytes": bytes, "slice": slice, "len": len, "range": range, "int": int,
    "bool": bool, "abs": abs, "sum": sum, "float": float, "max": max, "min": min,
}  # fmt: skip
_METHODS = {
    str: "format format_map join replace strip lstrip rstrip split rsplit splitlines upper lower title capitalize encode "
    "removeprefix removesuffix partition rpartition startswith endswith zfill casefold swapcase center ljust rjust expandtabs "
    "count find",
    bytes: "decode replace strip split join upper lower",
    list: "append extend insert pop remove copy reverse sort index count",
    tuple: "index count",
    dict: "items keys values get pop copy update setdefault",
    set: "union add copy difference update intersection discard",
    frozenset: "union copy difference intersection",
}
_OF_ANY_NUMBER = ("pop", "remove", "index", "count")
"""Methods whose effect depends on how many elements a list has."""
_PATH_METHODS = ("joinpath", "with_name", "with_suffix", "as_posix", "relative_to")
_SAME_PATH = ("resolve", "absolute", "expanduser")


def method(call: Method, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a known value's method."""
    value, name = call.of, call.name
    if is_many(value) and name == "copy":
        return Elements.of(value, many=True)
    if is_many(value) and name in ("difference", "intersection"):
        return value.some()
    if is_many(value) and name in _OF_ANY_NUMBER:
        if name in ("pop", "remove"):
            value[:] = value.some()
        return either(value) if name == "pop" else UNKNOWN
    if isinstance(value, Elements) and name == "extend" and args and elements(args[0]) is None:
        args, value.many = [[Item(args[0])]], True
    if isinstance(value, PurePath):
        return _path_method(value, name, args, keywords, root)
    if name == "decode" and isinstance(value, str):
        return value  # a file, which is read as a text
    names = next((names for kind, names in _METHODS.items() if isinstance(value, kind)), "")
    if name not in names.split():
        return UNKNOWN
    if isinstance(value, (str, bytes)):
        if name == "join":
            return _joined(value, args)
        args = [_plain_or_mark(part) for part in args]
        if name in ("format", "format_map"):
            keywords = {key: _plain_or_mark(part) for key, part in keywords.items()}
    if isinstance(value, dict) and name in ("get", "pop") and args and MARK in as_text(_plain_or_mark(args[0])):
        return either([*value.values(), *(args[1:] or [None])])
    try:
        result = getattr(value, name)(*args, **keywords)
    except Exception:
        return UNKNOWN
    return list(result) if name in ("items", "keys", "values") else _with_line(result, value)


def _with_line(result: Any, text: Any) -> Any:
    """A result with its line in the file, if it has the same lines as a text of the file, such as after `dedent` or `strip`."""
    if not isinstance(text, Text) or not isinstance(result, str) or result.strip().count("\n") != text.strip().count("\n"):
        return result
    placed = Text(result)
    placed.line = text.line + _blank_lines(text) - _blank_lines(result)
    return placed


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _joined(separator: str | bytes, args: list[Any]) -> str:
    if not args or not isinstance(args[0], (list, tuple, set, dict)):
        return MARK
    return as_text(separator).join(as_text(part) for part in args[0])


def _plain_or_mark(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else MARK


def _path_method(path: PurePath, name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    if name in _SAME_PATH:
        return path
    if name in ("read_text", "read_bytes"):
        content = read_file(path, root)
        return content.encode() if name == "read_bytes" and isinstance(content, str) else content
    if name == "open":
        return open_file(path, root)
    if name in ("glob", "iterdir", "rglob") and _is_below(path, root):
        pattern = str(args[0]) if args and isinstance(args[0], str) and MARK not in args[0] else "*"
        found = Path(path).rglob(pattern) if name == "rglob" else Path(path).glob(pattern)
        return sorted(found)[:_MAX_ITEMS]
    if name in ("exists", "is_file"):
        return True if _is_below(path, root) and Path(path).exists() else UNKNOWN
    if name in _PATH_METHODS:
        try:
            # pathlib accepts no subclass of str.
            result = getattr(path, name)(*(str(one) if isinstance(one, str) else one for one in args), **keywords)
        except Exception:
            return UNKNOWN
        return result
    return UNKNOWN


def read_file(path: Any, root: Path) -> Any:
    """The text of a file of the backend; UNKNOWN for any other file."""
    file = Path(os.path.normpath(root / path))
    try:
        if MARK in str(file) or not _is_below(file, root) or file.stat().st_size > _MAX_FILE_BYTES:
            return UNKNOWN
        return file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return UNKNOWN


def open_file(path: Any, root: Path) -> Any:
    """A file that is opened for reading."""
    content = read_file(path, root) if isinstance(path, (str, PurePath)) else UNKNOWN
    return Call(UNKNOWN, [content], {"file": True})


def is_open_file(value: Any) -> bool:
    return isinstance(value, Call) and value.keywords.get("file") is True


def _is_below(path: Any, root: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)


def elements(value: Any) -> list[Any] | None:
    """The elements that a loop iterates over; None if unknown."""
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return list(value)[:_MAX_ITEMS]
    if isinstance(value, Class):  # an enum
        return [one for name, one in value.names.items() if isinstance(one, PLAIN) and not name.startswith("_")]
    if is_open_file(value) and isinstance(value.args[0], str):
        return value.args[0].splitlines(keepends=True)
    return None


def builtin(name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a built-in function."""
    first = args[0] if args else UNKNOWN
    if name == "open":
        return open_file(first, root)
    if name == "dict":
        return {**first, **keywords} if isinstance(first, dict) else _symbolic_call(name, args) if args else dict(keywords)
    if name in _SEQUENCES and not args:
        return _EMPTY.get(name, Elements)()
    if name == "len" and isinstance(first, (set, dict)) and any(isinstance(one, SYMBOLS) for one in first):
        return UNKNOWN
    if is_many(first) and name in _OF_MANY:
        return _OF_MANY[name](first)
    if name in _FUNCTIONS_OF_ITEMS:
        return _FUNCTIONS_OF_ITEMS[name](first, elements(first))
    if name == "zip" and _have_elements(args):
        return [list(one) for one in zip(*map(elements, args), strict=False)]
    if name not in _PURE_FUNCTIONS or not _are_plain(args):
        return _symbolic_call(name, args)
    try:
        return _PURE_FUNCTIONS[name](*args)
    except Exception:
        return UNKNOWN


def _symbolic_call(name: str, args: list[Any]) -> Any:
    """The call as a symbol if an argument comes from the database; UNKNOWN otherwise."""
    return Call(External(f"builtins.{name}"), args, {}) if any(isinstance(one, SYMBOLS) for one in args) else UNKNOWN


def _text_of(value: Any, _: list[Any] | None) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value) if isinstance(value, PLAIN) else value if isinstance(value, Call) else MARK


def _truth_of(test: Callable[[list[Any]], bool], items: list[Any] | None) -> Any:
    return test(items) if items is not None and all(isinstance(one, (bool, str, int)) for one in items) else UNKNOWN


_SEQUENCES = ("list", "tuple", "set", "sorted", "reversed", "iter", "frozenset")
_EMPTY = {"tuple": tuple, "set": set}
_FUNCTIONS_OF_ITEMS: dict[str, Callable[[Any, list[Any] | None], Any]] = {
    "str": _text_of,
    "repr": _text_of,
    "compile": lambda value, _: value,
    **dict.fromkeys(_SEQUENCES, lambda value, items: value if items is None else items),
    "tuple": lambda _, items: UNKNOWN if items is None else tuple(items),
    "reversed": lambda value, items: value if items is None else items[::-1],
    "enumerate": lambda value, items: _symbolic_call("enumerate", [value]) if items is None else list(enumerate(items)),
    "next": lambda value, items: items[0] if items else Item(value),
    "any": lambda _, items: _truth_of(any, items),
    "all": lambda _, items: _truth_of(all, items),
}
"""The result of each function by its first argument and that argument's elements, which are None if unknown."""
_OF_MANY: dict[str, Callable[[Elements], Any]] = {
    **dict.fromkeys(_SEQUENCES, lambda items: items),
    "enumerate": lambda items: Elements.of([(UNKNOWN, item) for item in items], many=True),
    "len": lambda _: UNKNOWN,
    "next": lambda items: either(items.some()),
}
"""The result of functions whose argument has any number of elements."""


def library(name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a function of the standard library; None if it is not supported, or not with these arguments."""
    args = args or ([keywords["text"]] if "text" in keywords else [])
    if name in ("io.open", "codecs.open"):
        return open_file(args[0] if args else UNKNOWN, root)
    if not args or (name in ("glob.glob", "os.listdir") and not (_has_path(args) and _is_below(args[0], root))):
        return None
    takes, result = _LIBRARY.get(name, (_are_plain, lambda *_: UNKNOWN) if name.startswith("os.path.") else (None, None))
    if takes is None or not takes(args):
        return None
    try:
        return _with_line(result(*args), args[0])
    except Exception:
        return UNKNOWN


def _has_text(args: list[Any]) -> bool:
    return isinstance(args[0], str)


def _has_path(args: list[Any]) -> bool:
    return isinstance(args[0], (str, PurePath)) and MARK not in str(args[0])


def _are_plain(args: list[Any]) -> bool:
    return all(isinstance(one, PLAIN) for one in args)


def _have_elements(args: list[Any]) -> bool:
    return all(elements(one) is not None for one in args)


def _parse_document(load: Callable[[str], Any], given: Any) -> Any:
    """A parsed document, from a text or an open file."""
    text = given.args[0] if is_open_file(given) else given
    return load(as_text(text)) if isinstance(text, (str, bytes)) and MARK not in as_text(text) else UNKNOWN


def _product(*many: Any) -> list[list[Any]]:
    return [list(one) for one in itertools.islice(itertools.product(*map(elements, many)), _MAX_ITEMS)]


def _decoder(decode: Callable[[str], bytes]) -> tuple[Callable[[list[Any]], bool], Callable[..., bytes]]:
    return _are_plain, lambda text, *_: decode(as_text(text))


_PATH = (bool, Path)
_JSON = (bool, lambda given, *_: _parse_document(json.loads, given))
_TOML = (bool, lambda given, *_: _parse_document(tomllib.loads, given))
_LIBRARY: dict[str, tuple[Callable[[list[Any]], bool], Callable[..., Any]]] = {
    "textwrap.dedent": (_has_text, textwrap.dedent),
    "textwrap.indent": (_has_text, lambda text, *_: textwrap.dedent(text)),
    "inspect.cleandoc": (_has_text, inspect.cleandoc),
    "sqlparse.format": (_has_text, lambda text, *_: text),
    "sqlparse.split": (_has_text, lambda text, *_: [str(text)]),
    "sqlparse.parse": (_has_text, lambda text, *_: [str(text)]),
    "string.Template": (_has_text, lambda text, *_: Call(UNKNOWN, [text], {"template": True})),
    "pathlib.Path": _PATH,
    "pathlib.PurePath": _PATH,
    "pathlib.PosixPath": _PATH,
    "os.path.join": (_are_plain, lambda *parts: posixpath.join(*map(str, parts))),
    "os.path.dirname": (_are_plain, lambda path: posixpath.dirname(str(path))),
    "os.path.basename": (_are_plain, lambda path: posixpath.basename(str(path))),
    "os.path.abspath": (_are_plain, str),
    "os.path.realpath": (_are_plain, str),
    "os.path.normpath": (_are_plain, str),
    "os.listdir": (_has_path, lambda folder: sorted(one.name for one in Path(folder).iterdir())[:_MAX_ITEMS]),
    "glob.glob": (_has_text, lambda pattern, *_: sorted(glob.glob(pattern))[:_MAX_ITEMS]),  # noqa: PTH207
    "json.loads": _JSON,
    "json.load": _JSON,
    "tomllib.loads": _TOML,
    "tomllib.load": _TOML,
    "ast.literal_eval": (bool, lambda given: _parse_document(ast.literal_eval, given)),
    "base64.b64decode": _decoder(base64.b64decode),
    "base64.standard_b64decode": _decoder(base64.standard_b64decode),
    "base64.urlsafe_b64decode": _decoder(base64.urlsafe_b64decode),
    "base64.b32decode": _decoder(base64.b32decode),
    "base64.b16decode": _decoder(base64.b16decode),
    "base64.a85decode": _decoder(base64.a85decode),
    "base64.b85decode": _decoder(base64.b85decode),
    "itertools.product": (_have_elements, _product),
    "itertools.chain": (_have_elements, lambda *many: [one for items in many for one in elements(items)]),
    "re.sub": (_are_plain, lambda pattern, by, text, *_: re.sub(as_text(pattern), as_text(by), as_text(text))),
    "re.split": (_are_plain, lambda _, text, *__: [as_text(text)]),
}
"""For each function, a check of its arguments, and its result."""


def substitute_template(template: Call, values: dict[str, Any]) -> str:
    """`string.Template("DROP TABLE $name").substitute(name="users")`"""
    return string.Template(template.args[0]).safe_substitute({key: as_text(value) for key, value in values.items()})


def truth(value: Any) -> bool | None:
    """Whether a value is true; None if unknown."""
    if isinstance(value, External) and value.name.endswith(".TYPE_CHECKING"):
        return False
    if isinstance(value, OneOf):
        found = {truth(one) for one in value.values}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, str) and MARK in value:
        return None
    return bool(value) if isinstance(value, PLAIN) else None
