"""Kline files as bars from before the kline topic's first: one file, or a folder of them."""

import logging
from pathlib import Path
from typing import Final

import polars as pl

from streams.engine.bars import BarArrays
from streams.feeds.columns import PRICES
from streams.feeds.files import FileProblem, read_klines
from streams.history_files import OlderBars

_SUFFIXES: Final = (".parquet", ".csv")
_log = logging.getLogger("strikeline.history")


def load_older(path: Path, interval: str = "1m") -> OlderBars:
    """The bars of a file, or of all .parquet and .csv files of a folder. Raises FileProblem; broken rows are counted.

    A symbol of which two files say different things is refused.
    """
    paths = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not paths:
        raise FileProblem(path, f"has no {' or '.join(_SUFFIXES)} files")
    found = [read_klines(one, interval=interval) for one in paths]
    frame = pl.concat([one.frame for one in found]).unique().sort("symbol", "open_time")
    twice = frame.filter(pl.struct("symbol", "open_time").is_duplicated())["symbol"].unique().to_list()
    parts = frame.partition_by("symbol", maintain_order=True)
    older = OlderBars({str(part["symbol"][0]): _bars(part) for part in parts}, interval)
    for symbol in twice:
        older.refuse(str(symbol), "its files say different things of one bar")
    for one, file in zip(paths, found, strict=True):
        older.broken_rows += len(file.broken)
        if file.broken:
            _log.warning("%s: %d broken rows left out; the first: %s", one, len(file.broken), file.broken[0])
    return older


def _bars(part: pl.DataFrame) -> BarArrays:
    return BarArrays.columns(part["open_time"], *(part[name] for name in (*PRICES, "volume")))
