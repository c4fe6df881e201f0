"""The floor of an upgrade: sends the statements that `alembic upgrade head --sql` wrote, one after the other, as psql does.

statements.py FILE
"""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg


async def send(statements):
    connection = await asyncpg.connect(
        host=os.environ["POSTGRES_HOST"],
        port=os.environ["POSTGRES_PORT"],
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        database=os.environ["POSTGRES_DB"],
    )
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


asyncio.run(send(statement for statement in Path(sys.argv[1]).read_text().split(";\n") if statement.strip()))
