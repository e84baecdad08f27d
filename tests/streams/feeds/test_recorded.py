"""What is read of a topic is what the codec and law 2 say of its records one by one, however they are spelled."""

import random
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.market import Kline, Tick
from streams.engine.bars import ROW_WIDTH
from streams.feeds.reader import Reader, address
from streams.feeds.recorded import Fetched, Recorded
from streams.feeds.spelling import UNREAD
from topics.codec import Undecodable, decode, encode
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


def record(value: bytes | None, offset: int = 0, key: bytes | None = b"BTCUSDT") -> Record:
    return Record(SPEC.name, 0, offset, 0, key, value)


def told(*messages: Kline | Tick) -> list[Record]:
    return [record(encode(one), at, one.symbol.encode()) for at, one in enumerate(messages)]


class Seen(NamedTuple):
    """`bars` by symbol, each (open, high, low, close, volume, open time)."""

    bars: dict[str, list[tuple[float, ...]]]
    duplicates: int
    late: int
    undecodable: int
    refused: list[str]


def taken(*batches: list[Record], symbols: tuple[str, ...] = ()) -> Seen:
    recorded = Recorded(SPEC, "1m", symbols)
    for records in batches:
        recorded.take(Fetched.of(records))
    bars = recorded.bars()
    rows = {symbol: [tuple(row) for row in columns.T.tolist()] for symbol, columns in bars.items()}
    return Seen(rows, *recorded.left_out(bars), recorded.undecodable, recorded.refused)


def one_by_one(records: list[Record]) -> Seen:
    """The same by the codec and law 2, word for word."""
    bars: dict[str, list[tuple[float, ...]]] = {}
    refused, stale = [], []
    for one in records:
        try:
            message = decode(one, SPEC)
        except Undecodable as wrong:
            refused.append(f"{one.address}: {wrong}")
            continue
        if not isinstance(message, Kline) or not message.closed or message.interval != "1m":
            continue
        time_ms, own = message.open_time_ms, bars.setdefault(message.symbol, [])
        if own and time_ms <= own[-1][-1]:
            stale.append(any(time_ms == bar[-1] for bar in own))
        else:
            own.append((message.open, message.high, message.low, message.close, message.volume, time_ms))
    return Seen(bars, stale.count(True), stale.count(False), len(refused), refused[:20])


def unread(values: list[bytes], known: tuple[str, ...] = ("BTCUSDT",), key: bytes = b"BTCUSDT") -> list[int]:
    """Which of records with that key are left to the codec, once their symbol is known."""
    reader = Reader("1m", SPEC.max_value_bytes)
    for symbol in known:
        reader.number(symbol)
    rows, ids, kinds = (
        np.empty((len(values), ROW_WIDTH)),
        np.empty(len(values), np.int32),
        np.empty(len(values), np.int8),
    )
    reader.read(values, [key] * len(values), address(rows), address(ids), address(kinds))
    return np.flatnonzero(kinds == UNREAD).tolist()


