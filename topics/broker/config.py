"""The text of the files a single-node broker reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

NODE_ID: Final = 1

_SMALL_MACHINE: Final = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a crash the controller waits for the old session to end: back in 4.5 s, not in 11.4.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": str(16 * 2**20),
    # A simulated or replayed feed may run ahead of the wall clock; the default refuses more than an hour.
    "log.message.timestamp.after.max.ms": str(2**63 - 1),
}

LOG4J: Final = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
logger.log.name = kafka.log.LogManager
logger.log.level = INFO
"""


def server_properties(
    data: Path, port: int, controller_port: int, extra: Mapping[str, str] | None = None
) -> str:
    """`server.properties` of one node that is broker and controller, on loopback only.

    `extra` overrides any of our settings; the addresses and the data folder cannot be overridden.
    """
    fixed = {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
    }
    settings = {**_SMALL_MACHINE, **(extra or {}), **fixed}
    return "".join(f"{name}={value}\n" for name, value in settings.items())
