"""Runs MariaDB's own test scripts by its own client (mariadb-test) at a server and through the gateway, and compares what they
print line by line. A difference must be explained (see `explained.mysql`), an explanation must be of use. The client gives up
at the first statement that fails unexpectedly: where that is one the gateway refuses, what comes before is compared, and the
refusal is the difference to be explained. Leaves out what needs other settings of the server, and cuts scripts where they go
on as another user, whom the gateway's account takes the place of."""
import concurrent.futures
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from judging import explanations, judge, of_no_use

WORK = pathlib.Path(os.environ["PANGATE_REGRESS_WORK"])
SUITE = pathlib.Path(os.environ["PANGATE_REGRESS_SUITE"])
SERVER = os.environ["PANGATE_REGRESS_SERVER"]
PASSWORD = os.environ["DIRECT_MYSQL_PASSWORD"]
OUT = os.environ.get("PANGATE_REGRESS_OUT")
# Both sides past the gateway: what differs then differs by itself.
MEASURE = os.environ.get("PANGATE_REGRESS_MEASURE")
SCRIPT_SECONDS_MAX = int(os.environ.get("PANGATE_REGRESS_SECONDS_MAX", "120"))
SIDES = ("direct", "target")
TOKEN_SECONDS_MAX = 600
SKIPPED = 62
END = "# not compared from here on\nexit;"

# Settings of the server, which stand in files beside the script.
BESIDE = (".opt", "-master.opt", "-slave.opt", ".cnf", ".sh")
# What the gateway's account takes the place of, or is refused by design, or is no part of one server that runs on: a script is run up to there.
ENDS = re.compile(
    r"(?i)restart_mysqld|shutdown_server|kill_mysqld|start_mysqld|shutdown_mysqld|wait_until_(dis)?connected_again|\$restart_|^\s*(--)?\s*change_user\b"
)
CONNECT = re.compile(r"(?im)^([ \t]*(?:--)?[ \t]*connect(?:[ \t]*\((?=[^)]*\))|[ \t]+(?!\()))((?<=\()[^)]*|[^();\n]*)")


def connects(text):
    for match in CONNECT.finditer(text):
        yield [part.strip() for part in match.group(2).split(",")]


def with_password(match):
    """A connection as root with no password gets the side's."""
    parts = match.group(2).split(",")
    if len(parts) < 3 or parts[2].strip() != "root" or (len(parts) > 3 and parts[3].strip() not in ("", "''", '""')):
        return match.group(0)
    parts[3:4] = ["$PANGATE_REGRESS_PASSWORD"]
    return match.group(1) + ",".join(parts)


def utf8(text):
    """A script as its session reads it: a few are written in Latin 1, which the session is not."""
    try:
        text.decode()
    except UnicodeDecodeError:
        if not re.search(rb"(?i)set\s+(names|character)|character_set_client", text):
            return text.decode("latin-1").encode()
    return text


def lay_out():
    """The suite, its scripts in UTF-8, and their connections with a password."""
    tree = WORK / "suite"
    tree.mkdir()
    for entry in SUITE.iterdir():
        if entry.name not in ("main", "include"):
            (tree / entry.name).symlink_to(entry)
            continue
        shutil.copytree(entry, tree / entry.name, symlinks=False)
        for path in (tree / entry.name).rglob("*"):
            if path.suffix in (".test", ".inc"):
                text = CONNECT.sub(with_password, utf8(path.read_bytes()).decode("latin-1"))
                path.write_bytes(cut(text).encode("latin-1") if path.suffix == ".test" else text.encode("latin-1"))
    return tree


def ends(line):
    if line.lstrip().startswith("#"):
        return False
    foreign = any(len(parts) > 2 and parts[2] not in ("root", "$PANGATE_REGRESS_PASSWORD") for parts in connects(line))
    return foreign or ENDS.search(line)


def cut(text):
    """A script up to where it does what cannot be compared."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if ends(line)), None)
    return text if end is None else "\n".join([*lines[:end], END, *lines[end:]])


def left_out(path):
    """Why a script is not run at all; None: it is."""
    if any((path.parent / f"{path.stem}{suffix}").exists() for suffix in BESIDE):
        return "settings of the server's own"
    debug = rb"(?im)^[^#\n]*(have_debug|debug_dbug|@@debug\b|debug_sync)"
    return "a debug build" if re.search(debug, path.read_bytes()) else None


ABORT = re.compile(rb"(?m)^mysqltest: (At line \d+|In included file)")


def up_to_refusal(direct, through):
    """Where the client gave up through the gateway alone: both up to there, and what it said instead of the server's next line."""
    abort, own = ABORT.search(through), ABORT.search(direct)
    if not abort or (own and direct[own.start() :] == through[abort.start() :]):
        return direct, through
    lines = through[: abort.start()].count(b"\n")
    return b"".join(direct.splitlines(keepends=True)[:lines]), through


