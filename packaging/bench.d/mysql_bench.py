"""packaging/bench's part for MySQL and MariaDB: sysbench's oltp_point_select and bulk rows against one real MariaDB."""
import asyncio, json, os, re, struct, subprocess, sys, tempfile, time

PROTOCOL = "mysql"
CARD = "4111111111111111"
GIGABYTE = 1_000_000_000
# Rows of sysbench's table.
TABLE_ROWS = 100_000


def password(proxy):
    """A fixed one, or a fresh token."""
    return proxy.password() if callable(proxy.password) else proxy.password


def client(proxy, *arguments):
    """A stock client and its environment."""
    tls = [f"--ssl-ca={proxy.tls}", "--ssl-verify-server-cert"] if proxy.tls else ["--skip-ssl"]
    host = "localhost" if proxy.tls else "127.0.0.1"
    command = ["mariadb", "--no-defaults", "--protocol=tcp", "-h", host, "-P", str(proxy.port), "-u", proxy.user, *tls, *arguments, proxy.database]
    return command, {**os.environ, "MYSQL_PWD": password(proxy)}


def sysbench(proxy, prepared, clients, seconds, extra=()):
    """Without TLS: sysbench wants a client's certificate with it."""
    command = ["sysbench", "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={proxy.port}",
               f"--mysql-user={proxy.user}", f"--mysql-password={password(proxy)}", f"--mysql-db={proxy.database}",
               f"--db-ps-mode={'auto' if prepared else 'disable'}", f"--table-size={TABLE_ROWS}", f"--threads={clients}",
               f"--time={seconds}", "--histogram=on", "--rand-type=uniform", *extra]
    # Loaded before there are threads: MariaDB's client library fails where two threads load a plugin at once.
    environment = {**os.environ, "LIBMYSQL_PLUGINS": "mysql_clear_password;caching_sha2_password"}
    done = subprocess.run([*command, "run"], env=environment, capture_output=True, text=True)
    count = re.search(r"transactions:\s+(\d+)\s+\(([\d.]+) per sec", done.stdout)
    buckets = [(float(ms), int(n)) for ms, n in re.findall(r"^\s*([\d.]+) \|\**\s*(\d+)$", done.stdout, re.M)]
    if done.returncode or not count or not buckets:
        sys.exit(f"bench: sysbench through {proxy.name} failed: {(done.stdout + done.stderr).strip()[-600:]}")
    return {"done": int(count[1]), "rate": float(count[2]), "p50_us": quantile(buckets, 0.5), "p99_us": quantile(buckets, 0.99)}


def quantile(buckets, part):
    """Microseconds under which that part of all lies."""
    left = part * sum(number for _, number in buckets)
    for milliseconds, number in buckets:
        left -= number
        if left <= 0:
            return round(milliseconds * 1000)
    return round(buckets[-1][0] * 1000)


