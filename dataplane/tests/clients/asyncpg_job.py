"""A job by asyncpg, whose every value is binary. Prints JSON."""
import asyncio
import json
import os
import ssl

import asyncpg


async def main():
    connection = await asyncpg.connect(
        host="localhost",
        port=int(os.environ["PANGATE_PORT"]),
        user="ci-job",
        database="payments",
        password=os.environ["PGPASSWORD"],
        ssl=ssl.create_default_context(cafile=os.environ["PANGATE_CA"]),
        timeout=20,
    )
    said = {}
    rows = await connection.fetch("select pan, pan_number from cards order by id")
    said["masked"] = [row[0] for row in rows]
    said["numbers"] = [row[1] for row in rows]
    async with connection.transaction():
        said["cursor"] = [
            row[0] async for row in connection.cursor("select pan from cards order by id", prefetch=2)
        ]
    try:
        await connection.execute("drop table cards")
    except asyncpg.PostgresError as error:
        said["denied"] = error.sqlstate
    await connection.executemany(
        "insert into settlements (card_id, amount, note) values ($1, 1, $2)",
        [(1, f"many {n}") for n in range(100)],
    )
    said["executemany"] = await connection.fetchval(
        "select count(*) from settlements where note like 'many%'"
    )
    await connection.close()
    print(json.dumps(said))


asyncio.run(main())