def test_bars_come_in_the_order_of_their_records_and_ticks_do_not_come() -> None:
    tick = Tick(symbol="BTCUSDT", feed="f", time_ms=START // MINUTE * MINUTE)
    messages: list[Kline | Tick] = [kline(0), kline(0, "ETHUSDT"), tick, kline(2), kline(1, "ETHUSDT")]
    seen = taken(told(*messages[:3]), [], told(*messages[3:]))
    assert {symbol: [bar[4] for bar in bars] for symbol, bars in seen.bars.items()} == {
        "BTCUSDT": [0.0, 2.0], "ETHUSDT": [0.0, 1.0],
    }  # fmt: skip
    assert taken([]).bars == {}


def test_what_cannot_be_decoded_is_named() -> None:
    seen = taken([*told(kline(0)), record(b"{", 7), record(None, 8), record(encode(kline(1)), 9, None)])
    assert len(seen.bars["BTCUSDT"]) == 1
    assert [line.split(":")[0] for line in seen.refused] == [f"{SPEC.name}[0]@{n}" for n in (7, 8, 9)]


def test_of_what_cannot_be_decoded_the_first_is_named_and_all_is_counted() -> None:
    seen = taken(*[[record(b"{", n)] for n in range(30)])
    assert seen.undecodable == 30
    assert seen.refused[-1].startswith(f"{SPEC.name}[0]@19:")


def test_forming_bars_and_other_intervals_are_left_out() -> None:
    fields = msgspec.structs.asdict(kline(0)) | {"interval": "2m", "open_time_ms": 1_750_000_080_000}
    messages: list[Kline | Tick] = [kline(0), kline(1, closed=False), Kline(**fields)]
    for count in (2, 3):
        assert [bar[4] for bar in taken(told(*messages[:count])).bars["BTCUSDT"]] == [0.0]


def test_symbols_nobody_asked_for_are_left_out_and_not_counted() -> None:
    records = told(kline(1), kline(1, "ETHUSDT"), kline(1), kline(0, "ETHUSDT"))
    seen = taken(records, records, symbols=("BTCUSDT",))
    assert list(seen.bars) == ["BTCUSDT"]
    assert (seen.duplicates, seen.late) == (3, 0)


def test_of_a_bar_that_comes_twice_the_first_counts_and_a_late_one_does_not() -> None:
    a, b = "AUSDT", "BUSDT"
    first = [kline(0, a), kline(1, b), kline(1, a), kline(1, a), kline(3, a)]
    then = [kline(2, a), kline(0, b), kline(0, a), kline(4, a)]
    seen = taken(told(*first), told(*then))
    assert [bar[4] for bar in seen.bars[a]] == [0.0, 1.0, 3.0, 4.0]
    assert [bar[4] for bar in seen.bars[b]] == [1.0]
    assert (seen.duplicates, seen.late) == (2, 2)


def test_more_symbols_and_more_bars_than_there_was_room_for() -> None:
    names = [f"{'X' * (n % 25)}{n}" for n in range(600)]
    batches = [told(*(kline(minute, name) for name in names)) for minute in range(120)]
    seen = taken(*batches)
    assert seen.bars == one_by_one([one for batch in batches for one in batch]).bars
    assert sum(map(len, seen.bars.values())) == 72_000


GOOD = encode(kline(3))
TICK = encode(Tick(symbol="BTCUSDT", feed="f", time_ms=START // MINUTE * MINUTE))
TWISTS = [
    GOOD,
    encode(kline(4)),
    encode(kline(2)),
    encode(kline(5, closed=False)),
    TICK,
    GOOD.replace(b'"open":', b'"open" :'),
    GOOD.replace(b'{"type"', b'{"open":5.0,"type"'),
    GOOD.replace(b'{"type"', b'{"extra":5.0,"type"'),
    GOOD.replace(b'"volume":3.0', b'"volume":3'),
    GOOD.replace(b'"volume":3.0', b'"volume":"3"'),
    GOOD.replace(b'"volume":3.0', b'"volume":-3.0'),
    GOOD.replace(b'"volume":3.0', b'"volume":-0.0'),
    GOOD.replace(b'"volume":3.0', b'"volume":03.0'),
    GOOD.replace(b'"volume":3.0', b'"volume":3.'),
    GOOD.replace(b'"volume":3.0', b'"volume":.3'),
    GOOD.replace(b'"volume":3.0', b'"volume":3.0e0'),
    GOOD.replace(b'"volume":3.0', b'"volume":1e400'),
    GOOD.replace(b'"volume":3.0', b'"volume":NaN'),
    GOOD.replace(b'"volume":3.0', b'"volume":null'),
    GOOD.replace(b'"volume":3.0,', b""),
    GOOD.replace(b'"volume":3.0,', b'"volume":3.0,,'),
    GOOD.replace(b"0000,", b"0000.0,"),
    GOOD.replace(b"0000,", b"0001,"),
    GOOD.replace(b"0000,", b"0000000000000000,"),
    GOOD.replace(b'"open_time_ms":', b'"open_time_ms":0'),
    GOOD.replace(b'"open_time_ms":', b'"open_time_ms":-'),
    GOOD.replace(b'"1m"', b'"1m\\n"'),
    GOOD.replace(b'"1m"', b'"2m"'),
    GOOD.replace(b'"BTCUSDT"', b'"btcusdt"'),
    GOOD.replace(b'"BTCUSDT"', b'"ETHUSDT"'),
    GOOD.replace(b'"BTCUSDT"', b'"BTCUSD"'),
    GOOD.replace(b'"BTCUSDT"', b'"BTCUSDT2"'),
    GOOD.replace(b'"BTCUSDT"', b'"BTCUSDT.BINANCE:PERPETUAL-FUTURE.1"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"\xff"'),
    GOOD.replace(b'"feed":"f"', '"feed":"\u00e9"'.encode()),
    GOOD.replace(b'"feed":"f"', b'"feed":"\\u00e9"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"a\tb"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"' + b"long" * 100 + b'"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"no end'),
    GOOD.replace(b'"feed":"f"', b'"feed":null'),
    GOOD.replace(b'"feed":"f"', b'"feed":"a\\":b"'),
    GOOD.replace(b'"feed":"f"', b'"feed":"\x7f /~"'),
    GOOD.replace(b',"feed":"f"', b""),
    GOOD.replace(b'"feed":"f"', b'"closed":1'),
    GOOD.replace(b'"feed":"f"', b'"closed":false'),
    GOOD.replace(b'"feed":"f"', b'"closed":true'),
    GOOD.replace(b'"feed":"f"', b'"feed":"f","closed":false'),
    GOOD.replace(b'"feed":"f"', b'"time_ms":5'),
    GOOD.replace(b'"type":"kline"', b'"type":"tick"'),
    GOOD.replace(b",", b",\n", 1),
    GOOD[:-1],
    GOOD + b"\n" + GOOD,
    GOOD + b"\n",
    GOOD + b" ",
    b" " + GOOD + b" ",
    TICK.replace(b'"feed":"f",', b""),
    TICK.replace(b"0000}", b"0001}"),
    TICK.replace(b"}", b',"interval":"1m"}'),
    TICK.replace(b"}", b',"interval":"2m"}'),
    TICK.replace(b"}", b"}}"),
    b"", b"{}", b"[]", b"null", b"\n", b'"', b'{"type":"kline","symbol":"BTCUSDT',
]  # fmt: skip


def assert_same(records: list[Record]) -> None:
    first = told(kline(0))  # its symbol is known from then on
    seen, wanted = taken(first, records), one_by_one(first + records)
    assert seen == wanted
    assert [str(bar) for bar in seen.bars["BTCUSDT"]] == [
        str(tuple(map(float, bar))) for bar in wanted.bars["BTCUSDT"]
    ]


@pytest.mark.parametrize("value", TWISTS, ids=range(len(TWISTS)))
def test_each_twist_means_what_the_codec_says(value: bytes) -> None:
    assert_same([record(value)])
    assert_same([record(GOOD), record(value, 1), record(encode(kline(9)), 2)])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*TWISTS, None]), min_size=1, max_size=6))