def loadtest(root, proxy, workload, clients, seconds, extra=()):
    with tempfile.NamedTemporaryFile("w") as token:
        token.write(password(proxy))
        token.flush()
        tls = ["--ca", proxy.tls] if proxy.tls else ["--plaintext"]
        host = "localhost" if proxy.tls else "127.0.0.1"
        done = subprocess.run([f"{root}/target/release/pangate-loadtest", "mysql", "--address", f"{host}:{proxy.port}", "--token-file", token.name,
                               "--user", proxy.user, "--database", proxy.database, "--workload", workload, "--connections", str(clients),
                               "--duration", str(seconds), "--json", *tls, *extra], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: pangate-loadtest through {proxy.name} failed: {done.stderr.strip()[-600:]}")
    said = json.loads(done.stdout)
    return {"done": said["operations"], "rate": said["operations_per_s"], "p50_us": said["latency_us"]["p50"], "p99_us": said["latency_us"]["p99"]}


def bulk(proxy, query, expect):
    """One client reads everything; the answer is counted by wc, and must not hold the card number where a gateway masks."""
    command, environment = client(proxy, "--quick", "--batch", "--raw", "--skip-column-names", "-e", query)
    line = " ".join(f"'{word}'" for word in command)
    read, write = os.pipe()
    started = time.monotonic()
    done = subprocess.run(["bash", "-c", f"exec 3>&{write}; {line} | tee >(wc -c >&3) | grep -c -F {CARD} || true"], env=environment,
                          capture_output=True, text=True, pass_fds=[write])
    seconds = time.monotonic() - started
    os.close(write)
    count = int(os.read(read, 64).decode() or 0)
    os.close(read)
    if count < expect:
        sys.exit(f"bench: {proxy.name} answered {count} bytes of {expect}: {done.stderr.strip()[-400:]}")
    whole = int(done.stdout.strip() or 0)
    if proxy.name.startswith("pangate") and whole:
        sys.exit(f"bench: {proxy.name} let {whole} rows with a card number through: a wrong answer has no speed")
    return {"done": count, "rate": count / seconds, "p50_us": None, "p99_us": None}


CONNECT_WITH_DB, PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH, PLUGIN_AUTH_LENENC, DEPRECATE_EOF = (
    1 << bit for bit in (3, 9, 11, 15, 19, 21, 24))
UTF8MB4_GENERAL_CI = 45


async def idle_session(port, login, context):
    """One session, logged in with the token and left alone: its streams, which keep it open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def packet():
        head = await reader.readexactly(4)
        return await reader.readexactly(int.from_bytes(head[:3], "little"))

    def send(number, payload):
        writer.write(len(payload).to_bytes(3, "little") + bytes([number]) + payload)

    await packet()
    flags = CONNECT_WITH_DB | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | PLUGIN_AUTH_LENENC | DEPRECATE_EOF
    head = struct.pack("<IIB23x", flags | (SSL if context else 0), 1 << 24, UTF8MB4_GENERAL_CI)
    number = 1
    if context:
        send(number, head)
        number += 1
        await writer.start_tls(context, server_hostname="localhost")
    user, token, database = (word.encode() for word in login)
    answer = b"\xfc" + struct.pack("<H", len(token) + 1) + token + b"\0"
    send(number, head + user + b"\0" + answer + database + b"\0mysql_clear_password\0")
    verdict = await packet()
    if verdict[0] != 0:
        sys.exit(f"bench: an idle session was refused: {verdict[9:].decode(errors='replace')}")
    return reader, writer


def workloads(root, seconds, gigabytes):
    big = f"select payload from bench_big limit {int(gigabytes * GIGABYTE / 8192)}"
    small = f"select payload from bench_small limit {int(gigabytes * GIGABYTE / 175)}"
    point = f"SELECT c FROM sbtest1 WHERE id = {TABLE_ROWS // 2}"
    return {
        "point-select-text-1": (False, lambda p: sysbench(p, False, 1, seconds)),
        "point-select-text-16": (False, lambda p: sysbench(p, False, 16, seconds)),
        "point-select-rate-1000": (False, lambda p: sysbench(p, False, 16, seconds, ["--rate=1000"])),
        "point-select-prepared-16": (False, lambda p: sysbench(p, True, 16, seconds)),
        "point-select-prepared-16-tls": (True, lambda p: loadtest(root, p, "select", 16, seconds, ["--statement", point])),
        "connect-8-tls": (True, lambda p: loadtest(root, p, "churn", 8, seconds)),
        "rows-8k": (False, lambda p: bulk(p, big, gigabytes * GIGABYTE * 0.98)),
        "rows-8k-tls": (True, lambda p: bulk(p, big, gigabytes * GIGABYTE * 0.98)),
        "rows-175": (False, lambda p: bulk(p, small, gigabytes * GIGABYTE * 0.98)),
    }


def prepare(direct, gigabytes):
    """sysbench's table; 8 KB rows with a card number each, and rows of 175 bytes."""
    done = subprocess.run(["sysbench", "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={direct.port}",
                           f"--mysql-user={direct.user}", f"--mysql-password={password(direct)}", f"--mysql-db={direct.database}",
                           f"--table-size={TABLE_ROWS}", "prepare"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: sysbench prepare: {(done.stdout + done.stderr).strip()[-600:]}")
    words = "(select group_concat(md5(n.seq * {0} + i.seq) separator ' ') from seq_1_to_124 i)"
    sql = f"""
create table bench_big (payload text) engine = aria transactional = 0;
insert into bench_big select concat({words.format(200)}, ' {CARD} ', {words.format(300)}) from seq_1_to_2000 n;
insert into bench_big select payload from bench_big join seq_2_to_{max(2, int(gigabytes * GIGABYTE / 8192 / 2000) + 2)} on true;
create table bench_small (payload varchar(200)) engine = aria transactional = 0;
insert into bench_small select concat(md5(seq), ' ', md5(seq + 1), ' order ', seq, ' ', md5(seq + 2), ' ', md5(seq + 3), repeat('x', 30))
  from seq_1_to_{min(6_000_000, int(gigabytes * GIGABYTE / 170) + 10)};
"""
    command, environment = client(direct, "--init-command=set group_concat_max_len = 100000", "-e", sql)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {done.stderr.strip()}")
