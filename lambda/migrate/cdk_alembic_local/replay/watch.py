"""Records the statements of a revision's function from SQLAlchemy's events: DirectionFacts."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Relation
from cdk_alembic.catalog.catalog_sql import MARK
from cdk_alembic.connection.listeners import listening
from cdk_alembic.connection.percent_signs import as_read
from cdk_alembic.connection.statement_starts import statement_starts
from cdk_alembic.connection.statements import enter_autocommit
from cdk_alembic.database.failures import LastFailure
from cdk_alembic.run.session import OWN_COMMIT
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import TextClause

# Statement.transaction of a statement that ran in no transaction of Alembic's connection.
AUTOCOMMIT = -1
OTHER_CONNECTION = -2
# The first statements of a loop over rows are enough. Schema changes are always recorded.
MAX_STATEMENTS_PER_LINE = 20
MAX_STATEMENT_LENGTH = 100_000

_ROWS_ONLY = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|MERGE|EXPLAIN|SHOW|SAVEPOINT|RELEASE|ROLLBACK\s+TO)\b", re.IGNORECASE
)
_UPDATE = re.compile(r"\s*(?:WITH|UPDATE)\b", re.IGNORECASE)
_ENDS_TRANSACTION = re.compile(
    OWN_COMMIT.pattern + r"|(?:ROLLBACK|ABORT)\b(?!\s+(?:TO|PREPARED|(?:WORK\s+|TRANSACTION\s+)TO)\b)", re.IGNORECASE
)

# Only a relation with an ACCESS EXCLUSIVE lock can get a new file.
_LOCKS = """
SELECT coalesce(json_agg(json_build_array(relation::bigint, mode,
  CASE mode WHEN 'AccessExclusiveLock' THEN pg_relation_filenode(relation)::bigint END) ORDER BY relation, mode), '[]')::text
FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid() AND granted AND relation >= 16384
"""
_FILES = """
SELECT coalesce(json_agg(json_build_array(oid::bigint, pg_relation_filenode(oid)::bigint)), '[]')::text
FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'm', 'i')
"""
# As functions, because planning such a query takes longer than running it.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {mark}.{name}() RETURNS text LANGUAGE plpgsql AS $query$ BEGIN RETURN ({query}); END $query$
"""


def _ends_transaction(text: str) -> bool:
    """Whether one of the text's statements ends the transaction: `INSERT INTO users ...; COMMIT`."""
    return any(map(_ENDS_TRANSACTION.match, statement_starts(text)))


def prepare(connection: Any) -> None:
    """Creates the functions that recording calls, in the marked database."""
    for name, query in (("locks", _LOCKS), ("files", _FILES)):
        raw.execute(connection, _FUNCTION.format(mark=MARK, name=name, query=query))


