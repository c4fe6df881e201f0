"""The arguments of Alembic's option `-x` that env.py reads and that the function does not pass."""

from __future__ import annotations

from typing import Any


class Arguments(dict[str, str]):
    """Records the names of those that are absent."""

    def __init__(self, given: dict[str, str], absent: dict[str, None]) -> None:
        super().__init__(given)
        self._absent = absent

    def __missing__(self, name: str) -> str:
        self._absent[name] = None
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        is_given = super().__contains__(name)
        if not is_given:
            self._absent[str(name)] = None
        return is_given

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def watch_arguments(environment: Any, absent: dict[str, None]) -> None:
    """Records what env.py reads with `context.get_x_argument(as_dictionary=True)`."""
    given = environment.get_x_argument

    def get_x_argument(as_dictionary: bool = False) -> Any:
        return Arguments(given(as_dictionary=True), absent) if as_dictionary else given()

    environment.get_x_argument = get_x_argument
