"""Decoding many klines at once says what decoding one by one says, whatever the records are."""

import random

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.market import Kline, Tick
from streams.feeds import recorded
from streams.feeds.recorded import Batch, Fetched, applied
from topics.codec import encode
from topics.records import Record
from topics.registry import Topics

SPEC = Topics("recorded", 2).klines
START = 1_750_000_020_000
MINUTE = 60_000


def kline(minute: int, symbol: str = "BTCUSDT", *, closed: bool = True) -> Kline:
    dice = random.Random(f"{minute}{symbol}")
    low, high = sorted((round(dice.uniform(1, 9), 4), round(dice.uniform(1, 9), 4)))
    return Kline(
        symbol=symbol, interval="1m", open_time_ms=START // MINUTE * MINUTE + minute * MINUTE, open=low, high=high,
        low=low, close=high, volume=float(minute), closed=closed, feed="f",
    )  # fmt: skip


def record(value: bytes | None, offset: int = 0, key: bytes = b"BTCUSDT") -> Record:
    return Record(SPEC.name, 0, offset, 0, key, value)


def bars_of(records: list[Record]) -> Batch:
    return recorded.closed_bars(Fetched.of(records), SPEC, "1m")


def test_bars_come_in_the_order_of_their_records_and_ticks_do_not_come() -> None:
    messages = [
        kline(0),
        Tick(symbol="BTCUSDT", feed="f", time_ms=START // MINUTE * MINUTE),
        kline(2),
        kline(1),
    ]
    batch = bars_of([record(encode(one), n) for n, one in enumerate(messages)])
    assert batch.refused == []
    assert batch.bars["volume"].to_list() == [0.0, 2.0, 1.0]
    assert batch.bars.schema == pl.Schema(recorded.COLUMNS)
    assert bars_of([]).bars.schema == pl.Schema(recorded.COLUMNS)


def test_what_cannot_be_decoded_is_named() -> None:
    batch = bars_of([record(encode(kline(0))), record(b"{", 7), record(None, 8)])
    assert batch.bars.height == 1
    assert [line.split(":")[0] for line in batch.refused] == [f"{SPEC.name}[0]@7", f"{SPEC.name}[0]@8"]


def test_forming_bars_and_other_intervals_are_left_out() -> None:
    fields = msgspec.structs.asdict(kline(0)) | {"interval": "2m", "open_time_ms": 1_750_000_080_000}
    messages = [kline(0), kline(1, closed=False), Kline(**fields)]
    for count in (2, 3):
        records = [record(encode(one)) for one in messages[:count]]
        assert bars_of(records).bars["volume"].to_list() == [0.0]


GOOD = encode(kline(3))
TWISTS = [
    GOOD,
    encode(kline(4)),
    encode(kline(5, closed=False)),
    encode(Tick(symbol="BTCUSDT", feed="f", time_ms=START // MINUTE * MINUTE)),
    GOOD.replace(b'"open":', b'"open" :'),
    GOOD.replace(b'{"type"', b'{"open":5.0,"type"'),
    GOOD.replace(b'{"type"', b'{"extra":5.0,"type"'),
    GOOD.replace(b'"volume":3.0', b'"volume":3'),
    GOOD.replace(b'"volume":3.0', b'"volume":"3"'),
    GOOD.replace(b'"volume":3.0', b'"volume":-3.0'),
    GOOD.replace(b'"volume":3.0', b'"volume":1e400'),
    GOOD.replace(b'"volume":3.0', b'"volume":NaN'),
    GOOD.replace(b'"volume":3.0', b'"volume":null'),
    GOOD.replace(b'"volume":3.0,', b""),
    GOOD.replace(b"0000,", b"0000.0,"),
    GOOD.replace(b"0000,", b"0001,"),
    GOOD.replace(b'"1m"', b'"1m\\n"'),
    GOOD.replace(b'"BTCUSDT"', b'"btcusdt"'),
    GOOD.replace(b'"BTCUSDT"', b'"ETHUSDT"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"\xff"'),
    GOOD.replace(b'"feed":"f"', '"feed":"\u00e9"'.encode()),
    GOOD.replace(b'"feed":"f"', b'"feed":null'),
    GOOD.replace(b'"feed":"f"', b'"feed":"a\\":b"'),
    GOOD.replace(b'"feed":"f"', b'"closed":1'),
    GOOD.replace(b'"feed":"f"', b'"closed":false'),
    GOOD.replace(b'"feed":"f"', b'"time_ms":5'),
    GOOD.replace(b'"type":"kline"', b'"type":"tick"'),
    GOOD.replace(b",", b",\n", 1),
    GOOD + b"\n" + GOOD,
    b" " + GOOD + b" ",
    b"", b"{}", b"[]", b"null", b"\n",
]  # fmt: skip


@pytest.mark.parametrize("value", TWISTS, ids=range(len(TWISTS)))
def test_each_twist_means_what_the_codec_says(value: bytes) -> None:
    records = [record(GOOD), record(value, 1)]
    assert_same(records)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TWISTS), min_size=1, max_size=6))
def test_any_mixture_means_what_the_codec_says(values: list[bytes]) -> None:
    assert_same([record(value, offset) for offset, value in enumerate(values)])


def assert_same(records: list[Record]) -> None:
    said, wanted = bars_of(records), recorded._one_by_one(records, SPEC, "1m")
    assert said.bars.equals(wanted.bars)
    assert said.refused == wanted.refused


def test_good_records_go_the_quick_way() -> None:
    records = [record(encode(kline(n)), n) for n in range(50)]
    quick = recorded._together(Fetched.of(records), SPEC, "1m")
    assert quick is not None
    assert quick.equals(recorded._one_by_one(records, SPEC, "1m").bars)


def test_of_a_bar_that_comes_twice_the_first_counts_and_a_late_one_does_not() -> None:
    bars = pl.DataFrame(
        [
            ("A", 0, 1.0), ("B", 60, 1.0), ("A", 60, 2.0), ("A", 60, 9.0), ("A", 180, 3.0), ("A", 120, 4.0),
            ("B", 0, 5.0), ("A", 0, 7.0),
        ],
        schema=["symbol", "open_time", "close"], orient="row",
    )  # fmt: skip
    found = applied(bars)
    assert found.bars.rows() == [("A", 0, 1.0), ("A", 60, 2.0), ("B", 60, 1.0), ("A", 180, 3.0)]
    assert (found.duplicates, found.late) == (2, 2)
