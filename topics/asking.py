"""Asking a broker again while it does not know yet."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

_AGAIN_S: Final = 0.05
# Leaders and coordinators are named a moment before they know of it: when topics are new, or a broker is.
_NOT_YET: Final = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)


def patiently(ask: Callable[[], T], timeout_s: float = 30.0) -> T:
    """The answer to `ask`, asked for again while nobody is ready to give it. Raises KafkaException."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
