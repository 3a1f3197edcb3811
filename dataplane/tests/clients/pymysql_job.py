"""A job by PyMySQL, a driver in Python alone: text rows, unbuffered ones, several statements, a transaction. Prints JSON."""
import json
import os

import pymysql
from pymysql.constants import CLIENT


def connect():
    return pymysql.connect(
        host="localhost",
        port=int(os.environ["PANGATE_PORT"]),
        user="ci-job",
        password=os.environ["MYSQL_PWD"],
        database="shop",
        ssl_ca=os.environ["PANGATE_CA"],
        ssl_verify_cert=True,
        ssl_verify_identity=True,
        client_flag=CLIENT.MULTI_STATEMENTS,
        connect_timeout=20,
    )


def main():
    connection = connect()
    said = {}
    with connection.cursor() as cursor:
        cursor.execute("select pan, pan_number from cards where id <= %s order by id", (5,))
        said["rows"] = [[pan, number] for pan, number in cursor.fetchall()]
        cursor.execute("select pan from cards order by id; select 1; select note from settlements where id = 2")
        several = [[row[0] for row in cursor.fetchall()]]
        while cursor.nextset():
            several.append([row[0] for row in cursor.fetchall()])
        said["several"] = several
        cursor.executemany(
            "insert into settlements (card_id, amount, note) values (%s, %s, %s)",
            [(1, n, f"many {n}") for n in range(3)],
        )
        cursor.execute("select count(*), sum(amount) from settlements where note like 'many%'")
        count, total = cursor.fetchone()
        said["inserted"] = [count, str(total)]
        connection.rollback()
        cursor.execute("select count(*) from settlements where note like 'many%'")
        said["rolled_back"] = cursor.fetchone()[0]
        for name, statement in (
            ("denied", "drop table cards"),
            ("error", "select * from nowhere"),
            ("duplicate", "insert into settlements (id, card_id, amount) values (1, 1, 1)"),
        ):
            try:
                cursor.execute(statement)
            except pymysql.MySQLError as error:
                said[name] = list(error.args)
    connection.ping(reconnect=False)
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute("select a.pan from cards a, cards b, cards c order by a.id")
        said["unbuffered"] = sorted({row[0] for row in cursor})
    connection.close()
    print(json.dumps(said))


main()
