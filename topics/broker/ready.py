"""Asking a broker whether it is there."""

import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def answers(bootstrap: str, timeout: float) -> bool:
    """Whether a broker at `bootstrap` lists its cluster, itself included, within `timeout` seconds.

    The client retries by itself; a wrong host or a port nobody listens on costs the whole timeout.
    """
    quiet = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200}
    admin = AdminClient({"bootstrap.servers": bootstrap, **quiet})
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            if admin.list_topics(timeout=min(left, 2.0)).brokers:
                return True
        except KafkaException:
            time.sleep(0.02)
    return False
