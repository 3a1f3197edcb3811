"""A job by MariaDB Connector/C, which reports progress: argv[1] is "query" or "execute", argv[2] the statement.

Each report comes out as a line of JSON, then one line with the rows, or the error, and what a second statement says. It
gives up where the gateway says nothing for longer than two of its intervals.
"""
import ctypes, json, os, sys

SSL_VERIFY_SERVER_CERT, SSL_CA, READ_TIMEOUT, PROGRESS_CALLBACK = 21, 27, 11, 5999
READ_TIMEOUT_SECONDS = 11

library = ctypes.CDLL("libmariadb.so.3")
for name in ("mysql_init", "mysql_real_connect", "mysql_store_result", "mysql_fetch_row", "mysql_stmt_init", "mysql_info"):
    getattr(library, name).restype = ctypes.c_void_p
library.mysql_error.restype = library.mysql_stmt_error.restype = ctypes.c_char_p
library.mysql_affected_rows.restype = library.mysql_stmt_affected_rows.restype = ctypes.c_ulonglong
library.mysql_num_fields.restype = ctypes.c_uint

REPORT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_double, ctypes.c_void_p, ctypes.c_uint)


def said(**words):
    print(json.dumps(words), flush=True)


@REPORT
def report(_, stage, stages, progress, words, length):
    said(stage=stage, stages=stages, progress=progress, words=ctypes.string_at(words, length).decode())


connection = ctypes.c_void_p(library.mysql_init(None))


def option(which, value):
    if library.mysql_optionsv(connection, which, value):
        sys.exit(f"no option {which}")


option(SSL_CA, os.environ["PANGATE_CA"].encode())
option(SSL_VERIFY_SERVER_CERT, ctypes.byref(ctypes.c_char(1)))
option(READ_TIMEOUT, ctypes.byref(ctypes.c_uint(READ_TIMEOUT_SECONDS)))
option(PROGRESS_CALLBACK, report)
if not library.mysql_real_connect(connection, b"127.0.0.1", b"ci-job", os.environ["MYSQL_PWD"].encode(), b"shop",
                                  ctypes.c_uint(int(os.environ["PANGATE_PORT"])), None, ctypes.c_ulong(0)):
    sys.exit(library.mysql_error(connection).decode())


def query(statement):
    """The rows as text, or the error."""
    if library.mysql_real_query(connection, statement, ctypes.c_ulong(len(statement))):
        return library.mysql_error(connection).decode()
    result = ctypes.c_void_p(library.mysql_store_result(connection))
    if not result:
        return library.mysql_error(connection).decode() or library.mysql_affected_rows(connection)
    columns, rows = library.mysql_num_fields(result), []
    while row := library.mysql_fetch_row(result):
        cells = ctypes.cast(row, ctypes.POINTER(ctypes.c_char_p))
        rows.append([cells[index].decode() for index in range(columns)])
    library.mysql_free_result(result)
    return rows


def execute(statement):
    """How many rows the prepared statement has given or changed, or the error."""
    prepared = ctypes.c_void_p(library.mysql_stmt_init(connection))
    failed = (library.mysql_stmt_prepare(prepared, statement, ctypes.c_ulong(len(statement)))
              or library.mysql_stmt_execute(prepared) or library.mysql_stmt_store_result(prepared))
    done = library.mysql_stmt_error(prepared).decode() if failed else library.mysql_stmt_affected_rows(prepared)
    library.mysql_stmt_close(prepared)
    return done


how, statement = sys.argv[1], sys.argv[2].encode()
done = {"query": query, "execute": execute}[how](statement)
said(done=done, after=query(b"select 'still here'"))
library.mysql_close(connection)
