"""A job by psycopg 3: text and binary cursors, server-side cursor, executemany, COPY, pipeline. Prints JSON."""
import datetime
import decimal
import json
import os

import psycopg

CONNINFO = (
    f"host=localhost port={os.environ['PANGATE_PORT']} dbname=payments user=ci-job "
    f"sslmode=verify-full sslrootcert={os.environ['PANGATE_CA']} connect_timeout=20"
)


def values(connection, binary):
    with connection.cursor(binary=binary) as cursor:
        cursor.execute(
            "select pan, pan_number, pan_number::numeric, pan::bytea from cards order by id"
        )
        rows = [[pan, number, str(numeric), raw.decode()] for pan, number, numeric, raw in cursor]
        cursor.execute(
            "select %s::int4, %s::text, %s::numeric, %s::int4[], %s::date",
            (1, "x", decimal.Decimal("2.50"), [1, 2], datetime.date(2029, 1, 31)),
        )
        echo = cursor.fetchone()
        echo = [echo[0], echo[1], str(echo[2]), echo[3], echo[4].isoformat()]
        cursor.execute("select %s::text", (None,))
        return {"rows": rows, "echo": echo, "null": cursor.fetchone()[0]}


def main():
    said = {}
    with psycopg.connect(CONNINFO) as connection:
        said["text"] = values(connection, False)
        said["binary"] = values(connection, True)
        with connection.cursor(name="reader", binary=True) as cursor:
            cursor.itersize = 2
            cursor.execute("select pan from cards order by id")
            said["server_side"] = [row[0] for row in cursor]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into settlements (card_id, amount, note) values (%s, %s, %s)",
                [(1, 1, f"many {n}") for n in range(3)],
            )
            cursor.execute("select count(*), sum(amount) from settlements where note like 'many%'")
            count, total = cursor.fetchone()
            said["executemany"] = [count, str(total)]
            with cursor.copy("copy settlements (card_id, amount, note) from stdin") as copy:
                for n in range(1000):
                    copy.write_row((1, n, f"copied {n}"))
            cursor.execute("select count(*) from settlements where note like 'copied%'")
            said["copied_in"] = cursor.fetchone()[0]
            with cursor.copy("copy cards to stdout") as copy:
                lines = b"".join(copy).splitlines()
            said["copied_out"] = len(lines)
            said["copied"] = [line.decode() for line in lines]
        connection.commit()
        with connection.pipeline():
            cursors = [connection.execute("select %s::int4", (n,)) for n in range(5)]
        said["pipeline"] = [cursor.fetchone()[0] for cursor in cursors]
        connection.commit()
        try:
            connection.execute("drop table cards")
        except psycopg.Error as error:
            said["denied"] = error.sqlstate
        connection.rollback()
        said["after"] = connection.execute("select 1").fetchone()[0]
    print(json.dumps(said))


main()
