"""Bringing a local stack up: broker, topics, database, processes. Shared by `up` and `demo`."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from streams.cli.errors import Problem, Unreachable
from streams.cli.kafka import KafkaCluster, reaching, settings_for
from streams.cli.stack import LocalProcess, StackFile
from topics.broker.errors import AlreadyRunning, BrokerError
from topics.broker.local import LocalKafka
from topics.registry import Topics

Say = Callable[[str], None]
_EARLY_S: Final = 1.5


def start_broker(folder: Path, say: Say) -> LocalKafka:
    """The broker of the folder, started unless it runs. Raises Unreachable."""
    broker = LocalKafka(folder / "kafka")
    try:
        if broker.pid is None:
            say("starting Apache Kafka on this machine")
            broker.start(detached=True)
    except AlreadyRunning:
        return broker
    except BrokerError as error:
        raise Unreachable(str(error)) from None
    return broker


def create_topics(stack: StackFile, say: Say) -> None:
    """Create what is missing. Raises Unreachable."""
    specs = Topics(stack.namespace, stack.partitions, stack.keep_history).all()
    cluster = KafkaCluster(settings_for(stack.bootstrap))
    with reaching(stack.bootstrap):
        made = cluster.admin().create(specs)
    if made:
        say(f"{len(made)} topics created")


def start_processes(folder: Path, stack: StackFile, commands: Mapping[str, Sequence[str]], say: Say) -> None:
    """Start our processes and watch them for a moment. Raises Problem with its log's end when one dies."""
    started = {}
    for name, arguments in commands.items():
        process = LocalProcess(folder, name)
        if process.pid is None:
            process.start(stack, arguments)
            started[name] = process
            say(f"{name} started")
    deadline = time.monotonic() + _EARLY_S
    while time.monotonic() < deadline:
        require_alive(started.values())
        time.sleep(0.05)


def require_alive(processes: Iterable[LocalProcess]) -> None:
    """Raises Problem with the end of its log for a process that ended on its own."""
    for process in processes:
        code = process.ended()
        if code is not None:
            raise Problem(
                f"{process.name} ended with exit code {code}; {process.log} ends:\n{process.log_tail()}"
            )


def migrate(stack: StackFile, folder: Path) -> None:
    """Bring the database to this version's schema, in a process of its own: its imports are heavy."""
    command = [sys.executable, "-m", "streams.cli", "--dir", str(folder), "--database", stack.database]
    done = subprocess.run(
        [*command, "executor", "--migrate-only"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Problem(f"the database could not be prepared: {done.stderr.strip()[-500:]}")
