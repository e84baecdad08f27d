"""A bot to sweep, and candles in a file."""

from pathlib import Path

import polars as pl

from tests.streams.engine.candles import klines, walk

DIP = """
bot_id: dip
user_id: alice
pairs: [CENTS]
entry: rsi({window}) < {level}
base_order_volume: "15"
safety_order_volume: "30"
max_safety_orders: 2
price_deviation: "0.2"
take_profit: {percent: "0.3"}
stop_loss: {percent: "1.5"}
fee: "0.05"
slippage: "0.01"
"""
INSTRUMENTS = 'CENTS: {tick: "0.01", lot: "0.00001"}\n'


def write_sweep(folder: Path, sweep: str, bot: str = DIP) -> Path:
    """A bot file with that `sweep`."""
    place = folder / "sweep.yaml"
    place.write_text(f"{bot}sweep:\n{sweep}")
    return place


def write_candles(folder: Path, count: int = 1_500, seed: int = 5) -> Path:
    """A random walk."""
    rows = [
        (k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume)
        for k in klines(walk(count, seed), "CENTS")
    ]
    place = folder / "candles.parquet"
    names = ["symbol", "open_time", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(place)
    (folder / "instruments.yaml").write_text(INSTRUMENTS)
    return place
