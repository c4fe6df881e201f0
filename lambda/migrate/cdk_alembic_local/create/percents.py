"""Percent signs in a new revision."""

from __future__ import annotations

from typing import Any


def write_percents_once(context: Any) -> None:
    """Makes Alembic write each `%` of an SQL expression once.

    For a driver with `%s` parameters, SQLAlchemy doubles it. In a revision it would be doubled again when it runs.
    """
    impl = context.impl
    if not impl.dialect.identifier_preparer._double_percents:
        return
    render = impl.render_ddl_sql_expr

    def once(*args: Any, **options: Any) -> str:
        return render(*args, **options).replace("%%", "%")

    impl.render_ddl_sql_expr = once
