"""The engine against its peers, all laws on: indicators, a million alerts, a million levels.

python bench/engine.py [--json] [--quick]

CPU seconds of one process on one core, every peer in the same run. `--quick`: a tenth of the alerts and of the rounds.
"""

import argparse
import gc
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import ta
import talipp.indicators as tl
from numpy.typing import NDArray
from talipp.ohlcv import OHLCV

from schemas.alerts import AlertCommand
from schemas.market import Kline
from streams.engine.groups.unit_rows import GroupRow
from streams.engine.market.market import Market, warm_up
from streams.engine.symbol import SymbolEngine
from streams.engine.together import Together
from streams.warm import calm_collector

SYMBOLS: Final = 500
START: Final = 1_700_438_400_000
MINUTE: Final = 60_000
WARM: Final = 400
EIGHT: Final = (
    "sma(20)", "ema(20)", "rsi(14)", "macd(26, 12, 9).macd_diff", "bollinger(20).hband", "atr(14)",
    "stochastic(14).stoch_signal", "ema(50)",
)  # fmt: skip
OPERANDS: Final = (
    ("close", 97.0, 103.0), ("sma(20)", 97.0, 103.0), ("ema(20)", 97.0, 103.0), ("rsi(14)", 5.0, 95.0),
    ("macd(26, 12, 9).macd_diff", -0.3, 0.3), ("bollinger(20).hband", 97.0, 103.0), ("atr(14)", 0.0, 0.5),
    ("stochastic(14).stoch", 0.0, 100.0), ("stochastic(14).stoch_signal", 0.0, 100.0), ("ema(50)", 97.0, 103.0),
)  # fmt: skip

Floats = NDArray[np.float64]


class Row(NamedTuple):
    """One claim; `goal` is on the ratio to the peer, or None."""

    name: str
    value: float
    unit: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def bars(symbols: int, minutes: int, seed: int = 5) -> Floats:
    """float64[minutes, symbols, 5]: random walks that return to 100."""
    dice = np.random.default_rng(seed)
    price = np.full(symbols, 100.0)
    found = np.empty((minutes, symbols, 5))
    for minute in range(minutes):
        opened = price
        price = np.round(price * (1 + dice.normal(0, 0.0006, symbols)) + (100 - price) * 0.002, 4)
        wick = np.round(np.abs(dice.normal(0, 0.02, (2, symbols))), 4)
        found[minute, :, 0] = opened
        found[minute, :, 1] = np.maximum(opened, price) + wick[0]
        found[minute, :, 2] = np.minimum(opened, price) - wick[1]
        found[minute, :, 3] = price
        found[minute, :, 4] = 1.0 + minute % 7
    return found


def klines(symbol: str, rows: Floats) -> list[Kline]:
    return [
        Kline(
            symbol=symbol, interval="1m", open_time_ms=START + minute * MINUTE, open=o, high=h, low=low, close=c,
            volume=v,
        )
        for minute, (o, h, low, c, v) in enumerate(rows.tolist())
    ]  # fmt: skip


def alert(name: str, symbol: str, condition: str) -> AlertCommand:
    return AlertCommand(
        alert_id=name, user_id="u", symbol=symbol, condition=condition, frequency="once_per_bar_close",
        when_true_at_arming="wait",
    )  # fmt: skip


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# --- indicators -------------------------------------------------------------------------------------------------------


def talipp_eight() -> list[Any]:
    return [
        tl.SMA(20), tl.EMA(20), tl.RSI(14), tl.MACD(12, 26, 9), tl.BB(20, 2.0), tl.ATR(14), tl.Stoch(14, 3), tl.EMA(50)
    ]  # fmt: skip


def feed_talipp(indicators: list[Any], rows: list[list[float]]) -> None:
    for o, h, low, c, v in rows:
        bar = OHLCV(o, h, low, c, v)
        for indicator in indicators:
            indicator.add(bar if isinstance(indicator, tl.ATR | tl.Stoch) else c)


def ta_eight(frame: "pd.DataFrame") -> list[float]:
    """All eight at the newest bar, as a poller computes them over its window."""
    close, high, low = frame["close"], frame["high"], frame["low"]
    series = [
        ta.trend.sma_indicator(close, 20), ta.trend.ema_indicator(close, 20), ta.momentum.rsi(close, 14),
        ta.trend.macd_diff(close, 26, 12, 9), ta.volatility.bollinger_hband(close, 20),
        ta.volatility.average_true_range(high, low, close, 14), ta.momentum.stoch_signal(high, low, close, 14, 3),
        ta.trend.ema_indicator(close, 50),
    ]  # fmt: skip
    return [float(one.iloc[-1]) for one in series]


def engine_with(symbol: str, conditions: list[str]) -> SymbolEngine:
    engine = SymbolEngine(symbol, Market(symbol))
    for number, condition in enumerate(conditions):
        engine.on_alert(alert(f"{symbol}-{number}", symbol, condition), number, START)
    return engine


