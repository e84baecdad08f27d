"""A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a free loopback port."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg

from topics.broker.ports import free_ports

_DEADLINE_S = 120.0


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
    """A server of our own. `database()` creates an empty database and gives its URL; `crash`, `start`, `suspend` and
    `resume` are what may befall a server.
    """

    def __init__(self, port: int, command: list[str], data: Path, account: str | None) -> None:
        self.port = port
        self._command = command
        self._data = data
        self._account = account
        self._numbers = count(1)
        self._server: subprocess.Popen[bytes] | None = None
        self._suspended: list[int] = []

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

    def start(self) -> None:
        """Run the server and wait until it answers. Raises NoPostgres."""
        log = self._data / "server.log"
        with log.open("ab") as out:
            self._server = subprocess.Popen(
                self._command, stdout=out, stderr=out, user=self._account, cwd=self._data
            )
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            try:
                psycopg.connect(self.admin, connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise NoPostgres(f"the server did not start: {log.read_text()}") from None
                time.sleep(0.02)
            else:
                return

    def crash(self) -> None:
        """End the server at once, as a crash would: every connection breaks, what was not committed is gone."""
        if self._server is not None:
            self.resume()
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(_DEADLINE_S)
            self._server = None

    def suspend(self) -> None:
        """Stop the server and all that serves a connection: nobody answers, and no connection breaks."""
        assert self._server is not None
        with psycopg.connect(self.admin, autocommit=True) as connection:
            self._server.send_signal(signal.SIGSTOP)  # first, so that no connection comes after the question
            rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
            self._suspended = [self._server.pid, *(int(row[0]) for row in rows)]
            for pid in self._suspended[1:]:
                os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let what was suspended go on."""
        for pid in self._suspended:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._suspended = []


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server, stop it at the end. Raises NoPostgres."""
    folder, account = binaries(), _account()
    data = Path(tempfile.mkdtemp(prefix="strikeline-pg-"))
    if account is not None:
        os.chown(data, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
    # Below those of outgoing connections: while the server is away, nobody else is given its port.
    port = free_ports(1)[0]
    try:
        _initdb(folder, data, account)
        options = ["-D", f"{data}/d", "-p", str(port), "-k", str(data), "-h", "127.0.0.1", "-F"]
        running = Cluster(port, [str(folder / "postgres"), *options], data, account)
        try:
            running.start()
            yield running
        finally:
            running.crash()  # at once: nobody needs what it holds
    finally:
        shutil.rmtree(data)


def _initdb(folder: Path, data: Path, account: str | None) -> None:
    options = ["-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [str(folder / "initdb"), "-D", f"{data}/d", *options]
    done = subprocess.run(command, user=account, cwd=data, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()}")
