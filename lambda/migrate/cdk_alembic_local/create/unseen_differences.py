"""Differences between models and migrations that autogenerate does not see, as operations of the new revision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, product
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops
from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.catalog.catalog_sql import MARK
from cdk_alembic.drift.names import quoted

from ..scratch.constants import text_of
from ..scratch.drift import Drift, flatten
from ..scratch.set_aside import remove
from .conversions import runs
from .identities import generated

_LABELS = re.compile(r"'((?:[^']|'')*)'")
_COLUMN = re.compile(
    r"(?P<head>.*?)(?: GENERATED (?P<identity>ALWAYS|BY DEFAULT) AS IDENTITY)?"
    r"(?P<computed> GENERATED ALWAYS AS \(.*\) (?:STORED|VIRTUAL))?(?: DEFAULT (?P<default>.*))?",
    re.DOTALL,
)
# The head of a column's entry, and what a type has in brackets: Alembic does not see `varchar(50)` become `varchar`.
_HEAD = re.compile(r"(?P<type>.*?)(?: COLLATE (?P<collation>.*?))?(?P<required> NOT NULL)?")
_ARGUMENTS = re.compile(r"\(\d+(?:,\d+)?\)")
# A constraint that Alembic can't render has more: NOT VALID, NO INHERIT.
_CHECK = re.compile(r"CHECK \(\((.*)\)\)", re.DOTALL)
# The name of a domain's CHECK, as the catalog's entry has it.
_OWN_CHECK = re.compile(r"(?<= )(\S+) (?=CHECK \()")
# A text with a cast that the column's own type makes unnecessary.
_TYPED = re.compile(r"('(?:[^']|'')*')::[\w ]+(?:\(\d+\))?")
_REPLACE_ENUM = ": PostgreSQL can't remove or reorder the values of an enum, see https://cdk-alembic.github.io/cdk-alembic/create.html#replace-an-enum"
_REFERENCES = re.compile(r" REFERENCES (.+?)\(")
_SCHEMAS = """
SELECT coalesce(json_agg(quote_ident(nspname)), '[]')::text FROM pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', {own})
"""


class Code(ops.MigrateOperation):
    """Verbatim lines of Python."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)


@renderers.dispatch_for(Code)
def _render(_: Any, operation: Code) -> list[str]:
    return operation.lines


class RenameColumn(ops.AlterColumnOp):
    """Renames a column. Alembic before 1.18 leaves out the new name when it renders its own operation."""


@renderers.dispatch_for(RenameColumn)
def _render_rename(_: Any, operation: RenameColumn) -> str:
    arguments = [f"{operation.table_name!r}, {operation.column_name!r}, new_column_name={operation.modify_name!r}"]
    if operation.modify_nullable is not None:
        arguments.append(f"nullable={operation.modify_nullable}")
    if operation.schema:
        arguments.append(f"schema={operation.schema!r}")
    return f"op.alter_column({', '.join(arguments)})"


class RenameConstraint(ops.MigrateOperation):
    """Renames a constraint or an index of a renamed column. PostgreSQL keeps it, and its name."""

    def __init__(self, made: Any, name: str, new_name: str) -> None:
        """`made`: the operation that creates it."""
        self.is_index = isinstance(made, ops.CreateIndexOp)
        self.table_name = table_of(made)
        self.schema = getattr(made, "schema", None) or getattr(made, "kw", {}).get("source_schema")
        self.constraint_name = name
        self.modify_name = new_name


@renderers.dispatch_for(RenameConstraint)
def _render_rename_of_constraint(_: Any, operation: RenameConstraint) -> list[str]:
    old, new = quoted(operation.constraint_name), quoted(operation.modify_name)
    if old == new:
        return []
    schema = f"{quoted(operation.schema)}." if operation.schema else ""
    if operation.is_index:
        return [_execute(f"ALTER INDEX {schema}{old} RENAME TO {new}")]
    return [_execute(f"ALTER TABLE {schema}{quoted(operation.table_name)} RENAME CONSTRAINT {old} TO {new}")]


def out_of_batches(directives: list[Any]) -> None:
    """Moves operations that only `op` has out of a table's batch (`render_as_batch`), which runs its own at its end."""
    for directive in directives:
        for container in (directive.upgrade_ops, directive.downgrade_ops):
            container.ops[:] = [part for operation in container.ops for part in _parts(operation)]


