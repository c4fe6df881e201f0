"""Compares models and migrations at head: autogenerate's findings, and those that it can't detect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from cdk_alembic.catalog import catalog, raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.database.failures import describe, location

from .constants import in_brackets, is_constant_of, is_same_default
from .included import Included
from .models import metadata_of, write_now_as_function
from .next_release import NextRelease
from .reread import reread
from .rows import quoted
from .scratch import Scratch
from .search_path import SearchPath
from .set_aside import is_set_aside, remove_drops

# The kinds that models describe. Only migrations have functions, triggers, views and grants.
_KINDS = ("column ", "constraint ", "index ", "type ", "domain ")
_NEXT = re.compile(r"nextval\('(.*)'::regclass\)")
_INDEX_NAME = re.compile(r"^(CREATE (?:UNIQUE )?INDEX )\S+ (ON )")


# The part of a column's entry before its identity, its expression and its default.
_HEAD = re.compile(r"(?P<type>.*?)(?P<null>(?: NOT NULL)?)(?= GENERATED | DEFAULT |$)", re.DOTALL)


class Drift:
    """DriftFacts in two steps: `compare` while env.py runs, with the database at head, and `facts` afterwards."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._operations: list[Any] = []
        self._texts: list[str] = []
        self.metadata: list[Any] = []
        """The models."""
        self.corrected: list[str] = []
        """Columns of the models whose default was meant as a function."""
        self.due: list[NextRelease] = []
        """What the database has already although no revision does it. Set before `compare`."""
        self._migrated: Any = None
        self._search_path: Any = None
        self._is_included: Any = None
        self._is_same: dict[str, bool] = {}
        """Whether both catalogs have an entry with an equivalent definition."""
        self.other_names: list[tuple[str, str, str]] = []
        """Constraints that differ from the models only by name: both entries, and the definition."""

    def compare(self, context: Any, migrated: Snapshot, failed: list[str]) -> None:
        """Runs autogenerate. `failed`: revisions whose failure keeps the database from being at head."""
        metadata = context.opts.get("target_metadata")
        self.compare_with(context, migrated, [])
        if failed:
            self._reason = f"the database is not at head: {', '.join(failed)} could not be applied"
        elif not self.metadata:
            self._reason = "env.py sets no target_metadata"
        else:
            try:
                with raw.rolled_back(context.connection):
                    self._autogenerate(context, metadata)
            except (Exception, SystemExit) as error:
                self._reason = f"autogenerate failed: {describe(error)}{location(error)}"

    def facts(self, scratch: Scratch) -> dict[str, Any]:
        """Empties the database, creates the models in it, and returns DriftFacts."""
        found: dict[str, Any] = {"catalog": {"added": {}, "removed": {}, "changed": {}}}
        if self._migrated and (kept := list(_set_aside_objects(self._migrated))):
            found["setAside"] = kept
        if self.due:
            found["due"] = [{"file": one.file, "dropped": one.dropped, "required": one.required} for one in self.due]
        if self._reason is None:
            try:
                scratch.empty(keep_mark=True)
                found["catalog"] = scratch.run(self.change)
            except (Exception, SystemExit) as error:
                self._reason = f"the models could not be created: {describe(error)}{location(error)}"
        found["operations"] = [
            text for operation, text in zip(self._operations, self._texts, strict=True) if not self.changes_nothing(operation)
        ]
        return {**found, "reason": self._reason} if self._reason else found

    def compare_with(self, context: Any, migrated: Snapshot, operations: list[Any]) -> None:
        """Sets what `change` compares. `operations`: what autogenerate found."""
        self.metadata = metadata_of(context.opts.get("target_metadata"))
        self.corrected = write_now_as_function(self.metadata)
        self._is_included = Included(context, self.metadata)
        self._search_path = SearchPath.of(context.connection)
        self._migrated = self._search_path.relative(migrated)
        self._operations = operations

    def change(self, connection: Any) -> dict[str, Any]:
        """Creates the models in the empty database, and returns the SchemaChange that autogenerate did not find."""
        modelled = self._create_all(connection)
        return self._without_findings(modelled, *self._reread(connection, modelled))

    def changes_nothing(self, operation: Any) -> bool:
        """Whether autogenerate is wrong: both catalogs have the same index, constraint or column. Autogenerate compares some by
        their text, such as expressions of an index, and does not see a UNIQUE that PostgreSQL merged with the primary key."""
        from alembic.operations import ops

        if isinstance(operation, ops.AlterColumnOp):
            if operation.modify_name or operation.modify_comment is not False:
                return False
        elif not isinstance(operation, (ops.AddConstraintOp, ops.DropConstraintOp, ops.CreateIndexOp, ops.DropIndexOp)):
            return False
        found = [self._is_same[key] for key in entries_of([operation]) if key in self._is_same]
        return bool(found) and all(found)

    def _autogenerate(self, context: Any, metadata: Any) -> None:
        from alembic.autogenerate import api, produce_migrations, render

        directives = [produce_migrations(context, metadata)]
        hook = context.opts.get("process_revision_directives")
        if hook:
            # A hook that requires the command line changes nothing.
            with suppress(Exception):
                hook(context, tuple(context.get_current_heads()), directives)
        autogenerate = api.AutogenContext(context, metadata=metadata)
        for directive in directives:
            remove_drops(directive.upgrade_ops, is_set_aside)
            self._operations.extend(flatten(directive.upgrade_ops))
        for operation in self._operations:
            self._texts.append(" ".join(" ".join(render.render_op(autogenerate, operation)).split()))

    def _create_all(self, connection: Any) -> Snapshot:
        for key, definition in sorted(self._migrated.entries.items()):
            kind, _, name = key.partition(" ")
            if kind == "schema":
                raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}")
            elif kind == "extension":
                schema = definition.removeprefix("in ")
                if schema != "pg_catalog":
                    raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
                raw.execute(connection, f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} SCHEMA {quoted(schema)} CASCADE")
        self._search_path.set_on(connection)
        for metadata in self.metadata:
            for table in metadata.tables.values():
                if table.schema:
                    raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
                _make_creatable(table.indexes)
                for column in table.columns:
                    in_brackets(column)
                    _create_type(column.type, connection)
            metadata.create_all(connection)
        return self._search_path.relative(Catalog().take(connection))

    def _reread(self, connection: Any, modelled: Snapshot) -> tuple[dict[str, str], dict[str, str]]:
        """The entries of the migrated and the models' database. Those that differ, as PostgreSQL reads their text."""
        both = set(self._migrated.tables) & set(modelled.tables)
        differing = [
            [
                (key, table, text)
                for key, text in one.entries.items()
                if key.startswith(("column ", "constraint ", "index "))
                and (table := _table(key, one)) in both
                and other.entries.get(key) != text
            ]
            for one, other in ((self._migrated, modelled), (modelled, self._migrated))
        ]
        read = reread(connection, {*differing[0], *differing[1]}, self._search_path)
        migrated, wanted = (
            {**one.entries, **{key: read.get((key, text), text) for key, _, text in own}}
            for one, own in zip((self._migrated, modelled), differing, strict=True)
        )
        return migrated, wanted

    def _without_findings(self, modelled: Snapshot, migrated: dict[str, str], wanted: dict[str, str]) -> dict[str, Any]:
        """The change from the migrated entries to the models', without autogenerate's findings."""
        self._is_same = {key: self._agree(key, migrated.get(key), wanted.get(key)) for key in {*migrated, *wanted}}
        both = set(self._migrated.tables) & set(modelled.tables)
        before, after = (
            {
                # A partitioned table's index; models know no partitions.
                key: value.replace(" ON ONLY ", " ON ", 1) if key.startswith("index ") else value
                for key, value in entries.items()
                if key.startswith(_KINDS) and _table(key, snapshot) in (None, *both)
            }
            for snapshot, entries in ((self._migrated, migrated), (modelled, wanted))
        )
        before |= {
            key: self._as_altered(key, before[key], after[key])
            for key in self.altered_columns()
            if key in before and key in after
        }
        change = catalog.change(before, after)
        # An unnamed constraint gets its name from PostgreSQL or a convention.
        unnamed = {}
        for side, snapshot in (("removed", self._migrated), ("added", modelled)):
            unnamed[side] = {key: (_table(key, snapshot), _INDEX_NAME.sub(r"\1\2", text)) for key, text in change[side].items()}
        by_definition = {definition: key for key, definition in unnamed["added"].items() if key.startswith("constraint ")}
        self.other_names = [
            (key, by_definition[definition], definition[1])
            for key, definition in unnamed["removed"].items()
            if definition in by_definition
        ]
        for side, other in (("removed", "added"), ("added", "removed")):
            same = set(unnamed[other].values())
            change[side] = {
                key: text
                for key, text in change[side].items()
                if not key.startswith(("constraint ", "index ")) or unnamed[side][key] not in same
            }
        change["removed"] = {key: text for key, text in change["removed"].items() if not self._is_dropped_or_set_aside(key, text)}
        for side, snapshot in (("removed", self._migrated), ("added", modelled)):
            change[side] = {
                key: text
                for key, text in change[side].items()
                if self._is_included(key, text, _table(key, snapshot), self._migrated, is_removed=side == "removed")
            }
        # A type in the database alone may belong to a table that is not in the models.
        change["removed"] = {key: text for key, text in change["removed"].items() if not key.startswith(("type ", "domain "))}
        change["changed"] = {
            key: texts
            for key, texts in change["changed"].items()
            if not self._agree(key, *texts)
            and self._is_included(key, texts[1], _table(key, modelled), self._migrated, is_removed=False)
        }
        reported = {*entries_of(self._operations), *_entries_of_unnamed(self._operations, modelled)} - self.altered_columns()
        return {side: {key: text for key, text in entries.items() if key not in reported} for side, entries in change.items()}

    def altered_columns(self) -> set[str]:
        """Columns that autogenerate alters without comparing their default."""
        from alembic.operations import ops

        found = [one for one in self._operations if isinstance(one, ops.AlterColumnOp) and not one.modify_name]
        with_default = [one for one in found if one.modify_server_default is not False]
        return set(entries_of(found)) - set(entries_of(with_default))

    def _as_altered(self, key: str, migrated: str, modelled: str) -> str:
        """The entry of a migrated column with what autogenerate alters as in the models: its type, its NOT NULL or both."""
        its = [one for one in self._operations if key in entries_of([one])]
        old, new = (_HEAD.match(text) for text in (migrated, modelled))
        kind = new if any(one.modify_type is not None for one in its) else old
        null = new if any(one.modify_nullable is not None for one in its) else old
        return f"{kind['type']}{null['null']}{migrated[old.end() :]}"  # type: ignore[index, union-attr]

    def _agree(self, key: str, migrated: str | None, modelled: str | None) -> bool:
        if migrated is None or modelled is None or migrated == modelled:
            return migrated == modelled
        return self._is_inserted_by_models(key, migrated, modelled) or self._differs_in_form(key, migrated, modelled)

    def _is_inserted_by_models(self, key: str, migrated: str, modelled: str) -> bool:
        """Whether only the migrations have a default, which the models insert as a constant: it is for other writers."""
        kind, _, name = key.partition(" ")
        before = f"{modelled} DEFAULT "
        if kind != "column" or not migrated.startswith(before):
            return False
        table, _, own = name.rpartition(".")
        tables = [metadata.tables.get(one) for metadata in self.metadata for one in (table, f"public.{table}")]
        columns = [column for one in tables if one is not None for column in one.columns if column.name == own]
        return any(is_constant_of(column, migrated[len(before) :]) for column in columns)

    def _differs_in_form(self, key: str, migrated: str, modelled: str) -> bool:
        kind, _, name = key.partition(" ")
        (own, _, default), (other, _, modelled_default) = migrated.partition(" DEFAULT "), modelled.partition(" DEFAULT ")
        if kind != "column" or own != other:
            return False
        # The sequence of a serial keeps its name when its table or column is renamed.
        sequence = _NEXT.fullmatch(default)
        text = self._migrated.entries.get(f"sequence {sequence[1]}", "") if sequence and _NEXT.fullmatch(modelled_default) else ""
        return is_same_default(default, modelled_default) or text.endswith(f" OWNED BY {name}")

    def _is_dropped_or_set_aside(self, key: str, text: str) -> bool:
        """Whether an entry is, or belongs to, a column that was set aside or that an operation drops."""
        if any(map(is_set_aside, re.findall(r"\w+", f"{key} {text}"))):
            return True
        kind, _, name = key.partition(" ")
        table, _, own = name.rpartition(".")
        facts = self._migrated.tables.get(table) if kind == "constraint" else None
        columns = [column for one in (facts or {}).get("constraints", ()) if one["name"] == own for column in one["columns"]]
        return any(f"column {table}.{column}" in set(_dropped_columns(self._operations)) for column in columns)


