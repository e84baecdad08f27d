"""One key, one partition, whoever computes it."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from topics.partitioner import murmur2, partition_for

VECTORS: Final = Path(__file__).parents[3] / "shared/data/kafka/partition_vectors.json"

JAVA: Final = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}
"""Those of `UtilsTest.testMurmur2` in Apache Kafka."""


@pytest.mark.parametrize("text, expected", JAVA.items())
def test_the_hash_is_javas(text: str, expected: int) -> None:
    assert murmur2(text.encode()) == expected


@pytest.mark.parametrize("length", range(9))
def test_every_length_of_the_tail_counts(length: int) -> None:
    """Appending a zero byte changes the hash, though the words read from it are the same."""
    assert murmur2(b"\x01" * length) != murmur2(b"\x01" * length + b"\x00")


@given(st.binary(max_size=64))
def test_the_hash_is_a_signed_32_bit_number(key: bytes) -> None:
    assert -(2**31) <= murmur2(key) < 2**31


@given(st.binary(max_size=64), st.integers(1, 200))
def test_partitions_are_aiokafkas(key: bytes, count: int) -> None:
    theirs = DefaultPartitioner()(key, list(range(count)), list(range(count)))
    assert partition_for(key, count) == theirs


def test_keys_spread_over_all_partitions() -> None:
    counts = [0] * 12
    for i in range(12_000):
        counts[partition_for(b"SYM%dUSDT" % i, 12)] += 1
    assert min(counts) > 850
    assert max(counts) < 1_150


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip(f"no shared data beside the checkout: {VECTORS.name} is missing")
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


@pytest.mark.shared
def test_recorded_vectors_hold(vectors: dict[str, Any]) -> None:
    assert vectors["java_utils_test_vectors"] == JAVA
    for symbol, recorded in vectors["symbols"].items():
        assert murmur2(symbol.encode()) == recorded["murmur2"], symbol
        for count, partition in recorded["murmur2_partition"].items():
            assert partition_for(symbol.encode(), int(count)) == partition, (symbol, count)


@pytest.mark.shared
def test_librdkafkas_default_would_put_most_symbols_elsewhere(vectors: dict[str, Any]) -> None:
    """Why every producer must be told its partitioner."""
    symbols = vectors["symbols"].values()
    moved = sum(symbol["crc32_partition"]["12"] != symbol["murmur2_partition"]["12"] for symbol in symbols)
    assert moved > len(symbols) / 2