def with_values(statement: str, context: Any) -> str | None:
    """An UPDATE with its parameters' values in its text; None: it has none, or SQLAlchemy can't write them."""
    compiled = getattr(context, "compiled", None)
    if compiled is None or not _UPDATE.match(statement) or len(compiled.bind_names) == 0 or len(context.compiled_parameters) != 1:
        return None
    clause = compiled.statement
    try:
        if isinstance(clause, TextClause):
            clause = clause.bindparams(**context.compiled_parameters[0])
        written = str(clause.compile(dialect=context.dialect, compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, NotImplementedError):
        return None
    return as_read(written, context.dialect.paramstyle)


class LeftTransaction(BaseException):
    """A confined function is about to leave its transaction. A BaseException, so that revisions do not catch it."""


class Watch:
    """Listens to one connection while env.py uses it, and to all others. Records while `recording`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._recording: Recording | None = None
        self.last_failure = LastFailure()

    @contextmanager
    def listening(self) -> Iterator[Watch]:
        with listening(
            self.last_failure.listener(self._connection.engine),
            (self._connection, "before_cursor_execute", self._before_statement),
            (self._connection, "after_cursor_execute", self._after_statement),
            (self._connection, "commit", self._transaction_ends),
            (self._connection, "rollback", self._transaction_ends),
            (self._connection, "set_connection_execution_options", self._before_options),
            (Engine, "before_cursor_execute", self._before_other),
            (Engine, "after_cursor_execute", self._after_other),
        ):
            yield self

    @contextmanager
    def recording(self, file: str, relations: dict[int, Relation], confined: bool = False) -> Iterator[Recording]:
        """Records the statements within this block. `relations`: those that existed before the revision. `confined`: raises
        LeftTransaction before the transaction is left."""
        recording = Recording(self._connection, file, relations, confined)
        self._recording = recording
        try:
            yield recording
            recording.finish()
        finally:
            self._recording = None

    def _before_statement(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if self._recording:
            self._recording.before(statement)

    def _after_statement(self, connection: Any, cursor: Any, statement: str, _: Any, context: Any, *__: Any) -> None:
        if self._recording:
            self._recording.after(connection, statement, cursor.rowcount, with_values(statement, context))

    def _before_other(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if self._recording and self._is_other(connection):
            self._recording.before_other(statement)

    def _after_other(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if self._recording and self._is_other(connection):
            self._recording.after_other(connection, statement, cursor.rowcount)

    def _is_other(self, connection: Any) -> bool:
        return connection.connection is not self._connection.connection and connection.dialect.name == "postgresql"

    def _transaction_ends(self, connection: Any) -> None:
        if self._recording:
            self._recording.transaction_ends()

    def _before_options(self, connection: Any, options: dict[str, Any]) -> None:
        if options.get("isolation_level") == "AUTOCOMMIT":
            if self._recording:
                self._recording.leave()
            enter_autocommit(connection)


class Recording:
    """The statements of one function."""

    def __init__(self, connection: Any, file: str, relations: dict[int, Relation], confined: bool) -> None:
        self.statements: list[dict[str, Any]] = []
        self.left_out = 0
        self.left_transaction = False
        self._connection = connection
        self._file = file
        self._relations = relations
        self._confined = confined
        self._files = {oid: relation.file for oid, relation in relations.items()}
        self._held: set[tuple[int, str]] = set()
        self._per_line: Counter[int] = Counter()
        self._transaction = 0
        self._used = False
        """Whether a statement has run in the current transaction."""
        self._unprobed: dict[str, Any] | None = None
        self._started = 0.0
        self._idle_since: float | None = time.perf_counter()
        """None while a statement runs."""
        self._line = 0
        self._called_at = 0

    def facts(self) -> dict[str, Any]:
        """The observed part of DirectionFacts."""
        return {
            "statements": self.statements,
            "leftTransaction": self.left_transaction,
            "statementsLeftOut": self.left_out,
        }

    def tables(self) -> set[str]:
        """Tables that were locked or rewritten."""
        locks = {lock["table"] for statement in self.statements for lock in statement["locks"]}
        return locks | {name for statement in self.statements for name in statement["rewrites"]}

    def seconds_without_statement(self) -> float:
        return 0 if self._idle_since is None else time.perf_counter() - self._idle_since

    def leave(self) -> None:
        """Records that the function is leaving its transaction. Raises LeftTransaction if it is confined."""
        if self._confined:
            raise LeftTransaction
        self.left_transaction = True

    def transaction_ends(self) -> None:
        self.leave()
        self._next_transaction()

    def before(self, statement: str) -> None:
        if _ends_transaction(statement):
            self.leave()
        if self._unprobed is not None and not _ROWS_ONLY.match(statement):
            self._probe(self._unprobed)
        self._begin()

    def before_other(self, statement: str) -> None:
        """Handles a statement of another connection: it does not see what this transaction did, and what it commits stays."""
        if self._confined:
            raise LeftTransaction
        self._begin()

    def after_other(self, connection: Any, statement: str, row_count: int) -> None:
        self._record(self._facts(connection, statement, row_count, None, OTHER_CONNECTION))

    def after(self, connection: Any, statement: str, row_count: int, with_values: str | None) -> None:
        ends = _ends_transaction(statement)
        is_open = raw.in_transaction(connection)
        transaction = self._transaction if is_open or ends else AUTOCOMMIT
        facts = self._facts(connection, statement, row_count, with_values, transaction)
        rows_only = self._record(facts)
        self._used = self._used or is_open
        if ends:
            self._next_transaction()
        elif not is_open:
            if not rows_only:
                self._check_files(facts)
        elif rows_only:
            self._unprobed = facts
        else:
            self._probe(facts)

    def _begin(self) -> None:
        self._line, self._called_at = self._lines_of_callers()
        self._started, self._idle_since = time.perf_counter(), None

    def _facts(
        self, connection: Any, statement: str, row_count: int, with_values: str | None, transaction: int
    ) -> dict[str, Any]:
        """Statement, which has ended now."""
        self._idle_since = time.perf_counter()
        return {
            "sql": as_read(statement, connection.dialect.paramstyle)[:MAX_STATEMENT_LENGTH].strip(),
            **({} if with_values is None else {"withValues": with_values[:MAX_STATEMENT_LENGTH].strip()}),
            "line": self._line,
            **({"calledAt": self._called_at} if self._called_at != self._line else {}),
            "transaction": transaction,
            "milliseconds": round((self._idle_since - self._started) * 1000, 3),
            "rowCount": row_count if isinstance(row_count, int) else -1,
            "locks": [],
            "rewrites": [],
        }

    def _record(self, facts: dict[str, Any]) -> bool:
        """Adds a statement, unless its line has run enough. Returns whether it concerns only rows."""
        rows_only = _ROWS_ONLY.match(facts["sql"]) is not None
        self._per_line[facts["line"]] += rows_only
        if rows_only and self._per_line[facts["line"]] > MAX_STATEMENTS_PER_LINE:
            self.left_out += 1
        else:
            self.statements.append(facts)
        return rows_only

    def finish(self) -> None:
        """Handles the end of the function, before its transaction ends."""
        if self._unprobed is not None:
            self._probe(self._unprobed)

    def _next_transaction(self) -> None:
        self._transaction += self._used
        self._used = False
        self._held.clear()
        self._unprobed = None

    def _probe(self, facts: dict[str, Any]) -> None:
        self._unprobed = None
        if not self._relations:
            return
        try:
            locks = raw.value(self._connection, f"SELECT {MARK}.locks()")
        except Exception:
            return  # the transaction has failed and the revision continues
        for oid, mode, file in locks:
            relation = self._relations.get(oid)
            if relation is None:
                continue
            if (oid, mode) not in self._held:
                self._held.add((oid, mode))
                facts["locks"].append({"relation": relation.name, "table": relation.table, "mode": mode})
            # A dropped relation has no file.
            if file is not None:
                self._check_file(oid, file, facts)

    def _check_files(self, facts: dict[str, Any]) -> None:
        if not self._relations:
            return
        for oid, file in raw.value(self._connection, f"SELECT {MARK}.files()"):
            self._check_file(oid, file, facts)

    def _check_file(self, oid: int, file: int, facts: dict[str, Any]) -> None:
        if oid in self._relations and self._files[oid] != file:
            facts["rewrites"].append(self._relations[oid].name)
            self._files[oid] = file

    def _lines_of_callers(self) -> tuple[int, int]:
        """Lines of the revision's file: the innermost one, and the one in upgrade or downgrade. Zeros if there is none."""
        lines, frame = [], sys._getframe(4)
        while frame is not None:
            if frame.f_code.co_filename == self._file:
                lines.append(frame.f_lineno)
            frame = frame.f_back
        return (lines[0], lines[-1]) if lines else (0, 0)