def test_any_mixture_means_what_the_codec_says(values: list[bytes | None]) -> None:
    assert_same([record(value, offset) for offset, value in enumerate(values)])


KEYS = [b"", b"BTCUSD", b"BTCUSDT2", b"BTCUSDT\n", b"ETHUSDT", b"BTCUSDT\nBTCUSDT", b"\xff", None]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_wrong_key_is_refused_whatever_stands_around_it(key: bytes | None) -> None:
    assert_same([record(GOOD), record(encode(kline(4)), 1, key), record(encode(kline(5)), 2)])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_one_byte_changed_means_what_the_codec_says(at: int, byte: int, tick: bool) -> None:
    value = bytearray(TICK if tick else GOOD)
    value[at % len(value)] = byte
    assert_same([record(bytes(value)), record(encode(kline(9)), 1)])


NUMBERS = st.one_of(
    st.floats(min_value=0, exclude_min=True, allow_infinity=False).map(repr),
    st.floats(min_value=1e-7, max_value=1e9).map(lambda x: f"{x:.8f}"),
    st.from_regex(r"(0|[1-9][0-9]{0,18})(\.[0-9]{1,20})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{0,4}\.?[0-9]{0,4}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_a_number_is_the_float_that_the_codec_makes_of_it(numbers: list[str]) -> None:
    texts = [
        b'{"type":"kline","symbol":"BTCUSDT","interval":"1m","open_time_ms":%d,' % (MINUTE * n)
        + b",".join(
            b'"%b":%b' % (name, number.encode()) for name in (b"open", b"high", b"low", b"close", b"volume")
        )
        + b"}"
        for n, number in enumerate(numbers)
    ]
    records = [record(text, n) for n, text in enumerate(texts)]
    seen, wanted = taken(told(kline(0, "ETHUSDT")), records), one_by_one(records)
    assert seen.refused == wanted.refused
    got, want = (one.bars.get("BTCUSDT", []) for one in (seen, wanted))
    assert [list(map(float.hex, map(float, bar))) for bar in got] == [
        list(map(float.hex, map(float, bar))) for bar in want
    ]


def test_what_our_encoder_writes_goes_the_quick_way() -> None:
    messages: list[Kline | Tick] = [kline(n, closed=n % 5 != 0) for n in range(50)]
    messages += [Tick(symbol="BTCUSDT", feed="f", time_ms=MINUTE), msgspec.structs.replace(kline(1), feed="")]
    assert unread([encode(one) for one in messages]) == []
    assert unread(
        [GOOD.replace(b"3.0", b"9007199254740991"), GOOD.replace(b"3.0", b"0.12345678901234567")]
    ) == [1]
    assert unread([GOOD, GOOD], known=("ETHUSDT",)) == [0, 1]
    assert unread([GOOD, GOOD + b" ", GOOD]) == [1]


def test_symbols_of_every_length_go_the_quick_way() -> None:
    """A word of the hash ends where the name does: DOGEUSDT has eight letters, and its quote is the next word's."""
    names = ["0123456789ABCDEFGHIJKLMNOPQRSTUV"[:length] for length in range(1, 33)]
    assert [unread([encode(kline(1, name))], tuple(names), name.encode()) for name in names] == [[]] * len(
        names
    )
