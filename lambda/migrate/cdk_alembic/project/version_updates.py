"""What Alembic and Python do after each revision, at less cost."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def brisk(context: Any) -> Iterator[None]:
    """Meanwhile a revision's place is written to the version table with one statement, the same for all of them.

    Alembic writes out both ids, so that SQLAlchemy compiles and PostgreSQL parses and plans a new statement for every revision.
    """
    from alembic.runtime import migration

    maintainer = migration.HeadMaintainer
    migration.HeadMaintainer = _maintainer(maintainer, context)
    try:
        yield
    finally:
        migration.HeadMaintainer = maintainer


@contextmanager
def keeping_scripts() -> Iterator[None]:
    """Meanwhile the scripts, which stay, are not searched for garbage again and again.

    Once for a whole call: what is garbage when it is frozen is hardly ever found afterwards.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _maintainer(base: type, context: Any) -> type:
    from alembic.util import CommandError
    from sqlalchemy import bindparam

    table = context._version
    update = table.update().values(version_num=bindparam("to_revision")).where(table.c.version_num == bindparam("from_revision"))

    class HeadMaintainer(base):
        def _update_version(self, from_: str, to_: str) -> None:
            self.heads.remove(from_)
            self.heads.add(to_)
            result = self.context.connection.execute(update, {"from_revision": from_, "to_revision": to_})
            if self.context.dialect.supports_sane_rowcount and result.rowcount != 1:
                raise CommandError(
                    f"Online migration expected to match one row when updating '{from_}' to '{to_}' in "
                    f"'{self.context.version_table}'; {result.rowcount} found"
                )

    return HeadMaintainer
