"""Validates values by the rules of the contract, which are data.

lib/contract/checks/rules.ts is the same in TypeScript: both report the same problems with the same words. Every call imports
this module, so it imports little.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# A list of thousands of items can have thousands of problems; people read only a few.
MAX_LISTED = 5
MAX_VALUE_LENGTH = 60


def problems(shape: Mapping[str, Any], value: object, path: str = "") -> list[str]:
    """All problems of an object; empty if it is valid."""
    if not isinstance(value, dict):
        return [f"{path or shape['name']} must be a JSON object"]
    rules = shape["keys"]
    prefix = f"{path}." if path else ""
    found = [f"unknown key {_quoted(prefix + key)}: use {', '.join(rules)}" for key in value if key not in rules]
    command = None
    by = shape.get("by")
    if by is not None:
        command = value.get(by, rules[by].get("default"))
        wrong = value_problems(rules[by], command, prefix + by)
        if wrong:
            # The command determines which keys are valid.
            return found + wrong
    for key, rule in rules.items():
        if key == by:
            continue
        if key not in value:
            needed = rule.get("neededBy", ())
            if needed == "all":
                found.append(f"{prefix}{key} is missing")
            elif command in needed:
                found.append(f"{_quoted(command)} needs {rule.get('called', key)}")
        elif "takenBy" in rule and command not in rule["takenBy"]:
            found.append(f"{_quoted(command)} takes no {key}")
        else:
            found.extend(value_problems(rule, value[key], prefix + key))
    one_of, not_both = shape.get("oneOf"), shape.get("notBoth")
    if one_of and _given(one_of["keys"], value) == 0:
        found.append(one_of["wrong"])
    if not_both and _given(not_both["keys"], value) > 1:
        found.append(not_both["wrong"])
    return found


def value_problems(rule: Mapping[str, Any], value: object, key: str = "") -> list[str]:
    """The problems of one value; empty if it is valid."""
    if rule["type"] == "object" and isinstance(value, dict):
        return problems(rule["shape"], value, key)
    if not _PASSES[rule["type"]](rule, value):
        return [rule["wrong"].replace("{key}", key).replace("{value}", _quoted(value))]
    if not isinstance(value, list):
        return []
    found = [problem for index, item in enumerate(value) for problem in value_problems(rule["of"], item, f"{key}[{index}]")]
    if "once" in rule:
        found.extend(_repeated(value, rule["once"], key))
    more = len(found) - MAX_LISTED
    return [*found[:MAX_LISTED], f"and {more} more problems in {key}"] if more > 0 else found


def _is_text(rule: Mapping[str, Any], value: object) -> bool:
    if not isinstance(value, str) or len(value) > rule.get("maxLength", len(value)):
        return False
    return value != "" if "pattern" not in rule else re.fullmatch(rule["pattern"], value) is not None


def _is_number(rule: Mapping[str, Any], value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    # JSON has only one number type: 2.0 is 2.
    return rule["from"] <= value <= rule.get("to", value) and (not rule.get("whole") or value % 1 == 0)


_PASSES = {
    "text": _is_text,
    "number": _is_number,
    "boolean": lambda rule, value: isinstance(value, bool),
    "choice": lambda rule, value: isinstance(value, str) and value in rule["of"],
    "list": lambda rule, value: isinstance(value, list) and rule.get("min", 0) <= len(value) <= rule.get("max", len(value)),
    "object": lambda rule, value: False,
}


def _given(keys: Sequence[str], value: Mapping[str, Any]) -> int:
    return sum(key in value and value[key] is not False for key in keys)


def _repeated(items: Sequence[object], key: str, path: str) -> list[str]:
    names = [item.get(key) for item in items if isinstance(item, dict)]
    seen: set[str] = set()
    duplicates = dict.fromkeys(name for name in names if isinstance(name, str) and (name in seen or seen.add(name)))
    return [f"{path} has {_quoted(name)} twice" for name in duplicates]


def _quoted(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value if len(value) <= MAX_VALUE_LENGTH else value[:MAX_VALUE_LENGTH] + "…", ensure_ascii=False)
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else json.dumps(value)
