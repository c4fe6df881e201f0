"""The connection that holds the mutex of one tenant after the other: a new one per tenant would add a third to the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..connection.separate_engine import separate_engine
from ..connection.statements import BRIEFLY, brief_connection
from ..database.version_table import VersionTable


class KeptConnection:
    """One autocommit connection, kept while the tenants are in the same database."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._database: tuple[str, str] | None = None

    @contextmanager
    def open(self, context: Any, table: VersionTable) -> Iterator[Any]:
        """The connection for a MigrationContext. Discarded after a failure."""
        if context.dialect.is_async:
            # An async connection belongs to the event loop that env.py closes.
            with brief_connection(context) as connection:
                yield connection
            return
        database = (table.server, table.database)
        if self._database != database:
            self.close()
        if self._connection is None:
            engine = separate_engine(context.connection.engine)
            self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._database = database
            self._connection.exec_driver_sql(f"SELECT {BRIEFLY}")
        connection = self._connection
        try:
            yield connection
        except BaseException:
            self.close()
            raise
        if connection.invalidated:
            self.close()

    def close(self) -> None:
        """Closes the connection."""
        connection, self._connection, self._database = self._connection, None, None
        if connection is not None:
            # The server may have closed it already.
            with suppress(Exception):
                connection.close()
