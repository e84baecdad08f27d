"""How a process is: what it says on /metrics, and the CPU it took."""

import os
import socket
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def metric(port: int, name: str) -> float:
    """The sum of a metric's samples. Raises OSError where nobody answers."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has taken so far (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
