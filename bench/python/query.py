"""The floor of "nothing to do": bare Python, the driver, a connection and one query. Prints the version."""

import asyncio
import os

import asyncpg


async def version():
    connection = await asyncpg.connect(
        host=os.environ["POSTGRES_HOST"],
        port=os.environ["POSTGRES_PORT"],
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        database=os.environ["POSTGRES_DB"],
    )
    found = await connection.fetchval("SELECT version_num FROM alembic_version")
    await connection.close()
    return found


print(asyncio.run(version()))
