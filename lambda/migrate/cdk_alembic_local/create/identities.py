"""Columns that become identity columns, or no longer are ones."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import Identity

from ..scratch.set_aside import remove


def without_identities(directives: list[Any]) -> None:
    """Takes these changes out of Alembic's operations: some fail on PostgreSQL. The comparison of catalogs writes them."""
    for directive in directives:
        for container in (directive.upgrade_ops, directive.downgrade_ops):
            remove(container, _keeps_nothing)


def _keeps_nothing(operation: Any) -> bool:
    """Whether an operation changes nothing without its change of the identity, which is gone then."""
    if not isinstance(operation, ops.AlterColumnOp) or operation.modify_server_default is False:
        return False
    defaults = (operation.modify_server_default, operation.existing_server_default)
    if sum(isinstance(one, Identity) for one in defaults) != 1:
        return False
    operation.modify_server_default = False
    return not operation.has_changes()


def generated(dialect: Any, tables: list[Any], column: str) -> str | None:
    """The identity of a column in the models: `GENERATED ALWAYS AS IDENTITY (START WITH 10)`; None if it has none."""
    for table in tables:
        identity = table.columns[column].identity if column in table.columns else None
        if identity is not None:
            return dialect.ddl_compiler(dialect, None).visit_identity_column(identity)
    return None
