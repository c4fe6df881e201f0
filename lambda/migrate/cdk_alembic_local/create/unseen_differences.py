"""Differences between models and migrations that autogenerate does not see, as operations of the new revision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alembic.operations import ops
from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.catalog.catalog_sql import MARK
from cdk_alembic.drift.names import quoted

from ..scratch.drift import Drift, flatten
from ..scratch.set_aside import remove
from ..scratch.standing import Standing
from .column_changes import COLUMN, steps, table_and, usings
from .identities import generated
from .own_operations import Code, RenameConstraint, execute, literal, named

_LABELS = re.compile(r"'((?:[^']|'')*)'")
# A constraint that Alembic can't render has more: NOT VALID, NO INHERIT.
_CHECK = re.compile(r"CHECK \(\((.*)\)\)", re.DOTALL)
# The name of a domain's CHECK, as the catalog's entry has it.
_OWN_CHECK = re.compile(r"(?<= )(\S+) (?=CHECK \()")
_REPLACE_ENUM = ": PostgreSQL can't remove or reorder the values of an enum, see https://cdk-alembic.github.io/cdk-alembic/create.html#replace-an-enum"
_REFERENCES = re.compile(r" REFERENCES (.+?)\(")
_SCHEMAS = """
SELECT coalesce(json_agg(quote_ident(nspname)), '[]')::text FROM pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', {own})
"""


class UnseenDifferences:
    """Collects the operations of both directions."""

    def __init__(self, context: Any, metadata: list[Any], altered_columns: set[str]) -> None:
        """`altered_columns`: entries of columns that autogenerate alters too."""
        self._altered = altered_columns
        self._metadata = metadata
        self._context = context
        self._dialect = context.dialect
        self._new_types: list[str] = []
        """The statements that create enums."""
        self.first: list[Any] = []
        self.last: list[Any] = []
        self.down_first: list[Any] = []
        self.down_last: list[Any] = []
        self.left: list[str] = []
        """Descriptions of differences that are not written."""
        self._defaults: dict[str, list[str]] = {}
        """Columns whose default only the migrations have, by table."""

    def add_to(self, directive: Any) -> None:
        directive.upgrade_ops.ops[:] = [*self.first, *directive.upgrade_ops.ops, *self.last]
        directive.downgrade_ops.ops[:] = [*self.down_first, *directive.downgrade_ops.ops, *self.down_last]

    def sql(self, up: str, down: str) -> None:
        self.last.append(Code(execute(up)))
        self.down_first.insert(0, Code(execute(down)))

    def rename_constraint(self, name: str, new: str) -> None:
        table, _, old = name.rpartition(".")
        rename = f"ALTER TABLE {named(table)} RENAME CONSTRAINT"
        self.sql(f"{rename} {quoted(old)} TO {quoted(new)}", f"{rename} {quoted(new)} TO {quoted(old)}")

    def changes(self, change: dict[str, Any], created: set[str], written: tuple[set[str], set[str]]) -> None:
        """`created`: types that new tables create themselves. `written`: types that other operations than Alembic's create,
        change or drop, in the upgrade and in the downgrade."""
        up, down = written
        for key, text in change["added"].items():
            kind, _, name = key.partition(" ")
            if kind == "type" and text.startswith("ENUM"):
                if name not in created | up:
                    self._new_types.append(f"CREATE TYPE {named(name)} AS {text}")
                    self.first.append(Code(execute(self._new_types[-1])))
                if name not in down:
                    self.down_last.append(Code(execute(f"DROP TYPE {named(name)}")))
            elif kind == "domain":
                if name not in created:
                    self.first.append(Code(execute(f"CREATE DOMAIN {named(name)} AS {_OWN_CHECK.sub(_constraint, text)}")))
                self.down_last.append(Code(execute(f"DROP DOMAIN {named(name)}")))
            elif kind == "constraint":
                self._constraint(name, None, text)
            elif kind == "index":
                self.last.append(self._index(name, text))
                self.down_first.insert(0, Code(execute(f"DROP INDEX {named(name)}")))
            else:
                self.left.append(f"the models have {key}")
        for key, (before, after) in change["changed"].items():
            if key.removeprefix("type ") not in up:
                self._changed(key, before, after)
        self.left += [f"only the migrations have {key}" for key in change["removed"]]
        if self._defaults:
            # Often intended: running code may depend on them, and models need none.
            found = (f"{table} ({', '.join(columns)})" for table, columns in self._defaults.items())
            self.left.append(f"only the migrations have defaults of {', '.join(found)}")

    def _changed(self, key: str, before: str, after: str) -> None:
        kind, _, name = key.partition(" ")
        # Models order a primary key's columns as in the class: no reason to rebuild it.
        if kind == "constraint" and not after.startswith("PRIMARY KEY"):
            self._constraint(name, before, after)
        elif kind == "index":
            drop = f"DROP INDEX {named(name)}"
            self.last += [Code(execute(drop)), self._index(name, after)]
            self.down_first[:0] = [Code(execute(drop)), Code(execute(before))]
        elif not (kind == "type" and self._labels(name, before, after)) and not (
            kind == "column" and self._column(name, before, after)
        ):
            guide = _REPLACE_ENUM if before.startswith("ENUM") and after.startswith("ENUM") else ""
            self.left.append(f"{key} is {before} in the migrations and {after} in the models{guide}")

    def _index(self, name: str, text: str) -> Any:
        """Creates an index as the models write it. `text`: as the catalog has it, for a name that PostgreSQL has shortened."""
        schema, _, own = name.rpartition(".")
        for table in (table for metadata in self._metadata for table in metadata.tables.values()):
            for index in table.indexes if table.schema in ([schema] if schema else [None, "public"]) else ():
                if index.name == own:
                    made = ops.CreateIndexOp.from_index(index)
                    made.kw.pop("postgresql_concurrently", None)
                    return made
        return Code(execute(text))

    def _constraint(self, name: str, before: str | None, after: str) -> None:
        table, _, own = name.rpartition(".")
        if before is not None:
            self.last.append(Code(self._drop(table, own, before)))
            self.down_first.insert(0, Code(self._add(table, own, before, _condition(before))))
        condition = _condition(after)
        if condition is not None:
            condition = self._modelled(table, own) or condition
        self.last.append(Code(self._add(table, own, after, condition)))
        self.down_first.insert(0, Code(self._drop(table, own, after)))

    def _add(self, table: str, own: str, text: str, condition: str | None) -> str:
        """`text`: as the catalog has it. `condition`: of a CHECK that Alembic can write."""
        if condition is None:
            return execute(f"ALTER TABLE {named(table)} ADD CONSTRAINT {quoted(own)} {text}")
        return f"op.create_check_constraint({self._name(own)}, {table_and(table, repr(literal(condition)))})"

    def _drop(self, table: str, own: str, text: str) -> str:
        if _condition(text) is None:
            return execute(f"ALTER TABLE {named(table)} DROP CONSTRAINT {quoted(own)}")
        options = table_and(table, "type_='check'")
        return f"op.drop_constraint({self._name(own)}, {options})"

    def _name(self, own: str) -> str:
        """As Alembic writes it: a naming convention must not change it again."""
        has_convention = any("ck" in one.naming_convention for one in self._metadata)
        return f"op.f({own!r})" if has_convention else repr(own)

    def _modelled(self, table: str, own: str) -> str | None:
        """The condition of a CHECK as the models write it."""
        from sqlalchemy import CheckConstraint
        from sqlalchemy.dialects import postgresql

        for one in (constraint for modelled in self._tables(table) for constraint in modelled.constraints):
            if not isinstance(one, CheckConstraint) or one.name is None:
                continue
            preparer = self._dialect.identifier_preparer
            if preparer.format_constraint(one) == preparer.quote(own):
                # Another style of parameters doubles each %, and a dialect without a connection each backslash.
                dialect = postgresql.dialect(paramstyle="named")
                words = str(one.sqltext.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
                return None if "\\" in words else words
        return None

    def _tables(self, name: str) -> list[Any]:
        """A table of the models."""
        keys = (name, f"public.{name}")
        return [metadata.tables[key] for metadata in self._metadata for key in keys if key in metadata.tables]

    def _labels(self, name: str, before: str, after: str) -> bool:
        """Adds values to an enum. False if one is removed, or moved."""
        old, new = (_LABELS.findall(text) for text in (before, after))
        if not (before.startswith("ENUM") and after.startswith("ENUM")) or [label for label in new if label in old] != old:
            return False
        lines = []
        for at, label in enumerate(new):
            if label not in old:
                place = f" AFTER '{new[at - 1]}'" if at else f" BEFORE '{old[0]}'" if old else ""
                lines.append(execute(f"ALTER TYPE {named(name)} ADD VALUE IF NOT EXISTS '{label}'{place}"))
        # Alembic's printer ends a block at an empty line. PostgreSQL can't remove a value: the downgrade does nothing.
        # The block commits what is before it.
        self.first.insert(0, Code("with op.get_context().autocommit_block():", *lines, ""))
        return True

    def _column(self, name: str, before: str, after: str) -> bool:
        table, _, own = name.rpartition(".")
        old, new = (COLUMN.fullmatch(text).groupdict() for text in (before, after))  # type: ignore[union-attr]
        using = usings(self._context, self._new_types, table, own, old["head"], new["head"])
        if old["computed"] != new["computed"] or using is None:
            return False
        is_left = old["default"] is not None and new["default"] is None and new["identity"] is None
        is_other = not is_left and old["default"] != new["default"]
        if is_other and any("nextval(" in (part["default"] or "") for part in (old, new)):
            return False
        if is_left:
            self._defaults.setdefault(table, []).append(own)
            new["default"] = old["default"]
        there = list(steps(table, own, old, new, using[0], generated(self._dialect, self._tables(table), own)))
        self.last += map(Code, there)
        back = list(map(Code, steps(table, own, new, old, using[1])))
        # The old type reads the old default.
        if f"column {name}" in self._altered:
            self.down_last += back
        else:
            self.down_first[:0] = back
        return bool(there) or is_left


def _constraint(name: re.Match[str]) -> str:
    return f"CONSTRAINT {quoted(name[1])} "


def _condition(text: str) -> str | None:
    check = _CHECK.fullmatch(text)
    return check and check[1]


def compare(context: Any, operations: list[Any]) -> tuple[Drift, dict[str, Any]]:
    """Replaces the migrations' tables by the models', compares the catalogs, and rolls back. Returns what differs without these
    operations of autogenerate."""
    connection = context.connection
    drift = Drift()
    raw.execute(connection, "SAVEPOINT cdk_alembic_models")
    try:
        raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {MARK}")
        catalog_sql.prepare(connection, context)
        drift.compare_with(context, Catalog().take(connection), operations)
        schemas = raw.value(connection, _SCHEMAS.format(own=raw.literal(MARK)))
        raw.execute(connection, f"DROP SCHEMA {', '.join(schemas)} CASCADE")
        raw.execute(connection, "CREATE SCHEMA public")
        return drift, drift.change(connection)
    finally:
        raw.execute(connection, "ROLLBACK TO SAVEPOINT cdk_alembic_models")


def find(context: Any, directives: list[Any], renamed: Sequence[str], standing: Standing | None) -> UnseenDifferences:
    """The differences that autogenerate has not found.

    `renamed`: tables whose constraints, and the foreign keys to which, get the models' names, too. `standing`: is left out."""
    operations = [operation for directive in directives for operation in flatten(directive.upgrade_ops)]
    drift, change = compare(context, operations)
    if standing:
        standing.remove_entries(change, drift)
    for directive in directives:
        for container in (directive.upgrade_ops, directive.downgrade_ops):
            remove(container, drift.changes_nothing)
    unseen = UnseenDifferences(context, drift.metadata, drift.altered_columns())
    written = [
        {name for directive in directives for name in _types_of_other_operations(flatten(container(directive)))}
        for container in (lambda one: one.upgrade_ops, lambda one: one.downgrade_ops)
    ]
    done = {(one.constraint_name, one.modify_name) for one in operations if isinstance(one, RenameConstraint)}
    for key, new_key, definition in drift.other_names:
        name, new = key.partition(" ")[2], new_key.rpartition(".")[2]
        table, _, old = name.rpartition(".")
        target = _REFERENCES.search(definition)
        if (old, new) not in done and (table in renamed or (target and target[1] in map(named, renamed))):
            unseen.rename_constraint(name, new)
    unseen.left.extend(
        f'in the models, server_default=sa.text("now()") of {column}: "now()" is a text, which PostgreSQL replaces by the time '
        "of the migration"
        for column in drift.corrected
    )
    unseen.changes(change, set(_types_of_new_tables(operations)), (written[0], written[1]))
    return unseen


def _types_of_other_operations(operations: Iterable[Any]) -> Iterator[str]:
    """Enums of the operations that a package such as alembic_postgresql_enum adds: they have a schema, a name and values."""
    for operation in operations:
        has_values = any(hasattr(operation, values) for values in ("enum_values", "new_values"))
        if has_values and isinstance(name := getattr(operation, "name", None), str):
            schema = getattr(operation, "schema", None)
            yield name if schema in (None, "public") else f"{schema}.{name}"


def _types_of_new_tables(operations: list[Any]) -> Iterator[str]:
    from sqlalchemy import Column

    for operation in operations:
        if not isinstance(operation, ops.CreateTableOp):
            continue
        for column in operation.columns:
            kind = getattr(getattr(column, "type", None), "item_type", getattr(column, "type", None))
            is_type = getattr(kind, "enums", None) or getattr(kind, "__visit_name__", "") == "DOMAIN"
            if isinstance(column, Column) and is_type and kind.name:
                schema = getattr(kind, "schema", None)
                yield kind.name if schema in (None, "public") else f"{schema}.{kind.name}"
