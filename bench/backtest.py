"""A backtest of a year of minutes against vectorbt, backtesting.py and a plain Python loop of the same bot.

python bench/backtest.py [--json] [--peers PYTHON] [--minutes N]

Timed is CPU on one core, warm, from candles in memory (columns of float64) to ledger arrays in memory: indicator, entry
scan, blocks of extremes, the walk and its exact integers. The peers are installed in an environment of their own, which
is deleted afterwards (--peers: the Python of one that has vectorbt and backtesting already), and get the columns they
want. The market is simulated. What the peers filled is compared, fill by fill.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np

from schemas.bots import BotConfig, TakeProfit
from streams.engine.backtest import slots
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import Extremes
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.plan import Plan, plan_of
from streams.engine.backtest.sprint import Arrays, Room, sprint
from streams.engine.bars import BarArrays
from streams.engine.dca import Instrument
from streams.engine.dca.entry import entry_tree
from streams.feeds.simulator import Market, simulate

SYMBOL: Final = "BTCUSDT"
PEERS: Final = {"vectorbt": 50.0, "backtesting": 500.0, "loop": 12.0}
"""How many times faster than each is the goal."""
INSTRUMENT: Final = Instrument(tick=Decimal("0.1"), lot=Decimal("0.00001"))
CONFIGS: Final = 1_000


class Row(NamedTuple):
    """One claim; `ratio` is to the peer."""

    name: str
    value: float
    unit: str
    peer: str
    ratio: float | None
    goal: str
    met: bool | None


def bot(start_ms: int, **changes: Any) -> BotConfig:
    """The bot of all: see backtest_child.py."""
    settings: dict[str, Any] = {
        "bot_id": "bench", "user_id": "bench", "pairs": [SYMBOL], "entry": "rsi(14) < 30", "base_order_volume": "15",
        "safety_order_volume": "30", "max_safety_orders": 5, "price_deviation": "1", "step_scale": "1.5",
        "volume_scale": "1.5", "take_profit": TakeProfit(percent="2"), "fee": "0.1", "slippage": "0",
        "effective_from_ms": start_ms,
    }  # fmt: skip
    return BotConfig(**(settings | changes))


def year(minutes: int) -> BarArrays:
    """The simulated market."""
    boundaries = simulate(Market(seed=7, symbols=(SYMBOL,), minutes=minutes))
    return BarArrays.of(kline for boundary in boundaries for kline in boundary.klines)


def once(config: BotConfig, finder: Finder, room: Room) -> Arrays:
    """One bot, over what the finder has computed already or computes now."""
    plan = plan_of(config, INSTRUMENT, finder.candles, finder.extremes)
    assert isinstance(plan, Plan), plan
    truths = finder.truths.of(entry_tree(config))
    arrays = sprint(plan, finder, truths, config.effective_from_ms or 0, room)
    assert isinstance(arrays, Arrays), arrays
    return arrays


def cpu(call: Callable[[], object], times: int) -> float:
    """Median CPU seconds of a warm call."""
    call()
    spent = []
    for _ in range(times):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return median(spent)


def filled(arrays: Arrays) -> list[tuple[int, int, int, int]]:
    """Our fills as the peers tell theirs: bar, side, lots, ticks."""
    rows = arrays.triggers[arrays.fills[:, slots.F_TRIGGER], slots.T_ROW]
    side = np.where(arrays.fills[:, slots.F_LEVEL] >= 0, 1, -1)
    table = np.column_stack([rows, side, arrays.fills[:, slots.F_LOTS], arrays.fills[:, slots.F_TICKS]])
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in table.tolist()]


def environment(folder: Path) -> Path:
    """A Python with the peers, made in `folder`."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "-q", "vectorbt==1.2.0", "backtesting==0.6.6"], check=True
    )
    return python


def peers(python: Path, candles: Candles, folder: Path) -> dict[str, tuple[float, list[Any]]]:
    """Seconds and fills of each."""
    arrays, found = folder / "arrays.npz", {}
    np.savez(arrays, open=candles.open, high=candles.high, low=candles.low, close=candles.close)
    for peer in PEERS:
        out, child = folder / f"{peer}.npz", Path(__file__).with_name("backtest_child.py")
        subprocess.run(
            [str(python), str(child), peer, str(arrays), str(out)], check=True, stderr=subprocess.DEVNULL
        )
        with np.load(out) as said:
            found[peer] = (
                float(np.median(said["seconds"])),
                [tuple(fill) for fill in said["fills"].tolist()],
            )
    return found


