#!/usr/bin/env python3
"""Compares the analyser with a MariaDB server (PyPI pymysql) over the scripts of its test suite (Debian: mariadb-test-data).

    mysql_oracle.py SOCKET FACTS DIR_OR_FILE...        FACTS is the built example: cargo build -p policies --example facts
    mysql_oracle.py --mutate N [SEED] SOCKET FACTS DIR...      the same over N statements made by mixing up tokens
    LIMIT=N: no more than N statements, evenly taken

The server is asked to PREPARE each statement, which opens its tables and runs nothing. A table that it misses is one that
the statement uses: it is noted, made, and the statement prepared again, until none is missing. So for functions. None of
these may be missing from the facts of a statement that is called understood. Prints, by kind of statement, how many of
those that the server's parser takes are understood, and every statement with something missing; exits 1 if there is one.
"""
import collections
import json
import os
import random
import re
import subprocess
import sys

import pymysql

DATABASE = "test"
# What mysqltest itself reads (client/mysqltest.cc).
COMMANDS = """append_file assert break cat_file change_user character_set chmod commit connect connection copy_file copy_files
cp dec delimiter die diff_files dirty_close disable_abort_on_error disable_cursor_protocol disable_info disable_metadata
disable_parsing disable_ps_protocol disable_ps2_protocol disable_query_log disable_reconnect disable_result_log
disable_non_blocking_api disable_prepare_warnings disable_service_connection disable_session_track_info disable_rpl_parse
disable_view_protocol disable_warnings disable_column_names disable_connect_log disconnect echo enable_abort_on_error
enable_cursor_protocol enable_info enable_metadata enable_parsing enable_ps_protocol enable_ps2_protocol enable_query_log
enable_reconnect enable_result_log enable_non_blocking_api enable_prepare_warnings enable_service_connection
enable_session_track_info enable_rpl_parse enable_view_protocol enable_warnings enable_column_names enable_connect_log end
error eval evalp even exec exec_in_background execw exit file_exists force-cpdir horizontal_results if inc let lowercase_result
list_files list_files_append_file list_files_write_file mkdir move_file optimizer_trace output perl ping query query_attributes
query_get_value query_horizontal query_vertical real_sleep reap remove_file remove_files_wildcard replace_column
replace_numeric_round replace_regex replace_result require reset_connection result rmdir rmdir_recursively save_master_pos
send send_eval send_quit send_shutdown sh shutdown_server skip sleep sorted_result partially_sorted_result source
start_timer sync_slave_with_master sync_with_master system uppercase vertical_results wait_for_slave_to_stop while
write_file write_line""".split()
# A command where the word alone stands, a statement otherwise.
AMBIGUOUS = {"commit", "query", "replace_column", "skip", "system", "assert"}
DML = {"select", "insert", "update", "delete", "replace", "with", "(", "values"}


def statements(paths):
    """The statements of scripts, with their files."""
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files = sorted(os.path.join(path, it) for it in os.listdir(path) if it.endswith((".test", ".inc")))
        for file in files:
            with open(file, encoding="utf-8", errors="replace") as script:
                yield from ((file, text) for text in split(script.read()))


def split(text):
    delimiter, held, data = ";", [], None
    for line in text.split("\n"):
        if data is not None:
            data = None if line.strip() == data else data
            continue
        bare = line.strip()
        if not held:
            if bare.startswith("--") or bare.startswith("#") or bare in ("", "{", "}"):
                match = re.match(r"--\s*delimiter\s+(\S+)", bare)
                delimiter = match.group(1) if match else delimiter
                if re.match(r"--\s*(write_file|append_file|perl)\b", bare):
                    data = heredoc(bare)
                continue
            word = re.match(r"[\w-]*", bare).group().lower()
            if word in ("write_file", "append_file", "perl"):
                data = heredoc(bare)
                continue
            if word == "delimiter":
                rest = bare[len(word):].strip()
                delimiter = rest[: -len(delimiter)].strip() if rest.endswith(delimiter) and rest != delimiter else rest
                continue
        held.append(line)
        if bare.endswith(delimiter) or bare.endswith(delimiter + "\\"):
            whole = "\n".join(held).strip()[: -len(delimiter)].strip()
            held = []
            word = re.match(r"[\w-]*", whole).group().lower()
            command = word in COMMANDS and (word not in AMBIGUOUS or word in ("skip", "system", "assert"))
            if whole and not command and "$" not in whole and "\0" not in whole and not whole.startswith(("if", "while", "}")):
                yield whole


