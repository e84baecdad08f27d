"""Dead letters keep everything that is needed to understand a record, and to send it again."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.bus import MemoryBus
from topics.dead_letters import (
    MAX_HEADERS,
    MAX_KEY,
    MAX_VALUE,
    NotRevivable,
    dead_letter,
    read_dead_letter,
    revive,
)
from topics.records import Outgoing, Record
from topics.registry import Topics
from topics.spec import MIB

TOPICS = Topics()
RECEIVED = Record(
    TOPICS.klines.name,
    5,
    42,
    1_750_000_020_000,
    b"BTC\xff",
    b'{"broken',
    (("ce_id", b"1"), ("dlq.topic", b"x")),
)


def as_read(letter: Outgoing) -> Record:
    assert letter.partition is not None
    return Record(
        letter.topic, letter.partition, 0, letter.timestamp_ms, letter.key, letter.value, letter.headers
    )


def test_a_dead_letter_says_where_when_and_why() -> None:
    letter = dead_letter(RECEIVED, "NotJson", "truncated")
    assert letter == Outgoing(
        topic="market.klines.v1.dlq",
        key=b"BTC\xff",
        value=b'{"broken',
        timestamp_ms=1_750_000_020_000,
        headers=(
            ("dlq.topic", b"market.klines.v1"),
            ("dlq.partition", b"5"),
            ("dlq.offset", b"42"),
            ("dlq.timestamp", b"1750000020000"),
            ("dlq.error_class", b"NotJson"),
            ("dlq.reason", b"truncated"),
            ("dlq.header.ce_id", b"1"),
            ("dlq.header.dlq.topic", b"x"),
        ),
        partition=5,
    )


def test_it_is_read_back() -> None:
    letter = read_dead_letter(as_read(dead_letter(RECEIVED, "NotJson", "truncated")))
    assert letter == (RECEIVED, "NotJson", "truncated", False)


def test_it_is_sent_again_as_it_was() -> None:
    again = revive(as_read(dead_letter(RECEIVED, "NotJson", "truncated")))
    assert again == Outgoing(
        RECEIVED.topic, RECEIVED.key, RECEIVED.value, RECEIVED.timestamp_ms, RECEIVED.headers
    )


@given(
    st.none() | st.binary(max_size=20),
    st.none() | st.binary(max_size=50),
    st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=9)), max_size=4).map(tuple),
    st.text(max_size=40),
)
def test_any_small_record_survives(
    key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...], reason: str
) -> None:
    record = Record("t", 0, 0, 1, key, value, headers)
    letter = read_dead_letter(as_read(dead_letter(record, "Invalid", reason)))
    assert letter == (record, "Invalid", reason, False)


def test_a_value_beyond_the_limit_is_cut_and_named() -> None:
    value = b"\x00\xff" * MIB
    letter = dead_letter(RECEIVED._replace(value=value), "TooLarge", "2097152 bytes")
    told = dict(letter.headers)
    assert letter.value == value[:MAX_VALUE]
    assert told["dlq.value.length"] == b"2097152"
    assert told["dlq.value.sha256"] == sha256(value).hexdigest().encode()
    assert read_dead_letter(as_read(letter)).cut
    with pytest.raises(NotRevivable, match="was cut"):
        revive(as_read(letter))


def test_a_value_at_the_limit_is_whole() -> None:
    letter = dead_letter(RECEIVED._replace(value=b"x" * MAX_VALUE), "Invalid", "no object")
    assert letter.value == b"x" * MAX_VALUE
    assert not read_dead_letter(as_read(letter)).cut


def test_keys_and_headers_are_cut_too() -> None:
    headers = (("small", b"1"), ("large", b"x" * MAX_HEADERS), ("after", b"2"))
    letter = dead_letter(RECEIVED._replace(key=b"k" * 5_000, headers=headers), "BadKey", "long")
    told = dict(letter.headers)
    assert letter.key == b"k" * MAX_KEY
    assert told["dlq.key.length"] == b"5000"
    assert told["dlq.headers.length"] == b"%d" % (MAX_HEADERS + 17)
    assert told["dlq.header.small"] == b"1"
    assert "dlq.header.large" not in told
    assert read_dead_letter(as_read(letter)).cut


def test_the_largest_dead_letter_fits_its_topic() -> None:
    bus = MemoryBus(TOPICS.dlq(TOPICS.klines.name))
    headers = tuple((f"h{i}", b"x" * 1_000) for i in range(200))
    record = RECEIVED._replace(key=b"k" * MIB, value=b"v" * (3 * MIB), headers=headers)
    assert bus.append(dead_letter(record, "TooLarge", "é" * 2_000)) == (5, 0)


def test_a_reason_that_is_no_text_is_kept_readable() -> None:
    letter = dead_letter(RECEIVED, "Invalid", "bad \ud800 name")
    assert dict(letter.headers)["dlq.reason"] == b"bad \\ud800 name"


def test_a_timestamp_that_is_missing_is_remembered() -> None:
    letter = dead_letter(RECEIVED._replace(timestamp_ms=-1), "Invalid", "")
    assert letter.timestamp_ms == 0
    assert read_dead_letter(as_read(letter)).record.timestamp_ms == -1


@pytest.mark.parametrize(
    "headers", [(), (("dlq.topic", b"t"),), (("dlq.topic", b"\xff"), ("dlq.partition", b"x"))]
)
def test_another_record_is_no_dead_letter(headers: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(NotRevivable, match="no dead letter"):
        revive(Record("t.dlq", 0, 0, 0, b"", b"", headers))
