"""What a kline costs one symbol's engine: with many alerts of which none fires, and with a fire on every other bar.

python bench/predicate_network.py [--json]
"""

import argparse
import json
import random
import time
import tracemalloc
from typing import Any, Final

from schemas.alerts import AlertCommand
from schemas.market import Kline
from streams.engine.conditions.resolve import leaves
from streams.engine.groups import firing, reports
from streams.engine.groups.notify import Alert
from streams.engine.market.market import Market, warm_up
from streams.engine.symbol import SymbolEngine

BARS, SEEN_BEFORE, ROUNDS = 13_000, 3_000, 3
START: Final = 1_700_438_400_000
OPERANDS: Final = (
    "close", "high", "low", "hl2", "ema(10)", "ema(20)", "ema(50)", "ema(100)", "sma(10)", "sma(20)", "sma(50)",
    "rsi(7)", "rsi(14)", "rsi(21)", 'ema(10, "5m")', 'ema(20, "5m")', 'rsi(14, "5m")', 'sma(10, "15m")',
    'ema(20, "1h")', 'rsi(14, "1h")',
)  # fmt: skip


def candles(seed: int = 3) -> list[Kline]:
    """A random walk that returns to 100."""
    dice, price, found = random.Random(seed), 100.0, []
    for minute in range(BARS):
        opened, price = price, price * (1 + dice.gauss(0, 0.0006)) + (100 - price) * 0.002
        found.append(
            Kline(
                symbol="BTCUSDT", interval="1m", open_time_ms=START + 60_000 * minute, open=opened,
                high=max(opened, price) + 0.02, low=min(opened, price) - 0.02, close=price, volume=1.0,
            )
        )  # fmt: skip
    return found


def engine_with(alerts: int, *, near: bool) -> SymbolEngine:
    """An engine with `alerts` thresholds spread over the operands, near the market or where it never comes."""
    dice = random.Random(alerts)
    engine = SymbolEngine("BTCUSDT", Market("BTCUSDT"))
    for number in range(alerts):
        operand = OPERANDS[number % len(OPERANDS)]
        low, high = ((10.0, 20.0) if operand.startswith("rsi") else (97.0, 103.0)) if near else (1.0, 5.0)
        command = AlertCommand(
            alert_id=f"a{number}", user_id="u", symbol="BTCUSDT",
            condition=f"{operand} < {dice.uniform(low, high):.4f}",
            frequency="once_per_bar_close", when_true_at_arming="wait",
        )  # fmt: skip
        engine.on_alert(command, number, START)
    return engine


def measure(engine: SymbolEngine, klines: list[Kline]) -> tuple[float, float]:
    """(µs of CPU per kline, fires per bar) once the operands are ready."""
    for pos in range(SEEN_BEFORE):
        engine.on_kline(klines[pos], pos)
    fires, began = 0, time.process_time()
    for pos in range(SEEN_BEFORE, BARS):
        fires += len(engine.on_kline(klines[pos], pos))
    bars = BARS - SEEN_BEFORE
    return (time.process_time() - began) / bars * 1e6, fires / bars


def market_alone(klines: list[Kline]) -> float:
    """µs of CPU per kline of the bars and indicators that all those operands need."""
    engine = engine_with(len(OPERANDS), near=False)
    market = Market("BTCUSDT")
    for condition in engine.conditions:
        for leaf in leaves(condition):
            market.acquire(leaf, str(leaf.timeframe))
    for kline in klines[:SEEN_BEFORE]:
        market.apply(kline)
    began = time.process_time()
    for kline in klines[SEEN_BEFORE:]:
        market.apply(kline)
    return (time.process_time() - began) / (BARS - SEEN_BEFORE) * 1e6


def without_messages(klines: list[Kline]) -> tuple[float, float]:
    """As `measure`, with 500 alerts near the market, and one message made beforehand for all fires."""
    engine = engine_with(500, near=True)
    made: list[Any] = []
    build = reports.fired

    def fired(alert: Alert, *rest: Any) -> Any:
        if not made:
            made.append(build(alert, *rest))
        return made[0]

    firing.reports.fired = fired  # type: ignore[attr-defined]
    try:
        return measure(engine, klines)
    finally:
        firing.reports.fired = build  # type: ignore[attr-defined]


def bytes_per_alert() -> float:
    """Memory of one more alert over operands that are there already, its command included."""
    engine_with(100, near=True)
    tracemalloc.start()
    engine = engine_with(5_000, near=True)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del engine
    return size / 5_000


def results() -> list[dict[str, Any]]:
    """One row per claim."""
    warm_up()
    klines = candles()
    rows: list[tuple[str, float, str, float]] = [
        ("market with 20 operands alone", market_alone(klines), "µs", 8.0)
    ]
    for alerts in (20, 500, 5_000):
        spent = min(measure(engine_with(alerts, near=False), klines)[0] for _ in range(ROUNDS))
        rows.append((f"kline, {alerts} alerts, none near", spent, "µs", 15.0))
    spent, fires = min(measure(engine_with(500, near=True), klines) for _ in range(ROUNDS))
    rows.append((f"kline, 500 alerts, {fires:.2f} fires a bar, messages built", spent, "µs", 30.0))
    rows.append(
        (
            "kline, the same without building messages",
            min(without_messages(klines)[0] for _ in range(ROUNDS)),
            "µs",
            15.0,
        )
    )
    rows.append(("memory of an alert", bytes_per_alert(), "bytes", 4_000.0))
    return [
        {"name": name, "value": round(value, 1), "unit": unit, "peer": "", "ratio": None, "goal": f"< {goal:g} {unit}",
         "met": value < goal}
        for name, value, unit, goal in rows
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    found = results()
    if parser.parse_args().json:
        print(json.dumps(found))
        return
    for row in found:
        met = "met" if row["met"] else "MISSED"
        print(f"{row['name']:60} {row['value']:>8} {row['unit']:6} goal {row['goal']:12} {met}")


if __name__ == "__main__":
    main()