def heredoc(line):
    match = re.search(r"\b([A-Z_]*EOF\w*)\b", line.rstrip(";"))
    return match.group(1) if match else "EOF"


def part(name):
    return '"' + name.replace('"', '""') + '"' if name == "" or re.search(r'[."*]', name) else name


class Server:
    """What the server opens."""

    def __init__(self, socket):
        self.connection = pymysql.connect(unix_socket=socket, user=os.environ.get("USER", "root"), charset="utf8mb4")
        self.cursor = self.connection.cursor()
        for setting in ("sql_mode = 'NO_ENGINE_SUBSTITUTION'", "foreign_key_checks = 0", "max_statement_time = 5"):
            self.cursor.execute(f"SET {setting}")
        self.fresh()

    def fresh(self):
        self.cursor.execute(f"DROP DATABASE IF EXISTS `{DATABASE}`")
        self.cursor.execute(f"CREATE DATABASE `{DATABASE}`")
        self.cursor.execute(f"USE `{DATABASE}`")

    def opens(self, text):
        """Tables and functions that the statement needs; None: the server does not parse it."""
        tables, functions, made = set(), set(), []
        literal = self.connection.escape(text)
        try:
            for _ in range(60):
                try:
                    self.cursor.execute(f"PREPARE pangate_oracle FROM {literal}")
                    break
                except pymysql.err.MySQLError as error:
                    number, message = error.args[0], str(error.args[1]) if len(error.args) > 1 else ""
                    if number in (1064, 1149, 1115, 1273, 1248, 1065):
                        return None
                    if not self.supply(number, message, tables, functions, made):
                        break
        finally:
            for statement in reversed(made):
                try:
                    self.cursor.execute(statement)
                except pymysql.err.MySQLError:
                    pass
        return tables, functions

    def supply(self, number, message, tables, functions, made):
        """Makes what is missing; False: that is not what is wrong."""
        quote = lambda name: "`" + name.replace("`", "``") + "`"
        try:
            if number == 1146:
                match = re.match(r"Table '(.*)' doesn't exist$", message, re.S)
                if not match or match.group(1).count(".") != 1:
                    return False
                database, table = match.group(1).split(".")
                tables.add((database.lower(), table.lower()))
                name = f"{quote(database)}.{quote(table)}"
                self.cursor.execute(f"CREATE TABLE {name} (a INT) ENGINE=MEMORY")
                made.append(f"DROP TABLE {name}")
                return True
            if number == 1049:
                database = re.match(r"Unknown database '(.*)'", message, re.S).group(1)
                self.cursor.execute(f"CREATE DATABASE {quote(database)}")
                made.append(f"DROP DATABASE {quote(database)}")
                return True
            if number == 1305:
                match = re.match(r"FUNCTION (?:(.*)\.)?(.*) does not exist", message, re.S)
                if not match:
                    return False
                database, name = (match.group(1) or DATABASE), match.group(2)
                functions.add((database.lower(), name.lower()))
                name = f"{quote(database)}.{quote(name)}"
                self.cursor.execute(f"CREATE FUNCTION {name}() RETURNS INT RETURN 1")
                made.append(f"DROP FUNCTION {name}")
                return True
        except pymysql.err.MySQLError:
            return False
        return False


def kind_of(text):
    match = re.match(r"(?:\s|/\*.*?\*/|#[^\n]*\n|--\s[^\n]*\n)*(\(|\w+)", text, re.S)
    return match.group(1).lower() if match else "?"


PIECES = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`|@@?[\w.]+|[A-Za-z_]\w*|\d+|<=>|:=|<=|>=|<>|\|\||&&|/\*|\*/|\s+|.", re.S
)
TRICKS = ["/*", "*/", "/*!", "/*!50000", "--", "-- ", "#", "\n", "\\'", "'", '"', "`", "''", '""', ";", "@a", ":=", "_utf8", "N", "x", "(", ")", ".", ","]


