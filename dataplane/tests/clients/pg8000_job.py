"""A job by pg8000, a driver in Python alone. Prints JSON."""
import json
import os
import ssl

import pg8000.dbapi


def main():
    connection = pg8000.dbapi.connect(
        "ci-job",
        host="localhost",
        port=int(os.environ["PANGATE_PORT"]),
        database="payments",
        password=os.environ["PGPASSWORD"],
        ssl_context=ssl.create_default_context(cafile=os.environ["PANGATE_CA"]),
        timeout=60,
    )
    cursor = connection.cursor()
    said = {}
    cursor.execute("select pan from cards where id <= %s order by id", (5,))
    said["masked"] = [row[0] for row in cursor.fetchall()]
    cursor.executemany(
        "insert into settlements (card_id, amount, note) values (%s, %s, %s)",
        [(1, 1, "eight"), (2, 2, "eight")],
    )
    connection.commit()
    cursor.execute("select count(*) from settlements where note = 'eight'")
    said["inserted"] = cursor.fetchone()[0]
    try:
        cursor.execute("drop table cards")
    except pg8000.dbapi.Error as error:
        said["denied"] = error.args[0]["C"]
    connection.rollback()
    connection.close()
    print(json.dumps(said))


main()
