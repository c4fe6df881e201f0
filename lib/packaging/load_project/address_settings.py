"""The backend's settings that hold the address to which env.py connects."""

from __future__ import annotations

import gc
import os
from typing import Any

from cdk_alembic.project.settings_classes import fields_of, variable_of

from .variables import classes_of_settings, variables_of


def address_settings(dialect: str, host: str | None = None, database: str | None = None) -> list[str]:
    """The variables that hold an address: those of the environment, and unset ones of settings whose default it is.

    `dialect`: the start of its scheme. `host` and `database`: None stands for any.
    """
    classes = classes_of_settings()
    values = [
        (kind, name, value)
        for kind in classes
        for name, field in fields_of(kind).items()
        for value in (getattr(field, "default", None), *(vars(one).get(name) for one in living(kind)))
    ]
    names = [variable_of(kind, [name]) for kind, name, value in values if is_address(value, dialect, host, database)]
    given = [name for name, value in os.environ.items() if is_address(value, dialect, host, database)]
    return [*given, *(name for name in dict.fromkeys(names) if name not in os.environ)]


def unset_settings() -> list[str]:
    """The unset variables of all settings: those of the parts of an address look like it."""
    return [name for kind in classes_of_settings() for name in variables_of(kind) if name not in os.environ]


def living(kind: Any) -> list[Any]:
    """The instances of a class of settings."""
    return [one for one in gc.get_objects() if type(one) is kind]


def is_address(value: Any, dialect: str, host: str | None, database: str | None) -> bool:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    secret = getattr(value, "get_secret_value", None)
    try:
        url = make_url(str(secret() if secret else value))
    except (ArgumentError, ValueError):
        return False
    return url.drivername.startswith(dialect) and host in (None, url.host or "") and database in (None, url.database or "")
