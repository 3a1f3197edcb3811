"""Runs PostgreSQL's regression scripts at the server and through the gateway, and libpq_pipeline's tests; compares what
they print line by line. A difference must be explained (see `explained`), an explanation must be of use."""
import os
import pathlib
import subprocess
import sys
import time

from judging import explanations, judge, of_no_use

SOURCE = pathlib.Path(os.environ["PANGATE_REGRESS_SOURCE"])
REGRESS = SOURCE / "src/test/regress"
SCRIPT_SECONDS_MAX = 180
OUT = os.environ.get("PANGATE_REGRESS_OUT")


def scripts():
    schedule = (REGRESS / "parallel_schedule").read_text().splitlines()
    return [name for line in schedule if line.startswith("test:") for name in line[5:].split()]


def side(gateway):
    """The environment of one side's clients."""
    environment = dict(os.environ)
    for name in list(environment):
        if name.startswith("PG") or name.startswith("LC_") or name in ("LANG", "LANGUAGE"):
            del environment[name]
    environment |= {
        "PGUSER": "settlement_rw",
        "PGDATABASE": "regression",
        "PG_ABS_SRCDIR": str(REGRESS),
        "PG_ABS_BUILDDIR": "/nonexistent",
        "PG_LIBDIR": "/usr/lib/postgresql/15/lib",
        "PG_DLSUFFIX": ".so",
        "PGCONNECT_TIMEOUT": "20",
    }
    if gateway:
        token = subprocess.run(["sh", "-c", os.environ["PANGATE_TOKEN_CMD"]], check=True, capture_output=True, text=True)
        port = os.environ["PANGATE_REGRESS_GATEWAY_PORT"]
        environment |= {"PGPASSWORD": token.stdout.strip(), "PGPORT": port}
    else:
        environment |= {
            "PGPASSWORD": os.environ["DIRECT_POSTGRES_PASSWORD"],
            "PGPORT": os.environ["PANGATE_REGRESS_DIRECT_PORT"],
        }
    return environment | {"PGHOST": "localhost", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": os.environ["PANGATE_CA"]}


def start(script, gateway):
    command = ["timeout", str(SCRIPT_SECONDS_MAX), "psql", "-X", "-a", "-q", "-w"]
    command += ["-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
    with open(REGRESS / "sql" / f"{script}.sql", "rb") as source:
        return subprocess.Popen(
            command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=side(gateway)
        )


def pipeline():
    """libpq_pipeline's tests through the gateway; those that fail."""
    program = os.environ["PANGATE_REGRESS_PIPELINE"]
    names = subprocess.run([program, "tests"], check=True, capture_output=True, text=True).stdout.split()
    failed = []
    for name in names:
        done = subprocess.run(
            ["timeout", "60", program, name, "application_name=pipeline"], capture_output=True, env=side(True), text=True
        )
        print(f"libpq_pipeline {name:<22} {'passes' if done.returncode == 0 else 'FAILS'}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stderr[-600:])
    assert len(names) > 8, names
    return failed


def main():
    known = explanations(sys.argv[1])
    wanted = sys.argv[2:]
    failed = pipeline()
    names = [name for name in scripts() if not wanted or name in wanted or name == "test_setup"]
    same = 0
    for script in names:
        began = time.monotonic()
        running = [start(script, gateway) for gateway in (False, True)]
        direct, through = [process.communicate()[0] for process in running]
        if OUT:
            for name, text in (("direct", direct), ("through", through)):
                pathlib.Path(OUT, f"{script}.{name}").write_bytes(text)
        wrong, explained = judge(script, direct, through, known)
        verdict = f"{explained} explained" if explained else "same"
        same += not explained and not wrong
        if wrong or 124 in [process.returncode for process in running]:
            failed.append(script)
            verdict = f"DIFFERS in {len(wrong)} places"
        print(f"{script:<28} {verdict} ({len(direct.splitlines())} lines, {time.monotonic() - began:.1f} s)", flush=True)
        for run in wrong[:3]:
            print("\n".join(f"    {line[:160]}" for line in run[:8]))
    print(f"{len(names)} scripts: {same} print the same, {len(failed)} fail")
    if not wanted and of_no_use(known):
        failed.append("explained")
    sys.exit(1 if failed else 0)


main()
