"""`strikeline sweep` and `backtest --check` as they are typed."""

import json
from pathlib import Path

import polars as pl
import pytest

from streams.cli.cluster import MemoryCluster
from tests.streams.backtest.sweeping.files import DIP, write_candles, write_sweep
from tests.streams.cli.commandline import Answer, CommandLine
from topics.bus import MemoryBus

SWEEP = "  window: [5, 9]\n  level: {from: 30, to: 40, step: 5}\n  max_safety_orders: [0, 2, 101]\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sweep")
    write_candles(made)
    return made


def strikeline(folder: Path, *words: str) -> Answer:
    return CommandLine(MemoryCluster(MemoryBus()), folder)(*words)


def sweep(folder: Path, *words: str, bots: str = SWEEP) -> Answer:
    given = ["--klines", str(folder / "candles.parquet"), "--bots", str(write_sweep(folder, bots))]
    given += ["--instruments", str(folder / "instruments.yaml"), "--out", str(folder / "out"), "--jobs", "1"]
    return strikeline(folder, "sweep", *given, *words)


def test_every_configuration_is_ranked_or_refused_with_a_reason(folder: Path) -> None:
    answer = sweep(folder, "--objective", "sharpe", "--walk-forward", "2", "--json")
    assert answer.code == 0, answer.err
    told = answer.json
    assert (told["tried"], told["refused"], told["repeated"]) == (12, 6, 0)
    assert told["reasons"] == [{"reason": "max_safety_orders: expected `int` <= 100", "configurations": 6}]
    assert told == json.loads((folder / "out" / "summary.json").read_text())
    assert "12 configurations were tried" in answer.err
    assert "12 configurations were tried" in told["notes"][0]
    rows = pl.read_parquet(folder / "out" / "sweep.parquet")
    assert (rows.height, rows["rank"].null_count(), rows["refused"].null_count()) == (18, 6, 12)
    ranked = rows.drop_nulls("rank").drop_nulls("sharpe")
    assert ranked["sharpe"].is_sorted(descending=True)
    assert rows.schema["window"] == pl.Int64
    best = rows.row(0, named=True)
    parameters = {name: best[name] for name in ("window", "level", "max_safety_orders")}
    assert parameters == told["best"][0]["parameters"]
    windows = pl.read_parquet(folder / "out" / "walk_forward.parquet")
    assert windows.group_by("fold", "sample").len()["len"].to_list() == [12] * 4
    first = told["walk_forward"]["windows"][0]
    inside = windows.filter(fold=1, sample="in").drop_nulls("sharpe")
    assert first["in_sample"] == inside["sharpe"].max()


def test_the_table_shows_the_best_and_what_was_refused(folder: Path) -> None:
    answer = sweep(folder, "--top", "3", "--walk-forward", "2")
    assert answer.code == 0, answer.err
    assert "refused, 6: max_safety_orders" in answer.out
    assert "profit out-of-sample, all windows" in answer.out
    assert (folder / "out" / "best" / "report.html").exists()


def test_draws_are_the_same_again_and_those_that_repeat_count_once(folder: Path) -> None:
    bots = "  window: [5, 9]\n  level: {uniform: [30, 33]}\n"
    one, other = (sweep(folder, "--draws", "40", "--seed", "3", "--json", bots=bots).json for _ in range(2))
    assert one["tried"] + one["repeated"] == 40
    assert one["repeated"] >= 32  # there are eight
    assert (one["drawn"], one["seed"]) == (40, 3)
    assert one["best"] == other["best"]


@pytest.mark.parametrize(
    "words, bots, told",
    [
        ((), "  window: [5]\n  level: {uniform: [30, 33]}\n", "say how many to draw with --draws"),
        (("--objective", "luck"), SWEEP, "--objective: 'luck' is none of profit, "),
        (
            (),
            "  window: [5]\n  level: [30]\n  side: [up]\n",
            "every configuration is refused; the first: side",
        ),
        ((), "  window: [5]\n  level: [30]\n  pairs: [[NONE]]\n", "has no NONE"),
        (("--walk-forward", "1600"), SWEEP, "--walk-forward: 1,500 bars are too few for 1600 windows"),
        (("--walk-forward", "400"), SWEEP, "--walk-forward: the first in-sample window ends 11 bars after"),
        ((), "  window: [5]\n", "line 2: sweep.level: is missing"),
        (("--draws", "300000"), SWEEP, "300,000 configurations, more than 200,000"),
        (("--to", "2001-01-01"), SWEEP, "no usable rows"),
        (("--capital", "inf"), SWEEP, "--capital: inf is no amount"),
        (("--walk-forward", "2", "--in-sample", "inf"), SWEEP, "--in-sample: inf is no multiple"),
    ],
)
def test_what_is_wrong_is_one_clear_line_and_exit_code_2(
    folder: Path, words: tuple[str, ...], bots: str, told: str
) -> None:
    answer = sweep(folder, *words, bots=bots)
    assert (answer.code, told in answer.err) == (2, True), answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_a_placeholder_cannot_have_the_name_of_a_column(folder: Path) -> None:
    place = folder / "columns.yaml"
    place.write_text(DIP.replace("{level}", "{profit}") + "sweep:\n  window: [5]\n  profit: [30]\n")
    answer = strikeline(
        folder,
        "sweep",
        "--klines",
        str(folder / "candles.parquet"),
        "--bots",
        str(place),
        "--out",
        str(folder),
    )
    assert (answer.code, "sweep.profit: is a column of the table" in answer.err) == (2, True)


