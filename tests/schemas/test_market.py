"""Klines and ticks: what a feed may say, and what is refused with the field's name."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.market import Kline, Tick

GOOD: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "interval": "1m",
    "open_time_ms": 1_750_000_020_000,
    "open": 100.0,
    "high": 102.0,
    "low": 99.0,
    "close": 101.0,
    "volume": 5.0,
}


def on_the_wire(**changes: Any) -> bytes:
    return msgspec.json.encode({"type": "kline", **GOOD, **changes})


def test_a_good_bar_is_itself() -> None:
    bar = Kline(**GOOD)
    assert bar.closed
    assert bar.close_time_ms == bar.open_time_ms + 60_000
    assert msgspec.json.decode(msgspec.json.encode(bar), type=Kline) == bar


def test_a_flat_bar_without_volume_is_good() -> None:
    assert Kline(**GOOD | {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 0.0}).volume == 0.0


def test_whole_numbers_are_prices_too() -> None:
    bar = msgspec.json.decode(on_the_wire(open=100, high=102, low=99, close=101, volume=0), type=Kline)
    assert (bar.open, type(bar.open)) == (100.0, float)


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [0.0, -0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_price_is_positive_and_finite(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        Kline(**GOOD | {field: value})


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
def test_a_volume_is_a_finite_amount(value: float) -> None:
    with pytest.raises(ValueError, match=r"^volume: "):
        Kline(**GOOD | {"volume": value})


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"high": 98.0}, "^high: 98.0 is below low 99.0"),
        ({"open": 103.0}, "^open, close: 103.0, 101.0 lie outside"),
        ({"open": 98.0}, "^open, close: "),
        ({"close": 102.5}, "^open, close: "),
        ({"close": 98.5}, "^open, close: "),
        ({"open_time_ms": 1_750_000_020_001}, "^open_time_ms: 1750000020001 is not where a bar of 1m opens"),
        ({"interval": "5m"}, "^open_time_ms: 1750000020000 is not where a bar of 5m opens"),
        ({"interval": "1w", "open_time_ms": 0}, "^open_time_ms: "),  # a Thursday
        ({"interval": "1M"}, "no interval"),
        ({"interval": "1m\n"}, "no interval"),
        ({"symbol": "btcusdt"}, "^symbol: 'btcusdt'"),
        ({"symbol": "BTCUSDT\n"}, "^symbol: "),
        ({"symbol": ""}, "^symbol: "),
        ({"symbol": "-BTC"}, "^symbol: "),
    ],
)
def test_what_cannot_be_a_bar_is_refused_by_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Kline(**GOOD | changes)


def test_a_weekly_bar_opens_on_monday() -> None:
    monday = 4 * 86_400_000
    assert Kline(**GOOD | {"interval": "1w", "open_time_ms": monday}).close_time_ms == monday + 7 * 86_400_000


@pytest.mark.parametrize(
    "changes, path",
    [
        ({"open": "100"}, r"\$\.open"),
        ({"open": None}, r"\$\.open"),
        ({"open": True}, r"\$\.open"),
        ({"open_time_ms": -60_000}, r"\$\.open_time_ms"),
        ({"open_time_ms": "0"}, r"\$\.open_time_ms"),
        ({"open_time_ms": 1.5}, r"\$\.open_time_ms"),
        ({"open_time_ms": 253_402_300_800_000}, r"\$\.open_time_ms"),
        ({"closed": 1}, r"\$\.closed"),
        ({"symbol": 7}, r"\$\.symbol"),
        ({"symbol": "B" * 33}, r"\$\.symbol"),
        ({"interval": "100000m"}, r"\$\.interval"),
        ({"high": 1.0}, "high: 1.0 is below low"),
    ],
)
def test_decoding_is_strict_and_names_the_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=path):
        msgspec.json.decode(on_the_wire(**changes), type=Kline)


@pytest.mark.parametrize("field", sorted(GOOD))
def test_no_field_of_a_bar_may_be_missing(field: str) -> None:
    raw = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field}`"):
        msgspec.json.decode(msgspec.json.encode({"type": "kline", **raw}), type=Kline)


def test_unknown_fields_are_ignored() -> None:
    assert msgspec.json.decode(on_the_wire(trades=7, nested={"a": [1]}), type=Kline) == Kline(**GOOD)


def test_another_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'trade'"):
        msgspec.json.decode(on_the_wire(type="trade"), type=Kline)


@given(st.lists(st.floats(min_value=1e-8, max_value=1e12), min_size=4, max_size=4), st.floats(0, 1e15))
def test_every_possible_bar_survives_the_wire(prices: list[float], volume: float) -> None:
    low, a, b, high = sorted(prices)
    bar = Kline(**GOOD | {"open": a, "high": high, "low": low, "close": b, "volume": volume})
    assert msgspec.json.decode(msgspec.json.encode(bar), type=Kline) == bar


def test_a_tick_names_a_boundary() -> None:
    assert Tick(symbol="BTCUSDT", feed="sim", time_ms=120_000).interval == "1m"


@pytest.mark.parametrize("time_ms, interval", [(120_001, "1m"), (120_000, "5m")])
def test_a_tick_off_the_boundary_is_refused(time_ms: int, interval: str) -> None:
    with pytest.raises(ValueError, match=r"^time_ms: "):
        Tick(symbol="BTCUSDT", feed="sim", time_ms=time_ms, interval=interval)
