"""The demo without a broker: the same parts, the same seed, the same deals."""

from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.app import app
from tests.streams.cli.commandline import Answer


def demo(folder: Path, *words: str) -> Answer:
    result = CliRunner().invoke(app, ["--dir", str(folder), "demo", "--in-process", *words])
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    return demo(tmp_path_factory.mktemp("demo"), "--json")


def test_bots_open_average_down_and_win_and_nothing_is_dead(answer: Answer) -> None:
    assert answer.code == 0
    report = answer.json
    assert report["mode"] == "in-process"
    assert report["simulated"] is True
    assert report["averaged_with_profit"] >= 1
    assert report["klines"] == 4_320
    assert (report["dead_letters"], report["triggers"] > 20) == (0, True)
    profits = [Decimal(deal["profit"]) for deal in report["deals"] if deal["state"] == "closed"]
    assert sum(profits) == Decimal(report["profit"])


def test_a_grid_a_periodic_bot_and_an_alert_are_there_beside_them(answer: Answer) -> None:
    report = answer.json
    (grid,) = report["grids"]
    own = [fill for fill in report["fills"] if fill["deal_id"] == grid["deal_id"]]
    assert {deal["bot_id"]: deal["kind"] for deal in report["deals"]}["grid-trader"] == "grid"
    # At the start it bought for four cells; since then every fill opened or completed a round trip.
    held = sum(fill["side"] == "buy" for fill in own[1:]) + 4 - sum(fill["side"] == "sell" for fill in own)
    assert grid["round_trips"] == sum(fill["side"] == "sell" for fill in own) > 5
    assert (grid["buys"], grid["sells"]) == (8 - held, held)
    assert Decimal(grid["round_trips_brought"]) > 0
    (saver,) = [deal for deal in report["deals"] if deal["bot_id"] == "saver"]
    assert (saver["state"], Decimal(saver["invested"]) >= 250) == ("open", True)
    assert {fired["alert_id"] for fired in report["fired"]} == {"oversold"}
    assert all(fired["values"]["rsi(14)"] < 25 for fired in report["fired"])


def test_it_says_that_it_is_not_on_kafka_and_that_prices_are_made_up(answer: Answer) -> None:
    assert "SIMULATED market, seed 7" in answer.err
    assert "not on Kafka" in answer.err
    assert any("not on Kafka" in text for text in answer.json["notes"])


def test_fills_add_up_to_what_the_deals_say(answer: Answer) -> None:
    for deal in answer.json["deals"]:
        fills = [fill for fill in answer.json["fills"] if fill["deal_id"] == deal["deal_id"]]
        signs = {"buy": -1, "sell": 1}
        gained = sum(signs[f["side"]] * Decimal(f["quote"]) - Decimal(f["fee"]) for f in fills)
        assert gained == Decimal(deal["profit"])


def test_a_file_instead_of_the_simulator_and_the_report_as_tables(tmp_path: Path) -> None:
    rows = [
        f"AUSDT,{1_700_000_040_000 + i * 60_000},{10 + i % 9},30,5,{10 + (i + 1) % 9},1" for i in range(300)
    ]
    path = tmp_path / "klines.csv"
    path.write_text("symbol,open_time,open,high,low,close,volume\n" + "\n".join(rows))
    answer = demo(tmp_path, "--klines", str(path))
    assert answer.code == 0
    assert "deals (recorded prices)" in answer.out
    assert "300 klines" in answer.out


def test_a_file_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    answer = demo(tmp_path, "--klines", "nowhere.parquet")
    assert (answer.code, "nowhere.parquet: is no file" in answer.err) == (2, True)
