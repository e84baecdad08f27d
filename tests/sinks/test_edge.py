"""What is refused before anything is decided."""

import pytest
from msgspec.structs import replace

from schemas.triggers import StaleCommand, Trigger
from sinks.executor.configs import decide_config
from sinks.executor.decision import Rules
from sinks.executor.edge import read, storable
from sinks.venues.paper import Paper
from tests.sinks.bots import TOPICS, bar, config_out, fire, golden, record_of
from topics.codec import encode
from topics.partitioner import partition_for
from topics.records import Record

HOME = partition_for(b"dip", TOPICS.partitions)


def trigger() -> Trigger:
    config = golden()
    bot = decide_config(None, config, record_of(config_out(config), 0), Rules(Paper())).bot
    assert bot is not None
    return fire(bot.groups["dip/BTCUSDT/entry"].command, bar(1, 100.0))


def carried(value: bytes, key: bytes = b"dip", partition: int = HOME) -> Record:
    return Record(TOPICS.triggers.name, partition, 0, 0, key, value)


def test_a_sound_trigger_passes() -> None:
    incoming = read(carried(encode(trigger())), TOPICS.triggers)
    assert incoming.refused is None
    assert incoming.bot_id == "dip"


@pytest.mark.parametrize(
    "change",
    [
        {"trigger_id": ""},
        {"trigger_id": "a\x00b"},
        {"trigger_id": "x" * 600},
        {"group_id": "dip/BTCUSDT/\x00"},
        {"bar": replace(bar(1, 100.0), low=0.0)},
        {"bar": replace(bar(1, 100.0), high=99.0)},
        {"bar": replace(bar(1, 100.0), close=-1.0, low=-1.0)},
        {"bar": replace(bar(1, 100.0), close_time_ms=5)},
        {"bar": replace(bar(1, 100.0), open_time_ms=253_402_300_680_000, close_time_ms=253_402_300_740_000)},
        {"generation": 2**53},  # the next one, which the answer needs, does not fit a command
    ],
)
def test_ids_no_database_can_hold_and_bars_that_are_none_are_refused(change) -> None:
    incoming = read(carried(encode(replace(trigger(), **change))), TOPICS.triggers)
    assert incoming.refused is not None
    assert incoming.refused.error_class == "Invalid"
    assert incoming.bot_id is None


def test_a_stale_command_with_a_broken_group_is_refused() -> None:
    stale = StaleCommand(
        group_id="dip/\x00", generation=1, bot_id="dip", user_id="alice", symbol="BTCUSDT", stale_generation=1
    )
    assert read(carried(encode(stale)), TOPICS.triggers).refused is not None


@pytest.mark.parametrize("value", [b"", b"{", b"null", b"\xff", b'{"type":"trigger"}', b'{"type":"nobody"}'])
def test_what_cannot_be_decoded_is_refused_with_its_class(value: bytes) -> None:
    incoming = read(carried(value), TOPICS.triggers)
    assert incoming.refused is not None
    assert incoming.refused.reason


def test_a_record_on_another_bots_partition_is_refused() -> None:
    astray = carried(encode(trigger()), partition=(HOME + 1) % TOPICS.partitions)
    incoming = read(astray, TOPICS.triggers)
    assert incoming.refused is not None
    assert incoming.refused.error_class == "WrongPartition"
    assert "murmur2" in incoming.refused.reason


@pytest.mark.parametrize("key, refused", [(b"dip", False), (b"a\x00", True), (b"", True), (b"x" * 70, True)])
def test_a_tombstone_needs_a_bots_key(key: bytes, refused: bool) -> None:
    record = Record(TOPICS.configs.name, partition_for(key, TOPICS.partitions), 0, 0, key, None)
    incoming = read(record, TOPICS.configs)
    assert (incoming.refused is not None) is refused


@pytest.mark.parametrize(
    "text, expected", [("a\x00b", "a\\x00b"), ("\ud800", "\\ud800"), ("plain é", "plain é")]
)
def test_reasons_are_made_storable(text: str, expected: str) -> None:
    assert storable(text) == expected


def test_a_stale_command_that_leaves_no_generation_above_it_is_refused() -> None:
    stale = StaleCommand(
        group_id="dip/BTCUSDT/entry", generation=2**53, bot_id="dip", user_id="alice", symbol="BTCUSDT",
        stale_generation=1,
    )  # fmt: skip
    assert read(carried(encode(stale)), TOPICS.triggers).refused is not None


@pytest.mark.parametrize("value", [encode(golden()), None])
@pytest.mark.parametrize("stamped", [2**62, 1_700_000_040_000_000_000])
def test_a_record_stamped_in_no_year_of_ours_is_refused(value: bytes | None, stamped: int) -> None:
    """Event time, and every instant counted from it, could not be written in any message."""
    incoming = read(Record(TOPICS.configs.name, HOME, 0, stamped, b"dip", value), TOPICS.configs)
    assert incoming.refused is not None
    assert incoming.refused.reason.startswith("timestamp")
