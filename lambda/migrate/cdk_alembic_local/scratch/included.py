"""What env.py leaves out of the comparison with `include_name` and `include_object`, which are called as autogenerate does."""

from __future__ import annotations

from typing import Any

from cdk_alembic.catalog.catalog import Snapshot

_CONSTRAINTS = {"UNIQUE": "unique_constraint", "FOREIGN KEY": "foreign_key_constraint"}
"""Other constraints are not compared by autogenerate, so no filter is for them."""


class Included:
    """The filters of env.py."""

    def __init__(self, context: Any, metadata: list[Any]) -> None:
        from alembic.autogenerate.api import AutogenContext

        self._filters = AutogenContext(context, metadata=metadata[0]) if metadata else None
        self._tables = {table.fullname.removeprefix("public."): table for one in metadata for table in one.tables.values()}

    def __call__(self, key: str, text: str, table: str | None, migrated: Snapshot, *, is_removed: bool) -> bool:
        """Whether the object of a catalog entry is compared. `table`: its own, which both sides have. `is_removed`: whether only
        the migrations have it."""
        modelled = self._tables.get(table or "")
        if self._filters is None or table is None or modelled is None:
            return True
        if not self._runs(modelled, modelled.name, "table", modelled):
            return False
        kind, _, name = key.partition(" ")
        own = name.rpartition(".")[2]
        if kind == "constraint":
            kind = next((one for start, one in _CONSTRAINTS.items() if text.startswith(start)), "")
        if kind not in ("column", "index", *_CONSTRAINTS.values()):
            return True
        made = _of_migrations(modelled, migrated.tables[table], kind, own) if is_removed else _of_models(modelled, kind, own)
        return made is None or self._runs(made, own, kind, modelled, is_reflected=is_removed)

    def _runs(self, made: Any, name: str, kind: str, table: Any, *, is_reflected: bool = False) -> bool:
        parents = {"schema_name": table.schema, **({} if kind == "table" else {"table_name": table.name})}
        other = None if is_reflected else made
        filters: Any = self._filters
        return filters.run_name_filters(name, kind, parents) and filters.run_object_filters(made, name, kind, is_reflected, other)


def _of_models(table: Any, kind: str, name: str) -> Any:
    found = {"column": table.columns, "index": table.indexes}.get(kind, table.constraints)
    return next((one for one in found if one.name == name), None)


def _of_migrations(table: Any, facts: dict[str, Any], kind: str, name: str) -> Any:
    """The object as reflection would make it, with what filters read: its name, its columns and its table."""
    from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, Table, UniqueConstraint
    from sqlalchemy.types import NullType

    made = Table(table.name, MetaData(), *(Column(one["name"], NullType()) for one in facts["columns"]), schema=table.schema)
    if kind == "column":
        return made.columns.get(name)
    found = facts["indexes"] if kind == "index" else facts["constraints"]
    columns = next((one["columns"] for one in found if one["name"].rpartition(".")[2] == name), [])
    named = [column for column in columns if column]
    if kind == "index":
        return Index(name, *(made.columns[column] for column in named), _table=made)
    constraint = (
        UniqueConstraint(*named, name=name)
        if kind == "unique_constraint"
        else ForeignKeyConstraint(named, [f"other.{column}" for column in named], name=name)
    )
    made.append_constraint(constraint)
    return constraint
