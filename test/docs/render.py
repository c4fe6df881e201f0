"""Renders fragments of revisions as SQL for PostgreSQL, without a database.

Reads a list of codes as JSON, and prints what went wrong with each; null: nothing.
"""

import io
import json
import sys
import textwrap
import traceback

import alembic.context
import sqlalchemy
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql


def render(code: str) -> str | None:
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()})
    names = {"op": Operations(context), "sa": sqlalchemy, "postgresql": postgresql, "context": alembic.context}
    try:
        exec(compile(textwrap.dedent(code), "fragment", "exec"), names)
    except Exception:
        return traceback.format_exc()
    return None


print(json.dumps([render(code) for code in json.load(sys.stdin)]))
