"""Finds out where env.py connects: records every connection and makes it fail."""

from __future__ import annotations

import importlib
from contextlib import suppress
from functools import partial
from typing import Any

from .address_settings import address_settings
from .sandbox import NotConnected, Refused

# Replaces the database's address. Nothing connects to it, and no backend has this host by default.
ADDRESS = {"host": "cdk-alembic.invalid", "port": "5432", "user": "user", "password": "password", "database": "database"}

# Where a backend connects if nothing sets its address. An empty host is a socket.
THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")


class MissingGreenlet(Exception):
    """The error that SQLAlchemy would raise: an async driver connects in a synchronous engine."""


class Connections(list[tuple[Any, dict[str, Any], bool]]):
    """Those that env.py tries: dialect, arguments, and `needs_greenlet`."""

    is_loading_application = False
    """Whether Flask's application is being loaded, which may try its own before."""


def refuse_connections() -> Connections:
    """Makes every connection fail."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    tried = Connections()

    def through_sqlalchemy(dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        refuse_application(dialect.dbapi)
        tried.append((dialect, parameters, needs_greenlet(dialect, parameters)))
        raise Refused("env.py connects")

    def directly(driver: Any, *_: Any, **__: Any) -> None:
        refuse_application(driver)
        raise Refused("env.py connects")

    def refuse_application(driver: Any) -> None:
        if tried.is_loading_application:
            raise type("OperationalError", (NotConnected, driver.OperationalError), {})("it connects to the database")

    event.listen(Engine, "do_connect", through_sqlalchemy)
    for name in ("psycopg", "psycopg2"):
        # They connect in C, without an audit event. What can't be imported connects to nothing.
        with suppress(Exception):
            driver = importlib.import_module(name)
            driver.connect = partial(directly, driver)
    return tried


def elsewhere(dialect: Any, parameters: dict[str, Any], variables: dict[str, str]) -> dict[str, Any] | None:
    """The address to which env.py connects, if the function's database can't be there."""
    from cdk_alembic.connection.destination import requested_address

    if dialect.name != "postgresql":
        name = "an SQLite" if dialect.name == "sqlite" else f"a {dialect.name}"
        return {"address": f"{name} database", "isPostgres": False, "settings": address_settings(dialect.name)}
    found = requested_address(dialect.driver, parameters)
    host = found.server.host
    is_set = "url" in variables or "host" in variables
    if host == ADDRESS["host"] or not (is_set or host in THIS_MACHINE):
        return None
    return {"address": str(found), "isPostgres": True, "settings": address_settings("postgres", host, found.database)}


def needs_greenlet(dialect: Any, parameters: dict[str, Any]) -> bool:
    """Whether an async driver connects in a synchronous engine."""
    if not dialect.is_async or "async_fallback" in parameters:
        return False
    from greenlet import getcurrent

    current = getcurrent()
    # SQLAlchemy before 2.0.30 has the class without the attribute.
    return type(current).__name__ != "_AsyncIoGreenlet" and not getattr(current, "__sqlalchemy_greenlet_provider__", False)


def has_wrong_driver(error: BaseException) -> bool:
    """Whether it would not be raised with another driver in the database's URL."""
    from cdk_alembic.protocol.rules import DRIVERS

    is_not_async = type(error).__name__ == "InvalidRequestError" and "async driver" in str(error)
    return (
        isinstance(error, MissingGreenlet) or is_not_async or (isinstance(error, ModuleNotFoundError) and error.name in DRIVERS)
    )