def mutated(paths, count, seed):
    """Statements that mix up the tokens of the scripts' statements; of those that KINDS, an expression, begins."""
    dice = random.Random(seed)
    corpus, pool = [], collections.Counter()
    for _, text in statements(paths):
        if len(text) < 300 and re.match(os.environ.get("KINDS", "."), text, re.I):
            tokens = [it for it in PIECES.findall(text) if it.strip()]
            corpus.append(tokens)
            pool.update(tokens)
    words = [it for it, seen in pool.items() if seen > 3] + os.environ.get("WORDS", "").split() * 20
    for number in range(count):
        tokens = list(dice.choice(corpus))
        for _ in range(dice.randint(1, 3)):
            at, kind = dice.randrange(len(tokens)), dice.random()
            if kind < 0.3:
                tokens[at] = dice.choice(words)
            elif kind < 0.5:
                tokens.insert(at, dice.choice(words))
            elif kind < 0.6:
                tokens.insert(at, dice.choice(TRICKS))
            elif kind < 0.75 and len(tokens) > 1:
                del tokens[at]
            else:
                other = dice.choice(corpus)
                start = dice.randrange(len(other))
                tokens[at:at] = other[start:start + dice.randint(1, 8)]
        yield f"mutation {number}", "".join(it + dice.choice(["", " ", " ", " "]) for it in tokens)


def main():
    arguments = sys.argv[1:]
    source = statements
    if arguments[0] == "--mutate":
        count, seed = int(arguments[1]), 1
        arguments = arguments[2:]
        if arguments[0].isdigit():
            seed, arguments = int(arguments[0]), arguments[1:]
        print(f"seed {seed}")
        source = lambda paths: mutated(paths, count, seed)
    socket, binary, paths = arguments[0], arguments[1], arguments[2:]
    verbose, limit = os.environ.get("VERBOSE"), int(os.environ.get("LIMIT", "0"))
    cases = list(dict.fromkeys(source(paths)))
    if limit and len(cases) > limit:
        step = len(cases) / limit
        cases = [cases[int(number * step)] for number in range(limit)]
    lines = "".join(json.dumps(text) + "\n" for _, text in cases)
    done = subprocess.run([binary, DATABASE], input=lines, capture_output=True, text=True, check=True)
    server = Server(socket)
    total, understood, bad, lost = collections.Counter(), collections.Counter(), 0, 0
    for (file, text), line in zip(cases, done.stdout.splitlines(), strict=True):
        facts, kind = json.loads(line), kind_of(text)
        opened = server.opens(text)
        if opened is None:
            continue
        total[kind] += 1
        if not facts["understood"]:
            if verbose and re.search(verbose, kind):
                print(f"-- unknown {kind} {os.path.basename(file)}: {' '.join(text.split())[:300]}")
            continue
        understood[kind] += 1
        tables = {f"{part(database)}.{part(name)}" for database, name in opened[0]} - set(facts["objects"])
        functions = {f"{part(database)}.{part(name)}" for database, name in opened[1]} - set(facts["functions"])
        if tables:
            bad += 1
            print(f"MISSING {sorted(tables)} {kind} {os.path.basename(file)}: {' '.join(text.split())[:300]}")
        if functions:
            lost += 1
            print(f"FUNCTIONS {sorted(functions)} {kind} {os.path.basename(file)}: {' '.join(text.split())[:300]}")
    for kind, count in total.most_common(60):
        print(f"{kind:20} {understood[kind]:6} of {count:6} understood {100 * understood[kind] / count:6.2f} %")
    dml = sum(total[it] for it in DML), sum(understood[it] for it in DML)
    print(f"queries and changes: {dml[1]} of {dml[0]} understood, {100 * dml[1] / max(dml[0], 1):.2f} %")
    print(f"all: {sum(understood.values())} of {sum(total.values())} understood; with a table missing: {bad}; with a function missing: {lost}")
    sys.exit(1 if bad or lost else 0)


if __name__ == "__main__":
    main()
