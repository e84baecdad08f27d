"""Rows: of two values of a key the newer counts, not the later."""

import pytest

from streams.holds import Holds
from streams.rows import GroupEntry, PartitionEntry, RowUnreadable, decode_row, encode_row, group_key
from streams.store import RowStore


def entry(generation: int, pos: int) -> GroupEntry:
    return GroupEntry("AAA", generation, pos, 0, None, b"body")


def test_the_higher_generation_then_the_higher_position_is_kept() -> None:
    store, key = RowStore(), group_key("AAA", "g")
    for generation, pos in ((1, 5), (2, 3), (1, 9), (2, 4), (2, 1)):
        store.load("groups", 0, key, encode_row(entry(generation, pos)))
    assert store.rows("groups", 0)[key].entry == entry(2, 4)
    assert [k for k, _ in store.overshadowed("groups", 0)] == [key]


def test_a_value_read_again_after_older_ones_is_not_overshadowed_any_more() -> None:
    store, key = RowStore(), b"k"
    for pos in (5, 3, 5):
        store.load("groups", 0, key, encode_row(entry(1, pos)))
    assert store.overshadowed("groups", 0) == []


def test_a_lost_partition_is_forgotten_whole_and_a_null_value_purges() -> None:
    store = RowStore()
    for partition in (0, 1):
        store.load("groups", partition, b"a", encode_row(entry(1, 1)))
    store.load("groups", 1, b"a", None)
    store.forget("groups", [0])
    assert store.rows("groups", 0) == {}
    assert store.rows("groups", 1) == {}


def test_a_row_of_another_format_stops_the_process() -> None:
    row = PartitionEntry((1, 2, 3), {"AAA": 4})
    assert decode_row("partitions", b"partition", encode_row(row)) == row
    for older_or_newer in (b"\x01", b"\x09"):
        with pytest.raises(RowUnreadable, match=f"format {older_or_newer.hex()}"):
            decode_row("partitions", b"partition", older_or_newer + encode_row(row)[1:])
    with pytest.raises(RowUnreadable):
        decode_row("groups", b"k", b"\x02\x91")


def test_the_oldest_hold_counts_until_it_is_answered_or_given_up() -> None:
    holds = Holds()
    for name, at in (("a", 30), ("b", 10), ("c", 20)):
        holds.hold(name, at)
    seen = [holds.oldest_ms]
    holds.answered("b")
    holds.answered("unknown")
    seen.append(holds.oldest_ms)
    holds.hold("c", 40)
    assert [*seen, holds.oldest_ms] == [10, 20, 30]
    assert holds.since("a") == 30


def test_what_was_given_up_stays_held_but_is_waited_for_no_more() -> None:
    holds = Holds()
    holds.hold("a", 30)
    holds.give_up()
    assert holds.oldest_ms is None
    assert holds.since("a") == 30
    holds.hold("b", 50)
    assert holds.oldest_ms == 50
