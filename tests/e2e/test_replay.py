"""`replay` over a real topic gives what `backtest` gives over the file that was fed, and writes to no live topic."""

import json
from pathlib import Path

import polars as pl
import pytest

from streams.cli.kafka import KafkaCluster
from streams.feeds.simulator import Market, simulate
from tests.e2e.stage import Stage
from tests.streams.cli.commandline import CommandLine
from topics.broker.choose import Broker
from topics.codec import encode
from topics.records import Outgoing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BOTS = """
- {bot_id: dip, user_id: a, pairs: [BTCUSDT], entry: rsi(14) < 30, base_order_volume: "100", safety_order_volume: "200",
   max_safety_orders: 3, price_deviation: "0.5", take_profit: {percent: "0.8"}}
- {bot_id: spike, user_id: a, pairs: [ETHUSDT], side: short, entry: rsi(14) > 70, base_order_volume: "100",
   take_profit: {percent: "0.6"}}
"""
MARKET = Market(seed=5, symbols=("BTCUSDT", "ETHUSDT"), minutes=1_500, gaps=0.02)
TABLES = ("triggers", "fills", "deals")


def test_a_topic_and_a_file_of_the_same_klines_give_the_same(kafka: Broker, tmp_path: Path) -> None:
    stage = Stage(kafka.bootstrap, tmp_path)
    (tmp_path / "bots.yaml").write_text(BOTS)
    klines = [kline for boundary in simulate(MARKET) for kline in boundary.klines]
    spec = stage.topics.klines
    records = [Outgoing(spec.name, k.symbol.encode(), encode(k), k.close_time_ms) for k in klines]
    stage.send(*records, *records[-20:], Outgoing(spec.name, b"BTCUSDT", b"{", klines[-1].close_time_ms))
    rows = [(k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume) for k in klines]
    names = ["symbol", "open_time", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(tmp_path / "candles.parquet")

    commands = CommandLine(KafkaCluster(stage.kafka), tmp_path / "state", 2)
    before = {name: commands_end(stage, name) for name in (stage.topics.triggers.name, spec.name)}
    common = ["--bots", str(tmp_path / "bots.yaml"), "--json", "--from", str(klines[600].open_time_ms)]
    place = ["--namespace", stage.topics.namespace, "--bootstrap", kafka.bootstrap]
    replayed = commands(*place, "replay", *common, "--out", str(tmp_path / "replay"), "--publish", "one")
    assert replayed.code == 1, replayed.err  # a record could not be decoded
    assert "NotJson" in replayed.err
    assert "20 repeated records" in replayed.err
    file = commands(
        "backtest", *common, "--klines", str(tmp_path / "candles.parquet"), "--out", str(tmp_path / "file")
    )
    assert file.code == 0, file.err
    for table in TABLES:
        one, other = (pl.read_parquet(tmp_path / way / f"{table}.parquet") for way in ("replay", "file"))
        assert one.height > 3
        assert one.equals(other), table
    assert (tmp_path / "replay" / "report.html").stat().st_size > 10_000
    summary = json.loads((tmp_path / "replay" / "summary.json").read_text())
    published = list(KafkaCluster(stage.kafka).read(f"{stage.topics.triggers.name}.replay.one", {0: 0, 1: 0}))
    assert len(published) == sum(bot["triggers"] for bot in summary["bots"])
    assert before == {name: commands_end(stage, name) for name in before}
    stage.close()


def commands_end(stage: Stage, topic: str) -> int:
    return sum(bounds.end for bounds in KafkaCluster(stage.kafka).bounds(topic).values())