def indicators(quick: bool) -> list[Row]:
    """Eight indicators: a batch of 500 symbols, and one kline through the engine's own call."""
    minutes = 200 if quick else 1_000
    found = bars(SYMBOLS, WARM + minutes)
    engines = [engine_with(f"S{n}", [f"{operand} < -1000000" for operand in EIGHT]) for n in range(SYMBOLS)]
    together = Together(engines)
    for minute in range(WARM):
        list(together.on_bars(START + minute * MINUTE, found[minute], minute))

    def batch() -> None:
        for minute in range(WARM, WARM + minutes):
            for _ in together.on_bars(START + minute * MINUTE, found[minute], minute):
                raise AssertionError("nothing may fire")

    ours = cpu(batch) / (minutes * SYMBOLS)

    alone = engine_with("S0", [f"{operand} < -1000000" for operand in EIGHT])
    stream = klines("S0", bars(1, WARM + 20_000, seed=6)[:, 0])
    for pos in range(WARM):
        alone.on_kline(stream[pos], pos)

    def one_by_one() -> None:
        for pos in range(WARM, len(stream)):
            alone.on_kline(stream[pos], pos)

    live = cpu(one_by_one) / (len(stream) - WARM)

    rows = found[:, 0].tolist()
    peer = talipp_eight()
    feed_talipp(peer, rows[:WARM])
    slow = cpu(lambda: feed_talipp(peer, rows[WARM:])) / minutes

    window = pd.DataFrame(found[:500, 0], columns=["open", "high", "low", "close", "volume"])
    times = 5 if quick else 20
    slowest = cpu(lambda: [ta_eight(window) for _ in range(times)]) / times
    micro = 1e6
    return [
        ratio(
            "eight indicators, 500 symbols at once", ours * micro, "µs per symbol", "talipp", slow / ours, 300
        ),
        ratio("the same", ours * micro, "µs per symbol", "ta over 500 bars", slowest / ours, 100_000),
        ratio("eight indicators, one kline, the engine's call", live * micro, "µs", "talipp", slow / live, 8),
        Row("talipp, eight indicators", slow * micro, "µs"),
        Row("ta, eight indicators over 500 bars", slowest * micro, "µs"),
    ]


# --- a million alerts -------------------------------------------------------------------------------------------------


class Flat(NamedTuple):
    """The same alerts as flat arrays: one predicate per row, alerts one after the other, `starts` where each begins."""

    operand: NDArray[np.int32]
    below: NDArray[np.bool_]
    constant: Floats
    starts: NDArray[np.int64]


def random_conditions(count: int, seed: int, *, rare: bool = True) -> list[list[tuple[int, bool, float]]]:
    """Alerts of two to four predicates over the whole range of each operand: each as (operand, below?, constant).

    `rare`: one of them waits for a price that does not come, as most alerts do, so that none fires however often the
    others change.
    """
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        chosen = dice.sample(range(len(OPERANDS)), dice.randint(2, 4))
        alerts = []
        for operand in chosen:
            low, high = OPERANDS[operand][1:]
            alerts.append((operand, dice.random() < 0.5, round(dice.uniform(low, high), 4)))
        if rare:
            below = dice.random() < 0.5
            alerts[-1] = 0, below, round(dice.uniform(60, 90) if below else dice.uniform(110, 140), 4)
        found.append(alerts)
    return found


def text_of(condition: list[tuple[int, bool, float]]) -> str:
    return " and ".join(
        f"{OPERANDS[operand][0]} {'<' if below else '>'} {constant}" for operand, below, constant in condition
    )


def flat(conditions: list[list[list[tuple[int, bool, float]]]]) -> Flat:
    """Operands numbered over all symbols."""
    operand, below, constant, starts = [], [], [], []
    for symbol, alerts in enumerate(conditions):
        for one in alerts:
            starts.append(len(operand))
            for number, is_below, value in one:
                operand.append(symbol * len(OPERANDS) + number)
                below.append(is_below)
                constant.append(value)
    return Flat(np.array(operand, np.int32), np.array(below), np.array(constant), np.array(starts, np.int64))