def _parts(operation: Any) -> Iterator[Any]:
    if not isinstance(operation, ops.ModifyTableOps):
        yield operation
        return
    for is_own, group in groupby(operation.ops, lambda one: isinstance(one, (Code, RenameColumn, RenameConstraint))):
        own = list(group)
        yield from own if is_own else [ops.ModifyTableOps(operation.table_name, own, schema=operation.schema)]


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
        self.last.append(Code(_execute(up)))
        self.down_first.insert(0, Code(_execute(down)))

    def rename_constraint(self, name: str, new: str) -> None:
        table, _, old = name.rpartition(".")
        rename = f"ALTER TABLE {_named(table)} RENAME CONSTRAINT"
        self.sql(f"{rename} {quoted(old)} TO {quoted(new)}", f"{rename} {quoted(new)} TO {quoted(old)}")

    def changes(self, change: dict[str, Any], created: set[str], written: tuple[set[str], set[str]]) -> None:
        """`created`: types that new tables create themselves. `written`: types that other operations than Alembic's create,
        change or drop, in the upgrade and in the downgrade."""
        up, down = written
        for key, text in change["added"].items():
            kind, _, name = key.partition(" ")
            if kind == "type" and text.startswith("ENUM"):
                if name not in created | up:
                    self._new_types.append(f"CREATE TYPE {_named(name)} AS {text}")
                    self.first.append(Code(_execute(self._new_types[-1])))
                if name not in down:
                    self.down_last.append(Code(_execute(f"DROP TYPE {_named(name)}")))
            elif kind == "domain":
                if name not in created:
                    self.first.append(Code(_execute(f"CREATE DOMAIN {_named(name)} AS {_OWN_CHECK.sub(_constraint, text)}")))
                self.down_last.append(Code(_execute(f"DROP DOMAIN {_named(name)}")))
            elif kind == "constraint":
                self._constraint(name, None, text)
            elif kind == "index":
                self.last.append(self._index(name, text))
                self.down_first.insert(0, Code(_execute(f"DROP INDEX {_named(name)}")))
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
            drop = f"DROP INDEX {_named(name)}"
            self.last += [Code(_execute(drop)), self._index(name, after)]
            self.down_first[:0] = [Code(_execute(drop)), Code(_execute(before))]
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
        return Code(_execute(text))

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
            return _execute(f"ALTER TABLE {_named(table)} ADD CONSTRAINT {quoted(own)} {text}")
        return f"op.create_check_constraint({self._name(own)}, {_table_and(table, repr(_literal(condition)))})"

    def _drop(self, table: str, own: str, text: str) -> str:
        if _condition(text) is None:
            return _execute(f"ALTER TABLE {_named(table)} DROP CONSTRAINT {quoted(own)}")
        options = _table_and(table, "type_='check'")
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
                lines.append(_execute(f"ALTER TYPE {_named(name)} ADD VALUE IF NOT EXISTS '{label}'{place}"))
        # Alembic's printer ends a block at an empty line. PostgreSQL can't remove a value: the downgrade does nothing.
        # The block commits what is before it.
        self.first.insert(0, Code("with op.get_context().autocommit_block():", *lines, ""))
        return True

    def _column(self, name: str, before: str, after: str) -> bool:
        table, _, own = name.rpartition(".")
        old, new = (_COLUMN.fullmatch(text).groupdict() for text in (before, after))  # type: ignore[union-attr]
        usings = self._usings(table, own, old["head"], new["head"])
        if old["computed"] != new["computed"] or usings is None:
            return False
        is_left = old["default"] is not None and new["default"] is None and new["identity"] is None
        is_other = not is_left and old["default"] != new["default"]
        if is_other and any("nextval(" in (part["default"] or "") for part in (old, new)):
            return False
        if is_left:
            self._defaults.setdefault(table, []).append(own)
            new["default"] = old["default"]
        steps = list(_steps(table, own, old, new, usings[0], generated(self._dialect, self._tables(table), own)))
        self.last += map(Code, steps)
        back = list(map(Code, _steps(table, own, new, old, usings[1])))
        # The old type reads the old default.
        if f"column {name}" in self._altered:
            self.down_last += back
        else:
            self.down_first[:0] = back
        return bool(steps) or is_left

    def _usings(self, table: str, column: str, old: str, new: str) -> tuple[str, str] | None:
        """What follows a new type, and the old one in the downgrade; None if more differs, or no cast leads there and back.

        Alembic writes such a change itself unless env.py has it compare no types."""
        if _ARGUMENTS.sub("", old) == _ARGUMENTS.sub("", new):
            return "", ""
        (was, *others), (becomes, *wanted) = (_HEAD.fullmatch(head).groups() for head in (old, new))  # type: ignore[union-attr]
        if others != wanted:
            return None
        alter = f"ALTER TABLE {_named(table)} ALTER COLUMN {quoted(column)} TYPE"
        casts = ("", f" USING {quoted(column)}::", f" USING {quoted(column)}::text::")
        for up, down in product((cast and cast + becomes for cast in casts), (cast and cast + was for cast in casts)):
            if runs(self._context, [], *self._new_types, f"{alter} {becomes}{up}", f"{alter} {was}{down}"):
                return up, down
        return None


