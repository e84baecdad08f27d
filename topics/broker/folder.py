"""What a broker of ours keeps on disk."""

import base64
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from topics.broker import config, ports


class Folder:
    """One folder: configuration, ports, data, log and pid file of one broker."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.properties = self.path / "server.properties"
        self.data = self.path / "data"
        self.log = self.path / "broker.log"
        self.pid = self.path / "broker.pid"
        self._ports = self.path / "ports.json"

    def ports(self, wanted: int | None) -> tuple[int, int]:
        """Broker's and controller's port: the ones of last time, unless another one is wanted."""
        if self._ports.exists():
            broker, controller = json.loads(self._ports.read_text())
            if wanted in (None, broker):
                return broker, controller
        broker, controller = ports.free_ports(2)
        return wanted or broker, controller

    def write(self, chosen: tuple[int, int], settings: Mapping[str, str]) -> None:
        """Writes the configuration for these ports and remembers them."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._ports.write_text(json.dumps(chosen))
        self.properties.write_text(config.server_properties(self.data, *chosen, settings))
        (self.path / "log4j2.properties").write_text(config.LOG4J)

    @property
    def formatted(self) -> bool:
        """Whether the data folder was prepared for a broker."""
        return (self.data / "meta.properties").exists()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the broker's log, empty before the first start."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def new_cluster_id() -> str:
    """A random id as Kafka spells it: 16 bytes, URL-safe base64 without padding, no leading dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
