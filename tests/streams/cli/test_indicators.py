"""`strikeline indicators`: the list, and values over files, as a user types it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from schemas.conditions import Indicator
from schemas.interval import bucket_start_ms
from streams.engine import indicators
from streams.engine.bars import BarArrays
from streams.engine.market.compute import compute
from streams.engine.market.market import Market
from tests.streams.cli.commandline import CommandLine
from tests.streams.engine.candles import MINUTE, MONDAY, klines, walk, with_gaps

NAMES = ("open", "high", "low", "close", "volume")


def table(bars: BarArrays, symbol: str) -> pl.DataFrame:
    columns = {name: bars.ohlcv[:, k] for k, name in enumerate(NAMES)}
    return pl.DataFrame({"symbol": [symbol] * len(bars), "open_time": bars.open_time_ms} | columns)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two symbols, in no order, as parquet."""
    path = tmp_path / "klines.parquet"
    both = pl.concat([table(walk(200, seed=1), "BTCUSDT"), table(walk(150, seed=2), "ETHUSDT")])
    both.sample(fraction=1.0, shuffle=True, seed=3).write_parquet(path)
    return path


def test_the_list_names_every_indicator_with_parameters_outputs_and_ready_bars(
    strikeline: CommandLine,
) -> None:
    listed = {one["name"]: one for one in strikeline("indicators", "list", "--json").json}
    assert sorted(listed) == indicators.names()
    assert listed["macd"]["params"][0]["name"] == "window_slow"
    assert listed["rsi"]["outputs"] == [{"name": "rsi", "ready": 95}]
    assert "bollinger" in strikeline("indicators", "list").out


