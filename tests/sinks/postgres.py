"""A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a free loopback port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

_DEADLINE_S = 30.0


class NoPostgres(Exception):
    """PostgreSQL cannot be run here; the message says why."""


def binaries() -> Path:
    """The folder of `initdb` and `postgres`. Raises NoPostgres."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # where Debian puts them
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgres("PostgreSQL is not installed (Debian: apt-get install postgresql)")


def _account() -> str | None:
    """PostgreSQL refuses to run as root: whom to run it as instead, None when we are not root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise NoPostgres("running as root, and there is no user postgres or nobody to run PostgreSQL as")


class Cluster:
    """A running server. `database()` creates an empty database and gives its URL."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)

    @property
    def admin(self) -> str:
        """Connection string of the maintenance database."""
        return f"host=127.0.0.1 port={self.port} user=tester dbname=postgres"

    def database(self, template: str = "template0") -> str:
        """URL of a new database, empty or a copy of the one called `template`."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server, stop it at the end. Raises NoPostgres."""
    folder, account = binaries(), _account()
    data = Path(tempfile.mkdtemp(prefix="strikeline-pg-"))
    if account is not None:
        os.chown(data, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
    port = _free_port()
    try:
        _initdb(folder, data, account)
        with (data / "server.log").open("wb") as log:
            options = ["-D", f"{data}/d", "-p", str(port), "-k", str(data), "-h", "127.0.0.1", "-F"]
            command = [str(folder / "postgres"), *options]
            server = subprocess.Popen(command, stdout=log, stderr=log, user=account, cwd=data)
            try:
                _wait(port, server, data / "server.log")
                yield Cluster(port)
            finally:
                server.send_signal(signal.SIGQUIT)  # at once: nobody needs what it holds
                server.wait(_DEADLINE_S)
    finally:
        shutil.rmtree(data)


def _initdb(folder: Path, data: Path, account: str | None) -> None:
    options = ["-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [str(folder / "initdb"), "-D", f"{data}/d", *options]
    done = subprocess.run(command, user=account, cwd=data, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            psycopg.connect(Cluster(port).admin).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"the server did not start: {log.read_text()}") from None
        else:
            return
