"""Many symbols at once say exactly what each says alone."""

from random import Random

import msgspec
import numpy as np
import pytest

from schemas.alerts import AlertCommand
from schemas.market import Kline
from streams.engine.bars import Floats
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from streams.engine.together import Together

START = 1_700_438_400_000
MINUTE = 60_000
SYMBOLS = 7


def candles(minutes: int, seed: int) -> Floats:
    dice = np.random.default_rng(seed)
    price = np.full(SYMBOLS, 100.0)
    found = np.empty((minutes, SYMBOLS, 5))
    for row in found:
        opened, price = price, np.round(price + dice.normal(0, 0.4, SYMBOLS), 1)
        row[:, 0], row[:, 3], row[:, 4] = opened, price, 1.0
        row[:, 1], row[:, 2] = np.maximum(opened, price) + 0.1, np.minimum(opened, price) - 0.1
    return found


def alerts(dice: Random, symbol: int) -> list[AlertCommand]:
    conditions = [
        "close > 101", "crosses(close, sma(5))", "ema(3) > 100 and low < 100.5", 'close("5m") < 99',
        "close / sma(4) > 1.002", "high > 102 or not rsi(3) < 60", "close > vwap()",
        'close > obv(anchor="day", timeframe="5m")',
        f"at({START + 90 * MINUTE + dice.randrange(3) * 20_000})",
    ]  # fmt: skip
    return [
        AlertCommand(
            alert_id=f"a{number}", user_id="u", symbol=f"S{symbol}", condition=condition,
            frequency=dice.choice(["once", "once_per_bar_close"]), debounce_bars=dice.choice([1, 1, 3]),
            when_true_at_arming="wait", expires_at_ms=dice.choice([None, None, START + 120 * MINUTE]),
        )
        for number, condition in enumerate(dice.sample(conditions, 4))
    ]  # fmt: skip


def engines(seed: int) -> list[SymbolEngine]:
    dice, made = Random(seed), []
    for symbol in range(SYMBOLS):
        engine = SymbolEngine(f"S{symbol}", Market(f"S{symbol}", capacity=60))
        for generation, command in enumerate(alerts(dice, symbol)):
            engine.on_alert(command, generation, START)
        made.append(engine)
    return made


def kline(symbol: int, minute: int, row: list[float]) -> Kline:
    o, h, low, c, v = row
    return Kline(
        symbol=f"S{symbol}", interval="1m", open_time_ms=START + minute * MINUTE, open=o, high=h, low=low, close=c,
        volume=v,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_together_they_say_what_each_says_alone(seed: int) -> None:
    dice, bars = Random(100 + seed), candles(900, seed)
    alone, lent = engines(seed), engines(seed)
    together = Together(lent)
    for minute in range(900):
        late = AlertCommand(
            alert_id="late",
            user_id="u",
            symbol="S3",
            condition="close < sma(9)",
            frequency="once_per_bar_close",
        )
        said: dict[int, list[bytes]] = {}
        if minute == 400:
            since = START + (minute - 5) * MINUTE
            said[3] = [msgspec.json.encode(one) for one in together.engine(3).on_alert(late, 50, since)]
            wanted = [msgspec.json.encode(one) for one in alone[3].on_alert(late, 50, since)]
            assert said.pop(3) == wanted
        if minute % 211 == 210 and dice.random() < 0.7:
            continue  # a minute that is missing
        for place, outputs in together.on_bars(START + minute * MINUTE, bars[minute], minute):
            said[place] = [msgspec.json.encode(one) for one in outputs]
        for symbol, engine in enumerate(alone):
            outputs = engine.on_kline(kline(symbol, minute, bars[minute, symbol].tolist()), minute)
            assert [msgspec.json.encode(one) for one in outputs] == said.get(symbol, [])
    for place, engine in enumerate(alone):
        other = together.engine(place)
        assert other.market.snapshot() == engine.market.snapshot()
        assert list(other.dirty_groups()) == list(engine.dirty_groups())


def test_bars_of_another_shape_or_an_older_record_are_refused() -> None:
    together = Together(engines(1))
    with pytest.raises(ValueError, match="shape"):
        list(together.on_bars(START, candles(1, 1)[0][:3], 0))
    list(together.on_bars(START, candles(1, 1)[0], 5))
    with pytest.raises(ValueError, match="after"):
        list(together.on_bars(START + MINUTE, candles(1, 1)[0], 5))