@functools.lru_cache(maxsize=1)
def token(_period):
    """A token is good for a quarter of an hour, which the longest script ends within."""
    return subprocess.run([os.environ["PANGATE_TOKEN_CMD"]], check=True, capture_output=True, text=True).stdout.strip()


class Side:
    def __init__(self, name, tree):
        self.name, self.tree = name, tree
        self.var = WORK / name
        self.dir = self.var / "mysqld.1"
        self.direct = name == "direct" or bool(MEASURE)
        self.port = dict(
            line.split(" = ", 1) for line in (self.dir / "my.cnf").read_text().splitlines() if " = " in line
        )["port"]
        self.client_port = self.port if self.direct else os.environ["PANGATE_REGRESS_GATEWAY_PORT"]
        self.restarts = 0
        self.kill()
        (self.dir / "data").rename(self.dir / "pristine")
        # The suite's own data lie where the server may read them.
        (self.var / "std_data").symlink_to(SUITE / "std_data")
        self.fresh()

    def sql(self, text):
        command = ["mariadb", "--no-defaults", "--binary-as-hex", "-S", str(self.dir / "socket"), "-N", "-B", "-e", text]
        return subprocess.run(command, capture_output=True, timeout=60)

    def kill(self):
        pid = self.dir / "pid"
        if not pid.exists():
            return
        number = int(pid.read_text())
        # A clean end once, for what is kept; what is thrown away needs none.
        os.kill(number, signal.SIGKILL if (self.dir / "pristine").exists() else signal.SIGTERM)
        while pathlib.Path(f"/proc/{number}").exists() and "Z" not in pathlib.Path(f"/proc/{number}/stat").read_text().split()[2]:
            time.sleep(0.02)
        pid.unlink(missing_ok=True)

    def fresh(self):
        """A server as it was at first."""
        self.kill()
        shutil.rmtree(self.dir / "data", ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.dir / "pristine"), str(self.dir / "data")], check=True)
        subprocess.run([SERVER, "start", str(self.dir), self.port], check=True)
        self.state = self.look()
        self.restarts += 1

    def look(self):
        """What scripts are to leave as they find it."""
        try:
            done = self.sql("call mtr.check_testcase(); select schema_name from information_schema.schemata order by 1; select routine_schema, routine_name from information_schema.routines where routine_schema <> 'sys'; select table_name from information_schema.tables where table_schema in ('test', 'mtr', 'mysql')")
        except subprocess.TimeoutExpired:
            return None
        noisy = re.compile(rb"(?m)^(GTID_|TIMESTAMP|.*_status\t|INNODB_BUFFER_POOL_LOAD).*\n")
        return noisy.sub(b"", done.stdout) if done.returncode == 0 else None

    def environment(self):
        password = PASSWORD if self.direct else token(time.monotonic() // TOKEN_SECONDS_MAX)
        var = str(self.var)
        settings = f"--no-defaults --user=root --host=127.0.0.1 --port={self.client_port} --ssl-ca={os.environ['PANGATE_CA']}"
        environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "GMT-3", "HOME": var, "LIBMYSQL_PLUGINS": "mysql_clear_password",
            "MYSQL_PWD": password, "PANGATE_REGRESS_PASSWORD": password,
            "MYSQL_TEST_DIR": str(self.tree), "MYSQLTEST_VARDIR": var, "MYSQLTEST_REAL_VARDIR": var, "MYSQL_TMP_DIR": f"{var}/tmp",
            "MYSQL_BINDIR": "/usr", "MYSQL_SHAREDIR": "/usr/share/mysql", "MYSQL_CHARSETSDIR": "/usr/share/mysql/charsets",
            "SECURE_LOAD_PATH": f"{self.tree}/std_data", "MASTER_MYPORT": self.client_port, "MASTER_MYSOCK": str(self.dir / "socket"),
            "DEFAULT_MASTER_PORT": "3306", "USE_RUNNING_SERVER": "1", "UMASK": "0660", "UMASK_DIR": "0770",
            "EXE_MYSQL": "mariadb", "MYSQL_MY_PRINT_DEFAULTS": "my_print_defaults", "PLUGIN_DIR": "/usr/lib/mysql/plugin",
        }
        tools = {
            "MYSQL": "mariadb", "MYSQL_DUMP": "mariadb-dump", "MYSQL_CHECK": "mariadb-check", "MYSQL_SHOW": "mariadb-show",
            "MYSQLADMIN": "mariadb-admin", "MYSQL_IMPORT": "mariadb-import", "MYSQL_SLAP": "mariadb-slap",
            "MYSQL_UPGRADE": "mariadb-upgrade",
        }
        environment |= {"MYISAMCHK": "myisamchk", "MYISAMPACK": "myisampack", "MYISAMLOG": "myisamlog", "MYISAM_FTDUMP": "myisam_ftdump"}
        return password, environment | {name: f"{program} {settings}" for name, program in tools.items()}

    def start(self, script, options):
        self.password, environment = self.environment()
        var = self.var
        for folder in ("tmp", "log"):
            shutil.rmtree(var / folder, ignore_errors=True)
            (var / folder).mkdir()
            (var / folder).chmod(0o777)
        command = ["timeout", "-k", "5", str(SCRIPT_SECONDS_MAX), "mariadb-test", "--no-defaults", "--silent", *options]
        command += [f"--tmpdir={var}/tmp", f"--logdir={var}/log", f"--basedir={self.tree}/", f"--suite-dir={self.tree}/main/"]
        command += ["--character-sets-dir=/usr/share/mysql/charsets", "--max-connect-retries=1", "--protocol=tcp", "--host=localhost"]
        command += [f"--port={self.client_port}", "--user=root", f"--password={self.password}", f"--ssl-ca={os.environ['PANGATE_CA']}"]
        command += ["--database=test", f"--test-file={self.tree}/main/{script}.test"]
        self.running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=self.tree
        )

    def output(self):
        text, words = self.running.communicate()
        # Of its errors what ended it, which is the last; the rest is other programs', and in no order.
        end = ABORT.search(words)
        text += words[end.start() :] if end else b""
        for value, name in ((self.password, "PASSWORD"), (str(self.var), "VAR"), (str(WORK), "WORK")):
            text = text.replace(value.encode(), name.encode())
        return re.sub(rf"(?<![\w.])({self.client_port}|{self.port})(?![\w.])".encode(), b"PORT", text)

    def clean(self):
        """Puts the server back where the script did not."""
        if self.look() != self.state:
            self.fresh()


