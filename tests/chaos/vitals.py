"""How a process is: what it says on /metrics, and the CPU it took."""

import os
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from topics.broker.ports import free_ports

_ANSWER_S: Final = 60.0
"""A busy machine may take long to answer; what counts is what is answered."""


def free_port() -> int:
    """One that nobody listens on now, and that no outgoing connection is given: a process that comes back finds it."""
    return free_ports(1)[0]


def metric(port: int, name: str) -> float:
    """The sum of a metric's samples. Raises OSError where nobody answers."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_ANSWER_S) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has taken so far (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
