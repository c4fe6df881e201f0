"""The floor of "nothing to do": bare Python, the driver, a connection and one query.

query.py           once, and prints the version
query.py CALLS     so many times after a first time, and prints their milliseconds
"""

import asyncio
import os
import sys

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


async def versions(calls):
    import time

    await version()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        await version()
        times.append((time.perf_counter() - start) * 1000)
    return times


print(asyncio.run(versions(int(sys.argv[1])) if len(sys.argv) > 1 else version()))