def compare(script, sides, options):
    for side in sides:
        side.start(script, options)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        texts = list(pool.map(Side.output, sides))
        codes = [side.running.returncode for side in sides]
        list(pool.map(Side.clean, sides))
    if OUT:
        for side, text in zip(sides, texts):
            pathlib.Path(OUT, f"{script}.{side.name}").write_bytes(text)
    return texts, codes


def main():
    known = explanations(sys.argv[1])
    options = [one for one in sys.argv[2:] if one.startswith("--")]
    wanted = [one for one in sys.argv[2:] if not one.startswith("--")]
    tree = lay_out()
    sides = [Side(name, tree) for name in SIDES]
    counts, totals = {}, [0, 0]
    failed = []

    def count(what):
        counts[what] = counts.get(what, 0) + 1

    for path in sorted((tree / "main").glob("*.test")):
        script = path.stem
        if wanted and script not in wanted:
            continue
        why = left_out(path)
        if why:
            count(f"left out: needs {why}")
            continue
        began = time.monotonic()
        (direct, through), codes = compare(script, sides, options)
        lines = len(direct.splitlines())
        wrong = []
        if codes[0] == SKIPPED == codes[1]:
            verdict = "skips itself"
        else:
            shared, through = up_to_refusal(direct, through)
            wrong, explained = judge(script, shared, through, known)
            totals[0] += lines
            totals[1] += len(shared.splitlines())
            verdict = "same" if not explained else "explained" if shared is direct else "same up to a refusal"
            if END in path.read_bytes().decode("latin-1"):
                verdict += ", up to a part that is left out"
            if codes[0]:
                verdict += ", and stops at the server too"
            if wrong or 124 in codes:
                failed.append(script)
                verdict = "DIFFERS"
        count(verdict)
        print(f"{script:<28} {verdict} ({lines} lines, {time.monotonic() - began:.1f} s, {codes})", flush=True)
        for run in wrong[:3]:
            print("\n".join(f"    {line[:300]}" for line in run[:8]), flush=True)
    for what, count in sorted(counts.items()):
        print(f"{count:5} {what}")
    print(f"{totals[1]} of {totals[0]} lines compared")
    if not wanted and of_no_use(known):
        failed.append("explained")
    print(f"restarts {[side.restarts for side in sides]}")
    sys.exit(1 if failed else 0)


main()
