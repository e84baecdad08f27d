"""`strikeline backtest`: files in, tables out; what is wrong with them is named."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.cli.backtesting.candles import load
from streams.cli.backtesting.pool import Work, run_all
from streams.cli.errors import Invalid
from streams.cli.pipeline import Pipeline
from streams.engine.bars import BarArrays
from tests.pipeline import golden_bot
from tests.streams.cli.commandline import CommandLine
from tests.streams.engine.candles import MONDAY, walk

BOTS = """
bot_id: dip
user_id: alice
pairs: [BTCUSDT]
entry: close < 101
base_order_volume: "15"
safety_order_volume: "30"
max_safety_orders: 5
price_deviation: "1"
step_scale: "1.5"
volume_scale: "1.5"
take_profit: {percent: "2"}
---
bot_id: both
user_id: alice
pairs: [BTCUSDT, ETHUSDT]
entry: close < 101
base_order_volume: "15"
take_profit: {percent: "1"}
"""


def frame(symbol: str, bars: BarArrays) -> pl.DataFrame:
    columns = dict(zip(("open", "high", "low", "close", "volume"), bars.ohlcv.T, strict=True))
    return pl.DataFrame({"symbol": [symbol] * len(bars), "open_time": bars.open_time_ms, **columns})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with candles of two symbols, in parquet and in CSV, and a file of bots."""
    (tmp_path / "candles").mkdir()
    swing = walk(600, 5)
    swing.ohlcv[:, :4] *= 1.0 + 0.03 * np.sin(np.arange(600) / 40)[:, None]
    frame("BTCUSDT", BarArrays(swing.open_time_ms, swing.ohlcv.round(2))).write_parquet(
        tmp_path / "candles/btc.parquet"
    )
    frame("ETHUSDT", walk(600, 6)).write_csv(tmp_path / "candles/eth.csv")
    (tmp_path / "bots.yaml").write_text(BOTS)
    (tmp_path / "venue.yaml").write_text('BTCUSDT: {tick: "0.01", lot: "0.00001"}\n')
    return tmp_path


@pytest.fixture
def strikeline(tmp_path: Path) -> CommandLine:
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'unused.db'}")
    pipeline.close()
    return CommandLine(pipeline.cluster, tmp_path)


def test_a_folder_of_candles_and_two_bots(files: Path, strikeline: CommandLine) -> None:
    words = (
        "--bots",
        str(files / "bots.yaml"),
        "--instruments",
        str(files / "venue.yaml"),
        "--out",
        str(files / "out"),
    )
    answer = strikeline("backtest", "--no-report", "--klines", str(files / "candles"), *words, "--json")
    assert answer.code == 0, answer.err
    summary = json.loads((files / "out/summary.json").read_text())
    assert answer.json == summary
    dip, both = summary["bots"]
    assert dip["walked"] == "compiled"
    assert both["walked"] == "from event to event because: several pairs"
    assert dip["closed_deals"] >= 1
    assert summary["bars"] == 1_200
    tables: dict[str, Any] = {
        name: pl.read_parquet(files / f"out/{name}.parquet") for name in ("triggers", "fills", "deals")
    }
    assert tables["triggers"].height == dip["triggers"] + both["triggers"]
    assert tables["fills"].height == dip["fills"] + both["fills"]
    closed = tables["deals"].filter(pl.col("closed_at_ms").is_not_null())
    assert closed["profit"].sum() == Decimal(summary["profit"])
    assert set(tables["fills"]["level"]) >= {"base", "tp_1"}


def test_the_report_is_a_page_with_the_summarys_figures(
    files: Path, strikeline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no npm: the page does without the chart library, and says so
    monkeypatch.setenv("XDG_CACHE_HOME", str(files / "nothing-cached"))
    words = ("--bots", str(files / "bots.yaml"), "--out", str(files / "out"), "--capital", "500")
    answer = strikeline("backtest", "--klines", str(files / "candles"), *words, "--json")
    assert answer.code == 0, answer.err
    assert "report.html has tables only" in answer.err
    html = (files / "out/report.html").read_text()
    assert "average" in html
    found = answer.json["metrics"]
    assert found["realized_profit"] == pytest.approx(float(answer.json["profit"]))
    assert f'"net_profit":{found["net_profit"]}' in html


def test_processes_give_what_one_gives(files: Path) -> None:
    loaded = load(str(files / "candles"), ["BTCUSDT", "ETHUSDT"])
    bots = [golden_bot(bot_id=f"b{k}", effective_from_ms=MONDAY, max_safety_orders=k) for k in range(4)]
    work = Work(bots, {})
    alone = run_all(work, loaded.candles, 1, lambda done, name: None)
    told: list[int] = []
    pooled = run_all(work, loaded.candles, 2, lambda done, name: told.append(done), worth=0)
    assert pooled == alone
    assert told[-1] == 4
    assert sum(len(result.fills) for result in alone) > 8


def test_from_and_to_and_a_glob(files: Path, strikeline: CommandLine) -> None:
    words = ("--bots", str(files / "bots.yaml"), "--out", str(files / "out"))
    at = MONDAY + 300 * 60_000
    pattern = str(files / "candles" / "*.[pc]*")
    answer = strikeline(
        "backtest",
        "--no-report",
        "--klines",
        pattern,
        *words,
        "--from",
        str(at),
        "--to",
        str(at + 60 * 60_000),
        "--json",
    )
    assert answer.code == 0, answer.err
    assert answer.json["bars"] == 2 * 360, "bars before --from warm indicators up"
    triggers = pl.read_parquet(files / "out/triggers.parquet")
    assert min(triggers["open_time_ms"].to_list()) >= at


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"--klines": "nowhere.parquet"}, "nowhere.parquet is no file, no folder, and matches none"),
        ({"--from": "2030-01-01"}, "--from: the candles end before it"),
        ({"--interval": "7x"}, "--interval"),
    ],
)
def test_what_is_wrong_with_the_question_is_said(
    files: Path, strikeline: CommandLine, changes: dict[str, str], said: str
) -> None:
    words = {
        "--klines": str(files / "candles"),
        "--bots": str(files / "bots.yaml"),
        "--out": str(files / "out"),
    }
    answer = strikeline(
        "backtest", "--no-report", *(word for pair in (words | changes).items() for word in pair)
    )
    assert answer.code == 2
    assert said in answer.err
    assert not (files / "out").exists()