def compare_all(
    alerts: Flat, values: Floats, before: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Every predicate anew: which alerts hold, and which hold that did not."""
    seen = values[alerts.operand]
    truths = np.where(alerts.below, seen < alerts.constant, seen > alerts.constant)
    holds = np.logical_and.reduceat(truths, alerts.starts)
    return holds, np.flatnonzero(holds & ~before)


def loop_all(alerts: list[list[list[tuple[int, bool, float]]]], values: Floats) -> int:
    """Every alert of one symbol after the other, as a plain loop does; stops at the first predicate that fails."""
    held = 0
    for symbol, of_symbol in enumerate(alerts):
        row = values[symbol * len(OPERANDS) : (symbol + 1) * len(OPERANDS)].tolist()
        for one in of_symbol:
            for operand, below, constant in one:
                value = row[operand]
                if not (value < constant if below else value > constant):
                    break
            else:
                held += 1
    return held


def a_pass(per_symbol: int, found: Floats, *, rare: bool) -> "Pass":
    """Engines with so many alerts each, every one against a comparison of all, minute by minute."""
    minutes = len(found) - WARM
    conditions = [random_conditions(per_symbol, seed, rare=rare) for seed in range(SYMBOLS)]
    gc.disable()
    began = time.process_time()
    engines = []
    for symbol, of_symbol in enumerate(conditions):
        engines.append(engine_with(f"S{symbol}", [text_of(one) for one in of_symbol]))
    entered = time.process_time() - began
    gc.freeze()
    gc.enable()
    operands = [[engine.market.acquire(leaf, "1m") for leaf in _leaves()] for engine in engines]
    together = Together(engines)
    for minute in range(WARM):
        list(together.on_bars(START + minute * MINUTE, found[minute], minute))
    alerts = flat(conditions)
    count = len(alerts.starts)

    def values() -> Floats:
        # While engines are lent, a value that left no guard may be that of a bar before: every comparison is the same.
        return np.array([slot.frame.newest(slot.column) for slots in operands for slot in slots])

    # Each in a loop of its own: numpy's 60 MB would push ours out of the cache. What that costs is measured apart.
    seen, passes, cold, fires = [values()], [], [], 0
    others = np.zeros(8_000_000)
    for minute in range(WARM, WARM + minutes):
        is_cold = minute % 3 == 2
        if is_cold:
            others += 1
        began = time.process_time()
        said = list(together.on_bars(START + minute * MINUTE, found[minute], minute))
        (cold if is_cold else passes).append(time.process_time() - began)
        fires += sum(len(one.outputs) for one in said)
        seen.append(values())
    holds, _ = compare_all(alerts, seen[0], np.zeros(count, bool))
    peers, expected = [], 0
    for now in seen[1:]:
        began = time.process_time()
        holds, new = compare_all(alerts, now, holds)
        peers.append(time.process_time() - began)
        expected += len(new)
    loops = [cpu(lambda now=now: loop_all(conditions, now)) for now in seen[1::10]]
    assert fires == expected, (fires, expected)
    ours, after, peer, loop = (statistics.median(each) for each in (passes, cold, peers, loops))
    return Pass(engines, conditions, ours, after, peer, loop, fires / minutes, entered / count)


class Pass(NamedTuple):
    """Median seconds of a pass: ours, ours after others used the cache, numpy's, a loop's. `entered`: seconds for an
    alert to come in.
    """

    engines: list[SymbolEngine]
    conditions: list[list[list[tuple[int, bool, float]]]]
    ours: float
    cold: float
    numpy: float
    loop: float
    fires: float
    entered: float


def million_alerts(quick: bool) -> list[Row]:
    """A pass of all symbols with a million alerts of two to four predicates."""
    per_symbol = 200 if quick else 2_000
    count = per_symbol * SYMBOLS
    found = bars(SYMBOLS, WARM + 30, seed=9)
    bare = _bare(found)
    passes = [
        cpu(lambda minute=minute: list(bare.on_bars(START + minute * MINUTE, found[minute], minute)))
        for minute in range(WARM, len(found))
    ]
    alone = statistics.median(passes)
    some = a_pass(per_symbol // 10, found, rare=False)
    gc.unfreeze()
    done = a_pass(per_symbol, found, rare=True)
    board = sum(engine.board_bytes for engine in done.engines)
    name = f"{count:,} alerts, a pass of {SYMBOLS} symbols, {done.fires:,.0f} fires in each"
    return [
        ratio(name, done.ours * 1e3, "ms", "numpy, all compared", done.numpy / done.ours, 40),
        ratio("the same", done.ours * 1e3, "ms", "a Python loop", done.loop / done.ours, 200),
        Row("of it bars and indicators", alone * 1e3, "ms"),
        Row("the same, after 64 MB of others' data went through the cache", done.cold * 1e3, "ms"),
        Row("numpy compares all", done.numpy * 1e3, "ms"),
        Row("a Python loop", done.loop * 1e3, "ms"),
        Row(
            f"{count // 10:,} alerts, {some.fires:,.0f} fires in each pass, messages built",
            some.ours * 1e3,
            "ms",
        ),
        Row("an alert enters, its text read", done.entered * 1e6, "µs"),
        Row("an alert on the board", board / count, "bytes"),
        *rows_in_and_out(done.engines[0], done.conditions[0], len(found)),
        *loading(done.engines[: 25 if quick else 100]),
    ]


def _leaves() -> list[Any]:
    from streams.engine.conditions.expression import parse
    from streams.engine.conditions.resolve import leaves, resolve

    return [next(leaves(resolve(parse(f"{operand} < 0"), "1m"))) for operand, _, _ in OPERANDS]


def _bare(found: Floats) -> Together:
    """The same operands with one alert each that never comes near."""
    engines = [
        engine_with(f"S{n}", [f"{operand} < -1000000" for operand, _, _ in OPERANDS]) for n in range(SYMBOLS)
    ]
    together = Together(engines)
    for minute in range(WARM):
        list(together.on_bars(START + minute * MINUTE, found[minute], minute))
    return together


def rows_in_and_out(
    engine: SymbolEngine, conditions: list[list[tuple[int, bool, float]]], seen: int
) -> list[Row]:
    """Alerts that come and go on a symbol that has thousands."""
    now = START + seen * MINUTE
    texts = [text_of(one) for one in random_conditions(500, 99)]
    came = cpu(
        lambda: [engine.on_alert(alert(f"n{k}", "S0", text), 10**6 + k, now) for k, text in enumerate(texts)]
    )
    gone = [
        AlertCommand(alert_id=f"n{k}", user_id="u", symbol="S0", state="deleted") for k in range(len(texts))
    ]
    went = cpu(lambda: [engine.on_alert(one, 2 * 10**6 + k, now) for k, one in enumerate(gone)])
    many = f"beside {len(conditions):,}"
    return [
        Row(f"an alert comes, {many}", came / len(texts) * 1e6, "µs"),
        Row(f"an alert goes, {many}", went / len(texts) * 1e6, "µs"),
    ]


def loading(engines: list[SymbolEngine]) -> list[Row]:
    """From the table's rows into the network, as at assignment."""
    spent, alerts = 0.0, 0
    calm_collector()
    kept = []
    for engine in engines:
        rows: list[GroupRow] = list(engine.dirty_groups())
        market = Market(engine.symbol)
        bodies = [row.body for row in rows]
        began = time.process_time()
        kept.append(SymbolEngine.restore(engine.symbol, market, bodies))
        spent += time.process_time() - began
        alerts += len(bodies)
    return [Row("a million alerts from their rows into the network", spent / alerts * 1e6, "s, from a part")]


# --- levels -----------------------------------------------------------------------------------------------------------


def levels(quick: bool) -> list[Row]:
    """Price levels of which none is met: a thousand, and a million (on one symbol)."""
    spent = {}
    for count in (1_000, 100_000 if quick else 1_000_000):
        engine = SymbolEngine("S0", Market("S0"))
        dice = random.Random(count)
        stream = klines("S0", bars(1, WARM + 20_000, seed=7)[:, 0])
        for pos in range(WARM):
            engine.on_kline(stream[pos], pos)
        gc.disable()
        for number in range(count):
            price = dice.uniform(10, 80) if number % 2 else dice.uniform(120, 1_000)
            side = "below" if number % 2 else "above"
            condition = {"level": {"price": f"{price:.6f}", "side": side}}
            engine.on_alert(
                AlertCommand(
                    alert_id=f"a{number}", user_id="u", symbol="S0", condition=condition,
                    frequency="once_per_bar_close", when_true_at_arming="wait",
                    effective_from_ms=stream[WARM].open_time_ms,
                ),
                number, stream[WARM].open_time_ms,
            )  # fmt: skip
        gc.freeze()
        gc.enable()
        engine.on_kline(stream[WARM], WARM)

        def run(engine: SymbolEngine = engine, stream: list[Kline] = stream) -> None:
            for pos in range(WARM + 1, len(stream)):
                assert not engine.on_kline(stream[pos], pos)

        spent[count] = cpu(run) / (len(stream) - WARM - 1)
    few, many = sorted(spent)
    times = spent[many] / spent[few]
    return [
        Row(
            f"a bar beside {many:,} levels", spent[many] * 1e6, "µs", f"beside {few:,}", round(times, 2),
            "at most 2 times", times <= 2,
        )
    ]  # fmt: skip


def ratio(name: str, value: float, unit: str, peer: str, times: float, goal: float) -> Row:
    return Row(name, value, unit, peer, round(times, 1), f"at least {goal:,g} times", times >= goal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    warm_up()
    rows = [*indicators(options.quick), *levels(options.quick), *million_alerts(options.quick)]
    found = [row._asdict() | {"value": round(row.value, 4)} for row in rows]
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for row in found:
        met = "" if row["met"] is None else "met" if row["met"] else "MISSED"
        times = "" if row["ratio"] is None else f"{row['ratio']:>12,} times {row['peer']}"
        print(f"{row['name']:<66}{row['value']:>12,.3f} {row['unit']:<16}{times:<44}{row['goal']:<26}{met}")


if __name__ == "__main__":
    main()
