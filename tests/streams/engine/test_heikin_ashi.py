"""Heikin-Ashi candles as price fields."""

import math

import numpy as np
import pytest

from schemas.conditions import Compare, Price, PriceField
from streams.engine.bars import BarArrays, Floats
from streams.engine.conditions.expression import parse, to_text
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.market.market import Market
from tests.streams.engine.candles import MINUTE, klines, walk
from tests.streams.engine.indicators.references import expected, needs_recordings, quotes
from tests.streams.engine.naive import heikin_ashi

FIELDS: tuple[PriceField, ...] = ("ha_open", "ha_high", "ha_low", "ha_close")


def live(ohlcv: Floats, programs: type[Program] = CompiledProgram) -> dict[str, Floats]:
    """What may fire, bar by bar."""
    market = Market("BTCUSDT", programs=programs)
    slots = {field: market.acquire(Price(field), "1m") for field in FIELDS}
    values: dict[str, list[float]] = {field: [] for field in FIELDS}
    for bar in klines(BarArrays(MINUTE * np.arange(len(ohlcv)), ohlcv)):
        market.apply(bar)
        for field, slot in slots.items():
            values[field].append(slot.frame.now[slot.column])
    return {field: np.array(found) for field, found in values.items()}


@pytest.mark.parametrize("programs", [CompiledProgram, SourceProgram])
def test_a_candle_is_made_of_the_bar_and_the_candle_before(programs: type[Program]) -> None:
    ohlcv = walk(300, seed=61, start=0.07, decimals=7).ohlcv
    wanted = heikin_ashi(ohlcv)
    for field, found in live(ohlcv, programs).items():
        known = np.isfinite(found)
        assert np.array_equal(found[known], np.array(wanted[field])[known])
        assert known[11:].all()


def test_they_may_fire_when_the_first_open_no_longer_matters() -> None:
    """Law 5: half of what came before is forgotten with every bar, so a thousandth is left after ten."""
    found = live(walk(30, seed=62).ohlcv)
    first = {field: int(np.flatnonzero(np.isfinite(values))[0]) for field, values in found.items()}
    assert first == {"ha_open": 10, "ha_high": 10, "ha_low": 10, "ha_close": 0}


def test_in_a_flat_market_every_one_is_the_price() -> None:
    flat = np.tile([0.07, 0.07, 0.07, 0.07, 1.0], (40, 1))
    assert {tuple(values[10:]) for values in live(flat).values()} == {(0.07,) * 30}


def test_they_are_written_like_other_prices() -> None:
    compare = parse('ha_close > ha_open("1h")[2]')
    assert compare == Compare("gt", Price("ha_close"), Price("ha_open", "1h", 2))
    assert parse(to_text(compare)) == compare


@needs_recordings
def test_stock_indicators() -> None:
    found = live(quotes())
    for field in FIELDS:
        ours, theirs = found[field], expected("heikinashi", field.removeprefix("ha_"))
        known = np.isfinite(ours)
        assert known.sum() > 480
        assert math.isclose(np.abs(ours - theirs)[known].max(), 0.0, abs_tol=1e-9)