def _constraint(name: re.Match[str]) -> str:
    return f"CONSTRAINT {quoted(name[1])} "


def _condition(text: str) -> str | None:
    check = _CHECK.fullmatch(text)
    return check and check[1]


def _steps(
    table: str, column: str, old: dict[str, Any], new: dict[str, Any], using: str, modelled: str | None = None
) -> Iterator[str]:
    """`using`: what follows a new type. `modelled`: the column's identity in the models."""
    alter = f"ALTER TABLE {_named(table)} ALTER COLUMN {quoted(column)}"
    if old["default"] is not None and new["default"] is None:
        yield f"op.alter_column({_table_and(table, 'server_default=None', column)})"
    if old["head"] != new["head"]:
        type_, collation, _ = _HEAD.fullmatch(new["head"]).groups()  # type: ignore[union-attr]
        yield _execute(f"{alter} TYPE {type_}{f' COLLATE {quoted(collation)}' if collation else ''}{using}")
    if old["identity"] != new["identity"]:
        if old["identity"] is None:
            identity = modelled or f"GENERATED {new['identity']} AS IDENTITY"
            yield _execute(f"{alter} ADD {identity}")
        elif new["identity"] is None:
            yield _execute(f"{alter} DROP IDENTITY")
        else:
            yield _execute(f"{alter} SET GENERATED {new['identity']}")
    if new["default"] is not None and old["default"] != new["default"]:
        typed = _TYPED.fullmatch(new["default"])
        text = text_of(typed[1]) if typed else None
        default = f"sa.text({_literal(new['default'])!r})" if text is None else repr(text)
        yield f"op.alter_column({_table_and(table, f'server_default={default}', column)})"


def _table_and(table: str, rest: str, column: str | None = None) -> str:
    """The arguments of an operation, with the schema last."""
    schema, _, name = table.rpartition(".")
    names = [repr(one) for one in (name, column) if one is not None]
    return ", ".join([*names, rest, *([f"schema={schema!r}"] if schema else [])])


def find(context: Any, directives: list[Any], renamed: Sequence[str]) -> UnseenDifferences:
    """Replaces the migrations' tables by the models', compares the catalogs, and rolls back.

    `renamed`: tables whose constraints, and the foreign keys to which, get the models' names, too."""
    connection = context.connection
    operations = [operation for directive in directives for operation in flatten(directive.upgrade_ops)]
    drift = Drift()
    raw.execute(connection, "SAVEPOINT cdk_alembic_models")
    try:
        raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {MARK}")
        catalog_sql.prepare(connection, context)
        drift.compare_with(context, Catalog().take(connection), operations)
        schemas = raw.value(connection, _SCHEMAS.format(own=raw.literal(MARK)))
        raw.execute(connection, f"DROP SCHEMA {', '.join(schemas)} CASCADE")
        raw.execute(connection, "CREATE SCHEMA public")
        change = drift.change(connection)
    finally:
        raw.execute(connection, "ROLLBACK TO SAVEPOINT cdk_alembic_models")
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
        if (old, new) not in done and (table in renamed or (target and target[1] in map(_named, renamed))):
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


