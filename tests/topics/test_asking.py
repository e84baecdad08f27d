"""Asking again, with a stand-in for the broker's answers."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from topics.asking import patiently


def _answers(*each: int | str) -> Callable[[], str]:
    left = list(each)

    def ask() -> str:
        answer = left.pop(0)
        if isinstance(answer, str):
            return answer
        raise KafkaException(KafkaError(answer))

    return ask


def test_a_leader_that_is_not_known_yet_is_asked_for_again() -> None:
    ask = _answers(KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, "there")
    assert patiently(ask) == "there"


def test_another_error_is_raised_at_once() -> None:
    with pytest.raises(KafkaException, match="UNKNOWN_TOPIC_OR_PART"):
        patiently(_answers(KafkaError.UNKNOWN_TOPIC_OR_PART, "never"))


def test_patience_ends() -> None:
    with pytest.raises(KafkaException, match="LEADER_NOT_AVAILABLE"):
        patiently(_answers(*[KafkaError.LEADER_NOT_AVAILABLE] * 3), timeout_s=0)