def _create_type(kind: Any, connection: Any) -> None:
    """Creates an enum or a domain that the models leave to a revision, with `create_type=False`."""
    element = getattr(kind, "item_type", kind)
    if getattr(element, "create_type", True) is False:
        element.create(connection, checkfirst=True)


def _make_creatable(indexes: set[Any]) -> None:
    """Makes indexes creatable in a transaction, without a difference in the schema."""
    # A column may have `index=True` and an Index of the same name: PostgreSQL rejects the second one.
    indexes.intersection_update({index.name: index for index in indexes}.values())
    for index in indexes:
        index.dialect_options["postgresql"]["concurrently"] = False


def flatten(operations: Any) -> Iterator[Any]:
    """The operations in a container and in those within it."""
    for operation in operations.ops:
        if hasattr(operation, "ops"):
            yield from flatten(operation)
        else:
            yield operation


def _dropped_columns(operations: list[Any]) -> Iterator[str]:
    """The entries of the columns that autogenerate drops."""
    from alembic.operations import ops

    return entries_of([operation for operation in operations if isinstance(operation, ops.DropColumnOp)])


def _set_aside_objects(migrated: Snapshot) -> Iterator[dict[str, str]]:
    """Tables, and columns of other tables."""
    for key in sorted(migrated.entries):
        kind, _, name = key.partition(" ")
        table, _, column = name.rpartition(".")
        if kind == "table" and is_set_aside(name):
            yield {"table": name}
        elif kind == "column" and is_set_aside(column) and not is_set_aside(table):
            yield {"table": table, "column": column}


