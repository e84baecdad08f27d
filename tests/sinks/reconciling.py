"""The reconciler over the in-process bus, and everything it finds."""

from sqlalchemy import Engine

from sinks.reconciler.findings import Finding
from sinks.reconciler.following import BusLog
from sinks.reconciler.reconciler import Reconciler
from topics.bus import MemoryBus
from topics.registry import Topics


def differences(engine: Engine, bus: MemoryBus, topics: Topics) -> list[Finding]:
    """What one look at each partition finds."""
    reconciler = Reconciler(engine, topics, BusLog(bus))
    looks = [reconciler.look(partition) for partition in range(topics.partitions)]
    return [finding for look in looks if look is not None for finding in look.open]