def test_broken_rows_are_counted_and_told_with_exit_code_1(tmp_path: Path) -> None:
    place = write_candles(tmp_path)
    rows = pl.read_parquet(place).with_columns(
        high=pl.when(pl.int_range(pl.len()) == 70).then(0.5).otherwise("high")
    )
    rows.write_parquet(place)
    answer = sweep(tmp_path, "--json")
    assert (answer.code, answer.json["broken_rows"]) == (1, 1), answer.err
    assert "left out" in answer.err


def test_a_grid_is_swept_like_any_bot(folder: Path) -> None:
    place = folder / "grid.yaml"
    place.write_text(
        "bot_id: g\nuser_id: alice\nkind: grid\npairs: [CENTS]\n"
        'grid: {lower: "90", upper: "110", levels: 5, quantity: "20"}\n'
        "sweep:\n  grid.levels: [5, 30, 201]\n  side: [long, neutral]\n"
    )
    given = ["--klines", str(folder / "candles.parquet"), "--bots", str(place), "--out", str(folder / "grid")]
    told = strikeline(
        folder, "sweep", *given, "--instruments", str(folder / "instruments.yaml"), "--json"
    ).json
    assert (told["tried"], told["refused"]) == (4, 2)
    assert told["reasons"][0]["reason"].startswith("grid.levels: ")
    assert told["best"][0]["figures"]["deals"] == 1


def test_funding_is_in_the_equity_and_not_in_the_ledger(folder: Path) -> None:
    bots = folder / "held.yaml"
    bots.write_text(
        DIP.replace("rsi({window}) < {level}", "close > 1").replace('"0.3"', '"90"').replace('"1.5"', '"90"')
    )
    given = [
        "--klines",
        str(folder / "candles.parquet"),
        "--bots",
        str(bots),
        "--out",
        str(folder / "funded"),
    ]
    free, paid = (
        strikeline(folder, "backtest", *given, "--jobs", "1", "--json", "--funding", percent)
        for percent in ("0", "0.05")
    )
    assert (free.code, paid.code) == (0, 0), paid.err
    assert free.json["metrics"]["net_profit"] > paid.json["metrics"]["net_profit"]
    assert free.json["bots"] == paid.json["bots"]
    assert "funding of 0.05 % per 8 h" in paid.err
    for percent, reason in (
        ("nan", "nan is no percent"),
        ("1e308", "1e+308 is not from -100 to 100 percent"),
    ):
        wrong = strikeline(folder, "backtest", *given, "--funding", percent)
        assert (wrong.code, f"--funding: {reason}" in wrong.err) == (2, True), wrong.err


def test_backtest_check_says_what_it_found_in_summary_page_and_console(folder: Path) -> None:
    bots = folder / "bots.yaml"
    bots.write_text(DIP.replace("{window}", "14").replace("{level}", "40").replace('"0.01"', '"0"'))
    given = [
        "--klines",
        str(folder / "candles.parquet"),
        "--bots",
        str(bots),
        "--out",
        str(folder / "checked"),
    ]
    answer = strikeline(
        folder, "backtest", *given, "--from", "2023-11-20T05:00", "--check", "--jobs", "1", "--json"
    )
    assert answer.code == 0, answer.err
    checks = answer.json["checks"]
    assert checks == json.loads((folder / "checked" / "summary.json").read_text())["checks"]
    assert (checks["lookahead"]["passed"], checks["warm_up"]["passed"]) == (True, True)
    assert checks["warm_up"]["bars_before"] == 300
    assert checks["intrabar"][0]["pessimistic"]["profit"] == answer.json["profit"]
    page = (folder / "checked" / "report.html").read_text()
    for line in ("lookahead: none", "warm-up: with half of the past", "intrabar: dip", "dip: slippage is 0"):
        assert line in answer.err
        assert line in page
