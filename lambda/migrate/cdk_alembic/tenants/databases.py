"""The databases of a request's tenants: the one that the environment variables name, and how env.py reached each."""

from __future__ import annotations

from typing import Any

from ..connection import address
from ..connection.address import DatabaseVariables
from ..database.version_table import VersionTable
from ..project.project import Project
from . import skip
from .connection import KeptConnection
from .listening import ConnectOptions
from .skip import Access


class Databases:
    """Each database is named by its secret; None: the function's own."""

    def __init__(
        self, project: Project, variables: DatabaseVariables, own: dict[str, Any], connect_options: ConnectOptions
    ) -> None:
        """`own`: the settings of the function's own database."""
        self.kept_connection = KeptConnection()
        self._project = project
        self._variables = variables
        self._own = own
        self._connect_options = connect_options
        self._selected: tuple[str | None] | None = None
        """The secret of the database that the environment variables name, in a tuple; None: unknown."""
        self._address: dict[str, str] | None = None
        self._access: dict[str | None, Access] = {}

    def settings(self, secret: str | None) -> dict[str, Any]:
        """A database's settings."""
        return self._own if secret is None else address.of_tenant(self._own, secret)

    def select(self, secret: str | None) -> None:
        """Sets the environment variables to a database's address. Raises RunnerError."""
        if self._selected == (secret,):
            return
        self._selected = None
        self.kept_connection.close()
        settings = self.settings(secret)
        self._variables.close()
        self._address = None if settings["source"] == "environment" else address.fetch(settings)
        if self._address and self._variables.set(self._address, settings):
            # The backend reads its settings on import.
            self._project.forget_modules()
        self._selected = (secret,)

    def fetch_again(self) -> None:
        """Makes the next `select` fetch the address again: the password may have been rotated."""
        self._selected = None

    def selected_name(self) -> str | None:
        """The database's name in the selected tenant's secret; None: the function's own database."""
        return self._address["database"] if self._address and self._selected != (None,) else None

    def start_recording(self) -> None:
        """Discards how env.py has connected until now."""
        self._connect_options.clear()

    def store_access(self, secret: str | None, driver: str | None, table: VersionTable | None) -> None:
        """Stores how env.py reached a database since `start_recording`. None: it did not."""
        options = self._connect_options.only()
        if driver is not None and table is not None and options is not None:
            self._access.setdefault(secret, Access(driver, options, table))

    def access_to(self, secret: str | None) -> Access | None:
        """How to reach the selected database without env.py; None: unknown."""
        if secret is None or secret in self._access:
            return self._access.get(secret)
        # env.py connects the same way with the address of any secret.
        other = next((arn for arn in self._access if arn is not None), None)
        return skip.at_address(self._access[other], self._address) if other else None

    def is_any_reached(self) -> bool:
        """Whether env.py has reached a database."""
        return bool(self._access)

    def close(self) -> None:
        """Closes the kept connection."""
        self.kept_connection.close()
