"""What the reconciler finds when it is asked from outside: one look at every partition."""

from typing import Final

from confluent_kafka import KafkaException
from sqlalchemy.exc import DBAPIError

from sinks.database.engine import open_engine
from sinks.reconciler.findings import Finding
from sinks.reconciler.following import BusLog, Log
from sinks.reconciler.kafka import KafkaLog
from sinks.reconciler.reconciler import Reconciler
from streams.cli.cluster import Cluster, MemoryCluster
from streams.cli.database import existing
from streams.cli.errors import Unreachable
from streams.cli.kafka import KafkaCluster
from topics.registry import Topics
from topics.spec import DAY_MS

_KEPT_MS: Final = 90 * DAY_MS
"""No executor keeps its inbox for less."""


def differences(cluster: Cluster, topics: Topics, database: str) -> list[Finding]:
    """All there are but those that take time to be seen (what stands still). Raises Unreachable, Invalid."""
    log = _log(cluster, topics)
    engine = open_engine(existing(database))
    try:
        keep_ms = None if topics.keep_history else _KEPT_MS
        reconciler = Reconciler(engine, topics, log, keep_ms=keep_ms)
        looks = (reconciler.look(partition) for partition in range(topics.partitions))
        return [finding for look in looks if look is not None for finding in look.open]
    except DBAPIError as error:
        raise Unreachable(
            f"database {engine.url.render_as_string()}: {str(error.orig).splitlines()[0]}"
        ) from None
    except KafkaException as error:
        raise Unreachable(f"{cluster.name}: {error.args[0].str()}") from None
    except TimeoutError as error:
        raise Unreachable(f"{cluster.name}: {error}") from None
    finally:
        engine.dispose()
        if isinstance(log, KafkaLog):
            log.close()


def _log(cluster: Cluster, topics: Topics) -> Log:
    match cluster:
        case KafkaCluster():
            return KafkaLog(cluster.settings, topics)
        case MemoryCluster():
            return BusLog(cluster.bus)
    raise TypeError(f"no way to read {cluster.name}")
