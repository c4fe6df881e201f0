"""Percent signs in a new revision."""

from __future__ import annotations

from typing import Any


def write_percents_once(context: Any) -> None:
    """Makes Alembic write each `%` of an SQL expression once.

    A driver whose parameters are `%s` gets it twice, and takes it for one. In a revision it would be doubled again.
    """
    impl = context.impl
    if not impl.dialect.identifier_preparer._double_percents:
        return
    render = impl.render_ddl_sql_expr

    def once(*args: Any, **options: Any) -> str:
        return render(*args, **options).replace("%%", "%")

    impl.render_ddl_sql_expr = once