def order_tables(directives: list[Any]) -> None:
    """Drops a table after what refers to it, and moves foreign keys behind both tables if new ones refer to each other, or with
    `use_alter`, which CREATE TABLE omits. The downgrade does the opposite."""
    for directive in directives:
        up, down = directive.upgrade_ops.ops, directive.downgrade_ops.ops
        dropped = _by_reference([one for one in down if isinstance(one, ops.CreateTableOp)])
        names = [_table(one) for one in dropped]
        drops = [one for one in up if isinstance(one, ops.DropTableOp) and _table(one) in names]
        drops.sort(key=lambda one: names.index(_table(one)), reverse=True)
        up[:] = [*(one for one in up if one not in drops), *drops]
        down[:] = [*dropped, *(one for one in down if one not in dropped)]
        _after_both_tables(up, down)
        _after_both_tables(down, up)


def _by_reference(made: list[Any]) -> list[Any]:
    """Tables after those that they refer to, as far as they do not refer to each other."""
    found: list[Any] = []
    while left := sorted((one for one in made if one not in found), key=_table):
        names = {_table(one) for one in left}
        free = [one for one in left if not (set(map(_target, _keys(one))) - {_table(one)}) & names]
        found += free or left[:1]
    return found


def _after_both_tables(operations: list[Any], opposite: list[Any]) -> None:
    later: list[Any] = []
    made = {_table(one) for one in operations if isinstance(one, ops.CreateTableOp)}
    for operation in operations:
        if not isinstance(operation, ops.CreateTableOp):
            continue
        made.discard(_table(operation))
        for key in _keys(operation):
            if key.use_alter or _target(key) in made:
                # A column's == makes an SQL expression.
                operation.columns = [one for one in operation.columns if one is not key]
                later.append(_as_operation(operation, key))
    # Dropping either table needs the keys to be gone.
    operations.extend(later)
    opposite[:0] = [key.reverse() for key in reversed(later)]


def _keys(operation: Any) -> list[Any]:
    """The foreign keys of a new table."""
    from sqlalchemy import ForeignKeyConstraint

    return [one for one in operation.columns if isinstance(one, ForeignKeyConstraint)]


def _as_operation(operation: Any, key: Any) -> Any:
    names = [column if isinstance(column, str) else column.name for column in key.column_keys]
    targets = [element.target_fullname for element in key.elements]
    options = {
        name: getattr(key, name) for name in ("ondelete", "onupdate", "deferrable", "initially", "match") if getattr(key, name)
    }
    *schema, table = _target(key).split(".")
    if schema:
        options["referent_schema"] = schema[0]
    return ops.CreateForeignKeyOp(
        key.name or _chosen(operation.table_name, names, "fkey"),
        operation.table_name,
        table,
        names,
        [target.rpartition(".")[2] for target in targets],
        source_schema=operation.schema,
        **options,
    )


def name_constraints(directives: list[Any]) -> None:
    """Names unnamed constraints as PostgreSQL does: a downgrade can't drop one without a name."""
    for directive in directives:
        for operation in [*flatten(directive.upgrade_ops), *flatten(directive.downgrade_ops)]:
            made = operation._reverse if isinstance(operation, ops.DropConstraintOp) else operation
            if getattr(operation, "constraint_name", "") is not None:
                continue
            operation.constraint_name = chosen_name(made)


def chosen_name(made: Any) -> str | None:
    """The name that PostgreSQL chooses for an unnamed constraint of an operation; None if unknown."""
    if isinstance(made, ops.CreateForeignKeyOp):
        return _chosen(made.source_table, made.local_cols, "fkey")
    return _chosen(made.table_name, made.columns, "key") if isinstance(made, ops.CreateUniqueConstraintOp) else None


def table_of(made: Any) -> str:
    """The table of an operation that creates a constraint or an index."""
    return made.source_table if isinstance(made, ops.CreateForeignKeyOp) else made.table_name


def _chosen(table: str, columns: list[str], suffix: str) -> str | None:
    """The name that PostgreSQL chooses; None if it is truncated."""
    name = "_".join([table, *columns, suffix])
    return name if len(name.encode()) < 64 else None  # NAMEDATALEN


def _table(operation: Any) -> str:
    return f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name


def _target(key: Any) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]


def _execute(sql: str) -> str:
    return f"op.execute({_literal(sql)!r})"


def _literal(sql: str) -> str:
    """For SQLAlchemy, to which `:name` is a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", sql)


def _named(name: str) -> str:
    return ".".join(map(quoted, name.split(".")))
