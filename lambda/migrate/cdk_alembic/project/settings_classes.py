"""The environment variables that classes of pydantic-settings, and of Pydantic 1, read."""

from __future__ import annotations

import traceback
from typing import Any


def required_settings(error: Any) -> list[str]:
    """The variables of the fields that pydantic's settings lack."""
    kind = class_of_settings(error)
    if kind is None:
        return []
    lacking = [item["loc"] for item in error.errors() if item["loc"] and _is_lacking(kind, item)]
    places = [place for given in lacking for place in _required_places(_field_at(kind, given), given, nests(kind))]
    return [variable_of(kind, [str(part) for part in place]) for place in places]


def _is_lacking(kind: Any, item: dict[str, Any]) -> bool:
    """Whether a field has no value, or rejects its default None, as `key: str = os.getenv("SHOP_KEY")` does. The field's own
    variable precedes the default."""
    if item["type"] in ("missing", "value_error.missing"):
        return True
    return item.get("input", item) is None and getattr(_field_at(kind, item["loc"]), "default", item) is None


def _required_places(field: Any, place: tuple[Any, ...], is_nested: bool) -> list[tuple[Any, ...]]:
    """Where the values of a field without one go: the field, or the required fields within it if each has a variable."""
    if not has_fields(field):
        return [place]
    if not is_nested:
        # It is seldom a variable of its own.
        return []
    inner = [
        (inner, (*place, inner.alias or name)) for name, inner in field.annotation.model_fields.items() if inner.is_required()
    ]
    return [found for field, place in inner for found in _required_places(field, place, is_nested)]


def _field_at(settings: Any, place: tuple[Any, ...]) -> Any:
    """The field at a place in settings, which may be named by its alias."""
    field = None
    for part in place:
        fields = getattr(settings, "model_fields", {})
        field = fields.get(part) or next((field for field in fields.values() if field.alias == part), None)
        settings = getattr(field, "annotation", None)
    return field


def class_of_settings(error: BaseException) -> Any:
    """Pydantic 1 names the class; pydantic-settings has it in the frames."""
    kind = getattr(error, "model", None)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        own = frame.f_locals.get("__pydantic_self__", frame.f_locals.get("self"))
        if any(base.__name__ == "BaseSettings" for base in type(own).__mro__):
            kind = type(own)
    return kind


def fields_of(settings: Any) -> dict[str, Any]:
    return getattr(settings, "model_fields", None) or getattr(settings, "__fields__", {})


def has_fields(field: Any) -> bool:
    return hasattr(getattr(field, "annotation", None), "model_fields")


def variable_of(settings: Any, place: list[str]) -> str:
    """The variable that a class of settings reads for a field, or a field within a field."""
    config = getattr(settings, "model_config", None)
    name, *inner = place
    if config is None:
        field = settings.__fields__.get(name)
        names = sorted(field.field_info.extra.get("env_names", ())) if field else []
        is_case_sensitive = settings.__config__.case_sensitive
        variable = names[0] if names else name
    else:
        is_case_sensitive = config.get("case_sensitive")
        # Pydantic names an alias instead of its field, and an alias has no prefix.
        variable = f"{config.get('env_prefix') or ''}{name}" if name in settings.model_fields else name
        if delimiter := config.get("env_nested_delimiter"):
            variable = delimiter.join([variable, *inner])
    return variable if is_case_sensitive else variable.upper()


def nests(settings: Any) -> bool:
    """Whether each field within a field has a variable of its own."""
    return (getattr(settings, "model_config", None) or {}).get("env_nested_delimiter") is not None