def test_a_missing_symbol_and_a_wrong_bot_are_named(files: Path, strikeline: CommandLine) -> None:
    (files / "bots.yaml").write_text(BOTS.replace("ETHUSDT", "XRPUSDT"))
    words = (
        "--klines",
        str(files / "candles"),
        "--bots",
        str(files / "bots.yaml"),
        "--out",
        str(files / "out"),
    )
    answer = strikeline("backtest", "--no-report", *words)
    assert (answer.code, "has no XRPUSDT (it has BTCUSDT, ETHUSDT)" in answer.err) == (2, True)
    (files / "bots.yaml").write_text(BOTS.replace("close < 101", "close <"))
    answer = strikeline("backtest", "--no-report", *words)
    assert answer.code == 2
    assert "dip: entry: column" in answer.err


def test_a_bot_whose_entries_are_all_refused_says_so(files: Path, strikeline: CommandLine) -> None:
    """A tick far above the price: every entry fires, and none has a target below which it could buy."""
    (files / "venue.yaml").write_text('BTCUSDT: {tick: "1000", lot: "0.00001"}\n')
    (files / "bots.yaml").write_text(BOTS.split("---")[0])
    words = ("--bots", str(files / "bots.yaml"), "--out", str(files / "out"))
    given = ("--klines", str(files / "candles"), "--instruments", str(files / "venue.yaml"), *words)
    answer = strikeline("backtest", "--no-report", "--json", *given)
    (told,) = answer.json["bots"]
    assert (answer.code, told["deals"], told["refused_entries"]) == (0, 0, told["triggers"])
    assert told["triggers"] > 0
    assert f"dip: no deal was opened: the executor refused {told['triggers']}" in answer.err


def test_a_check_with_nothing_to_cut_off_is_no_finding(files: Path, strikeline: CommandLine) -> None:
    frame("BTCUSDT", walk(1, 5)).write_parquet(files / "one.parquet")
    (files / "bots.yaml").write_text(BOTS.split("---")[0])
    words = ("--bots", str(files / "bots.yaml"), "--out", str(files / "out"), "--check", "--no-report")
    answer = strikeline("backtest", "--klines", str(files / "one.parquet"), *words, "--json")
    assert (answer.code, answer.json["checks"]["lookahead"]["passed"]) == (0, None), answer.err
    assert "lookahead: not compared" in answer.err


def test_broken_rows_are_counted_and_left_out(files: Path, strikeline: CommandLine) -> None:
    path = files / "candles/eth.csv"
    path.write_text(path.read_text() + f"ETHUSDT,{MONDAY + 700 * 60_000},1,0.5,2,1,1\n")
    words = ("--bots", str(files / "bots.yaml"), "--out", str(files / "out"))
    answer = strikeline("backtest", "--no-report", "--klines", str(files / "candles"), *words)
    assert answer.code == 1
    assert "row 601, column high: 0.5 is below low; left out" in answer.err
    assert json.loads((files / "out/summary.json").read_text())["broken_rows"] == 1


def test_a_bar_in_two_files_counts_once(files: Path) -> None:
    one = frame("BTCUSDT", walk(600, 7))
    one.write_parquet(files / "candles/zzz.parquet")
    loaded = load(str(files / "candles"), ["BTCUSDT"])
    assert len(loaded.candles["BTCUSDT"]) == 600
    assert loaded.restated > 0
    assert loaded.candles["BTCUSDT"].close[-1] == pl.read_parquet(files / "candles/btc.parquet")["close"][-1]


def test_a_folder_without_candles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"has no \.parquet"):
        load(str(tmp_path), [])


def test_no_page_is_promised_where_none_was_asked_for(strikeline: CommandLine, files: Path) -> None:
    words = (
        "--klines",
        str(files / "candles"),
        "--bots",
        str(files / "bots.yaml"),
        "--out",
        str(files / "out"),
    )
    told = strikeline("backtest", "--no-report", *words, "--jobs", "1").out
    assert ("report.html" in told, f"written to {files / 'out'}" in told) == (False, True)
