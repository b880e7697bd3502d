# Servers of this page's own: made, started, copied and stopped, so that no other server is touched
import os
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

with psycopg.connect() as ours:
    programs = Path(ours.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()[0])
folder = tempfile.TemporaryDirectory(prefix="stuck-", dir="/tmp")
who, patient = {}, ["--timeout=240"]
if os.geteuid() == 0:  # PostgreSQL refuses root; whoever runs this page's server runs these
    socket = os.environ["PGHOST"]
    who = {"user": Path(socket).stat().st_uid if socket.startswith("/") else 65534, "extra_groups": []}
    os.chown(folder.name, who["user"], -1)


def run(program, *words):
    """One of PostgreSQL's programs."""
    subprocess.run(
        [programs / program, *words], check=True, cwd=folder.name, stdout=subprocess.DEVNULL, **who
    )


def data(name):
    return Path(folder.name, name, "data")


def start(name, **settings):
    """Start a server, made when it is not there; it listens on a socket only, and does nothing by itself."""
    if not data(name).exists():
        run("initdb", "--username=postgres", "--auth=trust", "--no-sync", f"--pgdata={data(name)}")
    given = {"listen_addresses": "", "unix_socket_directories": data(name).parent, "fsync": "off"}
    given |= {"autovacuum": "off", **settings}
    with (data(name) / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{key} = '{value}'\n" for key, value in given.items())
    run("pg_ctl", "start", "--silent", *patient, f"--pgdata={data(name)}", f"--log={data(name)}.log")


def stop(name, mode="immediate"):
    run("pg_ctl", "stop", "--silent", *patient, f"--mode={mode}", f"--pgdata={data(name)}")


def connect(name, dbname="postgres"):
    """A session on a server; each statement is a transaction of its own."""
    return psycopg.connect(host=data(name).parent, user="postgres", dbname=dbname, autocommit=True)


def until(session, question):
    """Wait until the answer is yes, two minutes at most."""
    deadline = time.monotonic() + 120
    while not session.execute(question).fetchone()[0]:
        assert time.monotonic() < deadline, question
        time.sleep(0.02)
