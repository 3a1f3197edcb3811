"""A job by mysql-connector-python: text and prepared statements, a transaction, errors; with its own implementation and
with the library of MySQL's own client, the token as the password or by OpenID Connect. Prints JSON."""
import sys

if sys.argv[1] == "library":
    # It brings an OpenSSL of its own, which has to be there before Python's `ssl` asks for the system's.
    import _mysql_connector  # noqa: F401

import json
import os
import tempfile

import mysql.connector


def connect(implementation, login):
    options = {
        "host": "localhost",
        "port": int(os.environ["PANGATE_PORT"]),
        "user": "ci-job",
        "database": "shop",
        "ssl_ca": os.environ["PANGATE_CA"],
        "ssl_verify_cert": True,
        "ssl_verify_identity": True,
        "connection_timeout": 20,
        "use_pure": implementation == "pure",
    }
    if login == "password":
        return mysql.connector.connect(password=os.environ["MYSQL_PWD"], **options)
    with tempfile.NamedTemporaryFile("w", suffix=".jwt") as token:
        token.write(os.environ["MYSQL_PWD"])
        token.flush()
        return mysql.connector.connect(
            auth_plugin="authentication_openid_connect_client", openid_token_file=token.name, **options
        )


def attempt(cursor, statement):
    try:
        cursor.execute(statement)
        return None
    except mysql.connector.Error as error:
        return [error.errno, error.sqlstate, error.msg]


def main():
    said = {}
    connection = connect(sys.argv[1], sys.argv[2])
    with connection.cursor() as cursor:
        cursor.execute("select pan, pan_number from cards where id <= %s order by id", (5,))
        said["text"] = [list(row) for row in cursor]
    with connection.cursor(prepared=True) as cursor:
        # Twice: prepared once, then executed again.
        for _ in range(2):
            cursor.execute("select pan, pan_number, cast(pan_number as decimal(20)) from cards where id <= %s order by id", (5,))
            said["prepared"] = [[pan, number, str(decimal)] for pan, number, decimal in cursor]
    with connection.cursor(prepared=True) as cursor:
        for n in range(3):
            cursor.execute(
                "insert into settlements (card_id, amount, note) values (%s, %s, %s)", (1, f"{n}.50", f"connector {n}")
            )
    with connection.cursor() as cursor:
        cursor.execute("select count(*), sum(amount) from settlements where note like 'connector%'")
        count, total = cursor.fetchone()
        said["inserted"] = [count, str(total)]
        connection.rollback()
        said["denied"] = attempt(cursor, "drop table cards")
        said["error"] = attempt(cursor, "select * from nowhere")
        cursor.execute("select 1")
        said["after"] = cursor.fetchone()[0]
    connection.close()
    print(json.dumps(said))


main()