def varied(start_ms: int, windows: Iterable[int]) -> list[BotConfig]:
    """A thousand bots that differ in threshold, target, deviation and window."""
    return [
        bot(
            start_ms, bot_id=f"b{number}", entry=f"rsi({window}) < {25 + number % 5 * 2}",
            take_profit=TakeProfit(percent=f"{1.5 + number // 8 % 5 * 0.5:g}"),
            price_deviation=f"{1 + number // 40 % 5 * 0.2:g}",
        )
        for number, window in enumerate(windows)
    ]  # fmt: skip


def sweep(configs: list[BotConfig], candles: Candles) -> float:
    """CPU seconds for all, indicators included, warm; bots with the same entry follow each other."""
    for config in configs[: CONFIGS // 20]:
        once(config, Finder(candles), Room())
    began = time.process_time()
    finder, room = Finder(candles), Room()
    for config in sorted(configs, key=lambda config: str(config.entry)):
        once(config, finder, room)
    return time.process_time() - began


def agreement(peer: str, ours: list[Any], theirs: list[Any]) -> Row:
    """How many of our fills the peer has as well, to the lot and tick."""
    share = len(set(ours) & set(theirs)) / max(len(ours), len(theirs))
    if peer == "vectorbt":
        name, goal, met = (
            "fills that vectorbt has too (one order a bar, its own RSI seed)",
            "at least 98 %",
            share >= 0.98,
        )
    else:
        name, goal, met = f"fills that {peer} has too", "all", share == 1
    return Row(name, 100 * share, "%", f"{len(theirs)} of its", None, goal, met)


def results(minutes: int, python: Path | None) -> list[Row]:
    """All claims, measured in one run."""
    bars = year(minutes)
    candles = Candles.of(SYMBOL, bars)
    start_ms = int(bars.open_time_ms[0])
    config, room = bot(start_ms), Room()
    arrays = once(config, Finder(candles), room)
    took = cpu(lambda: once(config, Finder(candles), room), 25)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found = peers(python or environment(place / "env"), candles, place)
    title = f"{minutes:,} minutes, {len(arrays.deals)} deals, {len(arrays.fills)} fills"
    rows = [
        Row(f"{title}: against {peer}", took * 1e3, "ms", f"{seconds * 1e3:,.1f} ms", seconds / took,
            f"at least {PEERS[peer]:g} times faster", seconds / took >= PEERS[peer])
        for peer, (seconds, _) in found.items()
    ]  # fmt: skip
    rows += [agreement(peer, filled(arrays), fills) for peer, (_, fills) in found.items()]
    one = found["vectorbt"][0]
    shared = sweep(varied(start_ms, (6 + number % 8 * 2 for number in range(CONFIGS))), candles)
    rows.append(_sweep(f"{CONFIGS:,} bots, 8 indicator series", shared, one, 2))
    distinct = sweep(varied(start_ms, range(2, CONFIGS + 2)), candles)
    rows.append(_sweep(f"{CONFIGS:,} bots, a window each", distinct, one, 10))
    rows += _parts(config, candles, room)
    return rows


def _sweep(name: str, seconds: float, one: float, most: float) -> Row:
    goal = f"under {most:g} times one of vectorbt's"
    return Row(name, seconds * 1e3, "ms", "vectorbt for one", seconds / one, goal, seconds < most * one)


def _parts(config: BotConfig, candles: Candles, room: Room) -> list[Row]:
    """Where the time goes."""
    extremes = Extremes(candles.low, candles.high)
    finder = Finder(candles, extremes)
    plan, truths = plan_of(config, INSTRUMENT, candles, extremes), finder.truths.of(entry_tree(config))
    assert isinstance(plan, Plan), plan
    parts: dict[str, Callable[[], object]] = {
        "blocks of extremes": lambda: Extremes(candles.low, candles.high),
        "indicator and entry scan": lambda: Finder(candles, extremes).truths.of(entry_tree(config)),
        "the bot in whole numbers": lambda: plan_of(config, INSTRUMENT, candles, extremes),
        "the walk": lambda: sprint(plan, finder, truths, config.effective_from_ms or 0, room),
    }
    return [
        Row(f"of it: {name}", cpu(call, 25) * 1e3, "ms", "", None, "", None) for name, call in parts.items()
    ]


def main() -> None:
    """Print a table, or with --json the list of results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--minutes", type=int, default=525_600)
    options = parser.parse_args()
    rows = results(options.minutes, options.peers)
    found = [
        row._asdict() | {"value": round(row.value, 3), "ratio": row.ratio and round(row.ratio, 2)}
        for row in rows
    ]
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for row in found:
        met = "" if row["met"] is None else "met" if row["met"] else "MISSED"
        times = "" if row["ratio"] is None else f"{row['ratio']:,} times"
        value = f"{row['value']:>11,.2f} {row['unit']:<4}{row['peer']:<18}{times:<16}"
        print(f"{row['name']:<66}{value}{row['goal']:<36}{met}")


if __name__ == "__main__":
    main()
