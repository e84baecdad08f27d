"""A sweep of 1,000 configurations over a year of minutes, beside the bare backtests of the same bots.

python bench/sweep.py [--json] [--minutes N]

CPU of one process, medians of three, alternating; the candles stand in memory. A sweep makes every bot from its file's
text, has the executor accept it, walks it and computes its figures; the bare backtests end with the ledger's arrays.
The market is simulated, eight windows of an RSI are shared.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from backtest import INSTRUMENT, SYMBOL, Row, sweep, year
from msgspec.structs import replace

from streams.cli.backtesting.pool import rules_of
from streams.cli.backtesting.sweeping.pool import Terms, evaluate
from streams.cli.backtesting.sweeping.sweepfile import read_sweep
from streams.cli.backtesting.sweeping.trials import trials
from streams.cli.backtesting.sweeping.walkforward import Span
from streams.engine.backtest.candles import Candles

FILE: Final = """
bot_id: bench
user_id: bench
pairs: [BTCUSDT]
entry: rsi({window}) < {level}
base_order_volume: "15"
safety_order_volume: "30"
max_safety_orders: 5
price_deviation: "1"
step_scale: "1.5"
volume_scale: "1.5"
take_profit: {percent: "2"}
fee: "0.1"
slippage: "0"
sweep:
  window: {from: 6, to: 20, step: 2}
  level: {from: 25, to: 33, step: 2}
  take_profit.percent: {from: 1.5, to: 3.5, step: 0.5}
  price_deviation: {from: 1, to: 1.8, step: 0.2}
"""
INSTRUMENTS: Final = {SYMBOL: INSTRUMENT}


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def results(minutes: int) -> list[Row]:
    """All claims, measured in one run."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "sweep.yaml")
        place.write_text(FILE)
        file = read_sweep(place)
    candles = Candles.of(SYMBOL, year(minutes))
    span, rules = Span(int(candles.open_ms[0]), candles.ticks_until_ms), rules_of(INSTRUMENTS, "1m")
    bots = [trial.bot for trial in trials(file, None, 0, rules).fit]
    bare = [replace(bot, effective_from_ms=span.from_ms) for bot in bots]

    def swept(equity: bool) -> object:
        terms = Terms(INSTRUMENTS, "1m", None, equity)
        return evaluate(bots, [span], {SYMBOL: candles}, terms, 1, lambda done: None)

    swept(equity=True)
    sweep(bare[:2], candles)
    rounds = [
        (sweep(bare, candles), cpu(lambda: swept(equity=False)), cpu(lambda: swept(equity=True)),
         cpu(lambda: trials(file, None, 0, rules)))
        for _ in range(3)
    ]  # fmt: skip
    walks, figures, equity, made = (median(times) * 1e3 for times in zip(*rounds, strict=True))
    peer, ratio = f"walks: {walks:,.0f} ms", figures / walks
    return [
        Row(f"{len(bots):,} configurations with their figures", figures, "ms", peer, ratio, "under 1.5 times",
            ratio < 1.5),
        Row("the same with the equity of every bar", equity, "ms", peer, equity / walks, "", None),
        Row("bots made of text, and accepted", made, "ms", peer, made / walks, "", None),
    ]  # fmt: skip


def main() -> None:
    """Print a table, or with --json the list of results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--minutes", type=int, default=525_600)
    options = parser.parse_args()
    rows = results(options.minutes)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
        return
    for row in rows:
        met = "" if row.met is None else "met" if row.met else "MISSED"
        print(
            f"{row.name:<46}{row.value:>9,.0f} {row.unit} {row.peer:<18}{row.ratio:5.2f} times  {row.goal} {met}"
        )


if __name__ == "__main__":
    main()
