"""Calls of Python's built-ins and standard library, whose result is known when their arguments are."""

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
from pathlib import Path, PurePath
from typing import Any

from .values import MARK, PLAIN, UNKNOWN, Called, Class, External, Item, Method, OneOf, as_text, either

_MAX_FILE_BYTES = 4 * 1024 * 1024
_MAX_ITEMS = 500
_PURE = {
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
_PATH_METHODS = ("joinpath", "with_name", "with_suffix", "as_posix", "relative_to")
_SAME_PATH = ("resolve", "absolute", "expanduser")


def method(call: Method, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a known value's method."""
    value, name = call.of, call.name
    if isinstance(value, PurePath):
        return _of_path(value, name, args, keywords, root)
    if name == "decode" and isinstance(value, str):
        return value  # a file, which is read as a text
    kinds = [names.split() for kind, names in _METHODS.items() if isinstance(value, kind)]
    if not kinds or name not in kinds[0]:
        return UNKNOWN
    if isinstance(value, (str, bytes)):
        if name == "join" and (not args or not isinstance(args[0], (list, tuple, set, dict))):
            return MARK
        if name == "join":
            return as_text(value).join(as_text(part) for part in args[0])
        elif name in ("format", "format_map"):
            args = [_shown(part) for part in args]
            keywords = {key: _shown(part) for key, part in keywords.items()}
        elif not all(isinstance(part, PLAIN) for part in args):
            args = [part if isinstance(part, PLAIN) else MARK for part in args]
    if (
        isinstance(value, dict)
        and name in ("get", "pop")
        and args
        and (not isinstance(args[0], PLAIN) or MARK in as_text(args[0]))
    ):
        return either([*value.values(), *(args[1:] or [None])])
    try:
        result = getattr(value, name)(*args, **keywords)
    except Exception:
        return UNKNOWN
    return list(result) if name in ("items", "keys", "values") else result


def _shown(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else MARK


def _of_path(path: PurePath, name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    if name in _SAME_PATH:
        return path
    if name in ("read_text", "read_bytes"):
        content = read_file(path, root)
        return content.encode() if name == "read_bytes" and isinstance(content, str) else content
    if name == "open":
        return opened(path, root)
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


def opened(path: Any, root: Path) -> Any:
    """A file that is opened for reading."""
    content = read_file(path, root) if isinstance(path, (str, PurePath)) else UNKNOWN
    return Called(UNKNOWN, [content], {"file": True})


def is_open(value: Any) -> bool:
    return isinstance(value, Called) and value.keywords.get("file") is True


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
    if is_open(value) and isinstance(value.args[0], str):
        return value.args[0].splitlines(keepends=True)
    return None


def builtin(name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a built-in function."""
    first = args[0] if args else UNKNOWN
    if name in ("str", "repr"):
        if isinstance(first, bytes):
            return first.decode(errors="replace")
        return str(first) if isinstance(first, PLAIN) else first if isinstance(first, Called) else MARK
    if name == "open":
        return opened(first, root)
    if name == "compile":
        return first
    items = elements(first)
    if name in ("list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"):
        if not args:
            return {"list": list, "tuple": tuple, "set": set}.get(name, list)()
        if items is None:
            return first if name != "tuple" else UNKNOWN
        if name == "reversed":
            return items[::-1]
        return tuple(items) if name == "tuple" else items
    if name == "dict":
        return {**first, **keywords} if isinstance(first, dict) else dict(keywords) if not args else UNKNOWN
    if name == "enumerate" and items is not None:
        return list(enumerate(items))
    if name == "zip" and all(elements(one) is not None for one in args):
        return [list(one) for one in zip(*(elements(one) for one in args), strict=False)]
    if name == "next":
        return items[0] if items else Item(first)
    if name in ("any", "all") and items is not None and all(isinstance(one, (bool, str, int)) for one in items):
        return any(items) if name == "any" else all(items)
    if name in _PURE and all(isinstance(one, PLAIN) for one in args):
        try:
            return _PURE[name](*args)
        except Exception:
            return UNKNOWN
    return UNKNOWN


def library(name: str, args: list[Any], keywords: dict[str, Any], root: Path) -> Any:
    """The result of a function of the standard library; None if the function is not supported."""
    first = args[0] if args else keywords.get("text", UNKNOWN)
    known = all(isinstance(one, PLAIN) for one in args)
    if name in ("textwrap.dedent", "inspect.cleandoc", "sqlparse.format", "textwrap.indent") and isinstance(first, str):
        if name == "sqlparse.format":
            return first
        return inspect.cleandoc(first) if name == "inspect.cleandoc" else textwrap.dedent(first)
    if name in ("sqlparse.split", "sqlparse.parse") and isinstance(first, str):
        return [str(first)]
    if name in ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath") and args:
        return Path(*args) if all(isinstance(one, (str, PurePath)) for one in args) else UNKNOWN
    if name.startswith("os.path.") and known and args:
        function = getattr(posixpath, name.rpartition(".")[2], None)
        if name.endswith((".abspath", ".realpath", ".normpath")):
            return str(first)
        try:
            result = function(*map(str, args)) if function and name.endswith((".join", ".dirname", ".basename")) else UNKNOWN
        except Exception:
            return UNKNOWN
        return result
    if name in ("json.loads", "json.load", "tomllib.loads", "tomllib.load", "ast.literal_eval"):
        return _loaded(name, first)
    if name.startswith("base64.") and name.endswith("decode") and known and args:
        try:
            return getattr(base64, name.removeprefix("base64."))(as_text(first))
        except (ValueError, AttributeError):
            return UNKNOWN
    if name == "itertools.product" and args and all(elements(one) is not None for one in args):
        return [list(one) for one in itertools.islice(itertools.product(*(elements(one) for one in args)), _MAX_ITEMS)]
    if name == "glob.glob" and isinstance(first, str) and _is_below(first, root) and MARK not in first:
        return sorted(glob.glob(first))[:_MAX_ITEMS]  # noqa: PTH207
    if name == "os.listdir" and isinstance(first, (str, PurePath)) and _is_below(first, root) and Path(first).is_dir():
        return sorted(one.name for one in Path(first).iterdir())[:_MAX_ITEMS]
    if name in ("io.open", "codecs.open"):
        return opened(first, root)
    if name == "string.Template" and isinstance(first, str):
        return Called(UNKNOWN, [first], {"template": True})
    if name == "re.sub" and known and len(args) >= 3:
        try:
            return re.sub(*(as_text(one) for one in args[:3]))
        except re.error:
            return UNKNOWN
    if name == "re.split" and known and len(args) >= 2:
        return [as_text(args[1])]
    if name == "itertools.chain" and all(elements(one) is not None for one in args):
        return [one for many in args for one in elements(many) or ()]
    return None


def _loaded(name: str, given: Any) -> Any:
    """A parsed document, from a text or an open file."""
    text = given.args[0] if is_open(given) else given
    if not isinstance(text, (str, bytes)) or MARK in as_text(text):
        return UNKNOWN
    load = {"json": json.loads, "tomllib": tomllib.loads, "ast": ast.literal_eval}[name.partition(".")[0]]
    try:
        return load(as_text(text))
    except ValueError:
        return UNKNOWN


def substituted(template: Called, values: dict[str, Any]) -> str:
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