def test_values_are_as_defined_one_column_per_output_per_symbol(
    strikeline: CommandLine, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "values.parquet"
    answer = strikeline(
        "indicators", "compute", "macd(26, 12, 9)", "rsi(14)", "--klines", str(file), "--out", str(out),
        "--seed", "first", "--json",
    )  # fmt: skip
    assert answer.code == 0
    assert answer.json["rows"] == 350
    values = pl.read_parquet(out)
    assert values.columns == ["symbol", "open_time", "macd", "macd_signal", "macd_diff", "rsi"]
    for symbol, bars in (("BTCUSDT", walk(200, seed=1)), ("ETHUSDT", walk(150, seed=2))):
        mine = values.filter(pl.col("symbol") == symbol)
        assert mine["open_time"].to_list() == bars.open_time_ms.tolist()
        expected = compute(Indicator("macd", seed="first"), bars.ohlcv)
        for name in ("macd", "macd_signal", "macd_diff"):
            got = mine[name].fill_null(np.nan).to_numpy()
            assert np.array_equal(got, expected[name], equal_nan=True)
        assert mine["rsi"].null_count() == 13


def test_an_alias_or_a_named_output_is_one_column_and_one_symbol_is_enough(
    strikeline: CommandLine, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "values.csv"
    answer = strikeline(
        "indicators", "compute", "bollinger_hband(10)", "stochastic(5).stoch_signal", "--klines", str(file),
        "--symbol", "ETHUSDT", "--out", str(out),
    )  # fmt: skip
    assert answer.code == 0
    values = pl.read_csv(out)
    assert values.columns == ["symbol", "open_time", "hband", "stoch_signal"]
    assert values["symbol"].unique().to_list() == ["ETHUSDT"]


def test_outputs_of_one_name_say_whose_they_are(strikeline: CommandLine, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "values.parquet"
    strikeline(
        "indicators", "compute", "ema(5)", "ema(9)", "sma(3)", "--klines", str(file), "--out", str(out)
    )
    assert pl.read_parquet(out).columns == ["symbol", "open_time", "ema(5).ema", "ema(9).ema", "sma"]


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h"])
@pytest.mark.parametrize("origin", [MONDAY, MONDAY + 2 * MINUTE])
def test_bars_are_filled_and_folded_as_a_market_does_it(
    strikeline: CommandLine, tmp_path: Path, timeframe: str, origin: int
) -> None:
    bars = with_gaps(walk(900, seed=5, origin_ms=origin), 0.05, 9)
    path, out = tmp_path / "klines.csv", tmp_path / "values.parquet"
    table(bars, "BTCUSDT").write_csv(path)
    answer = strikeline(
        "indicators", "compute", "rsi(5)", "--klines", str(path), "--timeframe", timeframe, "--out", str(out),
    )  # fmt: skip
    assert answer.code == 0
    assert "gaps too long to fill" in answer.err
    market = Market("BTCUSDT", capacity=99_999)
    slot = market.acquire(Indicator("rsi", (("window", 5),)), timeframe)
    for bar in klines(bars):
        market.apply(bar)
    values = pl.read_parquet(out)
    rows = slot.frame.values(slot.column)
    made_of: dict[int, bool] = {}  # bucket: whether a recorded bar is in it
    for k in range(market.next):
        bucket = bucket_start_ms(market.bar(k).open_time_ms, timeframe)
        made_of[bucket] = made_of.get(bucket, False) or not market.bar(k).filled
    recorded = list(made_of.items())[: len(rows)]
    rows = rows[[real for _, real in recorded]]
    assert values["open_time"].to_list() == [bucket for bucket, real in recorded if real]
    assert np.array_equal(values["rsi"].fill_null(np.nan).to_numpy(), rows, equal_nan=True)


def test_the_open_bucket_at_the_end_is_not_written(strikeline: CommandLine, tmp_path: Path) -> None:
    path, out = tmp_path / "klines.parquet", tmp_path / "values.parquet"
    table(walk(14), "BTCUSDT").write_parquet(path)
    strikeline("indicators", "compute", 'sma(1, "5m")', "--klines", str(path), "--out", str(out))
    values = pl.read_parquet(out)
    assert values["open_time"].to_list() == [MONDAY, MONDAY + 5 * MINUTE]
    assert values["sma"].to_list() == [walk(14).ohlcv[4, 3], walk(14).ohlcv[9, 3]]


@pytest.mark.parametrize(
    "words, said",
    [
        (["rsi(14"], "column 7"),
        (["wibble(3)"], "no indicator 'wibble'"),
        (["rsi(0)"], "window"),
        (["close"], "expected one indicator"),
        (["rsi(14) < 30"], "column 9"),
        (["rsi(14)[1]"], "bars_ago"),
        (["rsi()", "rsi()"], "asked for twice"),
        (["rsi()", "--seed", "last"], "--seed"),
        (["rsi()", "--timeframe", "90s"], "--timeframe"),
        (["rsi()", "--timeframe", "7m", "--interval", "5m"], "no multiple"),
        (['rsi(14, "5m")', 'rsi(14, "1h")'], "one timeframe"),
        (["rsi()", "--symbol", "XRPUSDT"], "XRPUSDT"),
    ],
)
def test_what_cannot_be_computed_is_named(
    strikeline: CommandLine, file: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    out = tmp_path / "values.parquet"
    answer = strikeline("indicators", "compute", *words, "--klines", str(file), "--out", str(out))
    assert answer.code == 2
    assert said in answer.err
    assert not out.exists()


def test_broken_rows_are_reported_left_out_and_end_with_a_problem(
    strikeline: CommandLine, tmp_path: Path
) -> None:
    path, out = tmp_path / "klines.csv", tmp_path / "values.parquet"
    table(walk(30), "BTCUSDT").with_columns(
        pl.when(pl.col("open_time") == MONDAY + MINUTE).then(-1.0).otherwise(pl.col("low")).alias("low")
    ).write_csv(path)
    answer = strikeline("indicators", "compute", "sma(3)", "--klines", str(path), "--out", str(out))
    assert answer.code == 1
    assert "row 2, column low" in answer.err
    assert pl.read_parquet(out).height == 29


@pytest.mark.parametrize("name, said", [("values.txt", "--out"), ("nowhere/values.parquet", "--out")])
def test_a_file_that_cannot_be_written_is_named(
    strikeline: CommandLine, file: Path, tmp_path: Path, name: str, said: str
) -> None:
    answer = strikeline(
        "indicators", "compute", "rsi()", "--klines", str(file), "--out", str(tmp_path / name)
    )
    assert answer.code == 2
    assert said in answer.err
