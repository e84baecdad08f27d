"""Apache Kafka on this machine: one process that is broker and controller, on loopback."""

import atexit
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from topics.broker import ports, ready
from topics.broker.errors import AlreadyRunning, BrokerFailed, PortInUse
from topics.broker.folder import Folder, new_cluster_id
from topics.broker.jvm import Jvm
from topics.broker.process import PidFile


class LocalKafka:
    """A single-node broker whose configuration, data, log and pid file live in `folder`.

    Another object on the same folder, in another process too, finds the same broker: `up` starts it with
    `detached=True` and `down` stops it. Ports are picked free once and kept in the folder, so clients
    find a restarted broker where it was; `port` asks for a certain one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Folder(folder)
        self._settings = dict(settings or {})
        self._heap = heap
        self._ports = self.folder.ports(port)
        self._pid_file = PidFile(self.folder.pid, mark=str(self.folder.properties))
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{ports.HOST}:{self._ports[0]}"

    @property
    def pid(self) -> int | None:
        """The process id of the running broker, None when there is none."""
        return self._pid_file.running()

    def start(self, deadline: float = 120.0, *, detached: bool = False) -> Self:
        """Starts the broker and returns once it answers; `deadline` in seconds, fetching jars not counted.

        A broker that is not detached is stopped when this Python ends in order. Raises AlreadyRunning,
        PortInUse, JarsMissing, or BrokerFailed with the end of the log.
        """
        if self.pid is not None:
            raise AlreadyRunning(
                f"a broker with pid {self.pid} runs on {self.folder.path} at {self.bootstrap}"
            )
        jvm = Jvm(self.folder, self._heap)
        end = time.monotonic() + deadline
        self._claim_ports()
        self.folder.write(self._ports, self._settings)
        if not self.folder.formatted:
            self._format(jvm, deadline)
        self._spawn(jvm)
        if not detached:
            atexit.register(self.stop)
        self._wait_ready(end)
        return self

    def stop(self, deadline: float = 30.0) -> None:
        """Stops the broker in order, by force when `deadline` seconds are over; nothing when none runs."""
        atexit.unregister(self.stop)
        if self.pid is None:
            return self._reap()
        self._pid_file.signal(signal.SIGTERM)
        if not self._pid_file.wait_gone(deadline):
            return self.kill()
        self._reap()
        Jvm(self.folder, self._heap).keep_archive()
        return None

    def kill(self) -> None:
        """Ends the broker as a crash would (SIGKILL); its data stay."""
        self._pid_file.signal(signal.SIGKILL)
        if not self._pid_file.wait_gone(30.0):
            raise BrokerFailed(f"the broker on {self.folder.path} survived SIGKILL")
        self._reap()

    def restart(self, deadline: float = 120.0) -> Self:
        """Stops the broker if it runs and starts it on the same ports and data."""
        self.stop()
        return self.start(deadline)

    def _claim_ports(self) -> None:
        """Waits a moment for a dying predecessor to let go of the ports, then refuses."""
        end = time.monotonic() + 2.0
        while taken := [port for port in self._ports if not ports.is_free(port)]:
            if time.monotonic() > end:
                raise PortInUse(f"{ports.HOST}:{taken[0]} is taken by another process; choose another port")
            time.sleep(0.05)

    def _format(self, jvm: Jvm, deadline: float) -> None:
        with self.folder.log.open("ab") as log:
            command = jvm.format(new_cluster_id())
            try:
                subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=deadline, check=True)
            except subprocess.SubprocessError as error:
                raise self._failed("its data folder could not be prepared") from error

    def _spawn(self, jvm: Jvm) -> None:
        """Starts the process in a session of its own: Ctrl-C reaches us first, and we stop it in order."""
        with self.folder.log.open("ab") as log:
            self._child = subprocess.Popen(
                jvm.broker(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write(self._child.pid)
        while self.pid is None and self._child.poll() is None:
            time.sleep(0.005)  # for an instant after exec a process shows no command line

    def _wait_ready(self, end: float) -> None:
        while not (ports.answers(self._ports[0]) and ready.answers(self.bootstrap, timeout=1.0)):
            if self.pid is None:
                self._reap()
                raise self._failed("it ended while starting")
            if time.monotonic() > end:
                self.kill()
                raise self._failed("it was not ready in time")
            time.sleep(0.02)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait(timeout=30.0)
            self._child = None

    def _failed(self, why: str) -> BrokerFailed:
        return BrokerFailed(
            f"the broker on {self.folder.path} failed, {why}; its log ends:\n{self.folder.log_tail()}"
        )