def entries_of(operations: list[Any]) -> Iterator[str]:
    """The catalog entries that autogenerate operations are about."""
    for operation in operations:
        prefix, table = _schema_and_table(operation)
        added = getattr(getattr(operation, "column", None), "name", None)
        for column in (getattr(operation, "column_name", None), getattr(operation, "modify_name", None), added):
            if column:
                yield f"column {table}.{column}"
        name = getattr(operation, "index_name", None) or getattr(operation, "constraint_name", None)
        for one in {name, getattr(operation, "modify_name", None)} if name else ():
            yield f"index {prefix}{one}"
            yield f"constraint {table}.{one}"


def _schema_and_table(operation: Any) -> tuple[str, str]:
    """The prefix of names in the operation's schema, and its table's qualified name."""
    # A new foreign key has its table under other names.
    schema = getattr(operation, "schema", None) or getattr(operation, "kw", {}).get("source_schema")
    prefix = "" if schema in (None, "public") else f"{schema}."
    return prefix, prefix + (getattr(operation, "table_name", None) or getattr(operation, "source_table", ""))


def _entries_of_unnamed(operations: list[Any], modelled: Snapshot) -> Iterator[str]:
    """The entries of constraints that autogenerate adds and the models do not name, by the names that PostgreSQL gave them."""
    from alembic.operations import ops

    for operation in operations:
        if isinstance(operation, ops.CreateForeignKeyOp):
            kind, columns = "FOREIGN KEY ", operation.local_cols
        elif isinstance(operation, ops.CreateUniqueConstraintOp):
            kind, columns = "UNIQUE ", operation.columns
        else:
            continue
        _, table = _schema_and_table(operation)
        for one in modelled.tables.get(table, {}).get("constraints", ()) if operation.constraint_name is None else ():
            key = f"constraint {table}.{one['name']}"
            if one["columns"] == [*columns] and modelled.entries.get(key, "").startswith(kind):
                yield key


def _table(key: str, snapshot: Snapshot) -> str | None:
    """The table that an entry belongs to."""
    kind, _, name = key.partition(" ")
    if kind in ("column", "constraint"):
        return name.rpartition(".")[0]
    if kind == "index":
        return snapshot.owners.get(name, "")
    return None
