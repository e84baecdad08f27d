"""`replay` over a real topic gives what `backtest` gives over the file that was fed, and writes to no live topic; of
what users really produced it gives what the pipeline recorded.
"""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from msgspec import structs

from schemas.triggers import Fired
from streams.cli.kafka import KafkaCluster
from streams.feeds.publish import Feed
from streams.feeds.simulator import Market, simulate
from tests.e2e.stack import Stack, stack
from tests.e2e.stage import Stage
from tests.streams.cli.commandline import CommandLine
from tests.streams.cli.replaying.story import CUTS, FEED, Happened, recorded, users
from topics.broker.choose import Broker
from topics.codec import decode, encode
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


def test_what_users_really_produced_is_replayed_and_has_not_drifted(kafka: Broker, tmp_path: Path) -> None:
    """Bots and alerts come and go while candles do, and nobody waits for anybody."""
    with stack(kafka, tmp_path) as real:
        for process in ("worker", "executor"):
            real.start(process)
        publisher = real.cluster.publisher()
        feed = Feed(publisher, real.topics.klines.name, "story")
        for first, end in pairwise(CUTS):
            for outgoing in users(real.topics, first):
                publisher.send(outgoing)
            asyncio.run(feed.run(FEED[first:end]))
        asyncio.run(publisher.flush())
        real.wait_settled("worker", "executor")
        was = recorded(real.engine, real.topics, real.records)
        place = ["--namespace", real.topics.namespace, "--bootstrap", kafka.bootstrap]
        command = CommandLine(real.cluster, tmp_path / "state", 4, real.database)
        replayed = command(
            *place, "replay", "--json", "--out", str(tmp_path / "out"), "--publish", "two", "--check"
        )
        assert replayed.code == 1, replayed.err  # some records cannot be read, of which the executor said so
        assert "NotJson" in replayed.err
        require_replayed(was, tmp_path / "out")
        assert replayed.json["checks"]["lookahead"]["passed"]
        for spec, kept in ((real.topics.triggers, was.triggers), (real.topics.fired, was.fires)):
            own = replace(spec, name=f"{spec.name}.replay.two")
            assert sorted(r.value or b"" for r in real.records(own)) == sorted(map(encode, kept.values()))
        require_no_drift_until_forged(real, command, place)


def require_replayed(was: Happened, out: Path) -> None:
    triggers, deals, fills, fired = (
        pl.read_parquet(out / f"{name}.parquet") for name in ("triggers", "deals", "fills", "fired")
    )
    assert sorted(triggers["trigger_id"]) == sorted(was.triggers)
    told = deals.select("deal_id", "opened_at_ms", "closed_at_ms", "close_reason", "profit", "fills").rows()
    assert {row[0]: row[1:] for row in told} == was.deals
    amounts = fills.select("deal_id", "level", "generation", "at_ms", "price", "quantity").rows()
    assert {row[:3]: row[3:] for row in amounts} == was.fills
    assert sorted(zip(fired["symbol"], fired["fired_id"], strict=True)) == sorted(was.fires)
    assert min(len(was.deals), len(was.fires)) > 10


def require_no_drift_until_forged(real: Stack, command: CommandLine, place: list[str]) -> None:
    same = command(*place, "drift", "--json")
    assert same.json["differences"] == []
    assert same.json["unchecked"] == []
    assert same.code == 0
    one = real.records(real.topics.fired)[0]
    fired = decode(one, real.topics.fired)
    assert isinstance(fired, Fired)
    forged = encode(structs.replace(fired, fired_id=f"{fired.fired_id}7"))
    publisher = real.cluster.publisher()
    publisher.send(Outgoing(one.topic, one.key, forged, one.timestamp_ms))
    asyncio.run(publisher.flush())
    other = command(*place, "drift", "--json")
    assert other.code == 1
    (found,) = other.json["differences"]
    assert (found["what"], found["how"]) == ("fired", "missing")
    assert found["look"].startswith(f"strikeline explain {fired.alert_id} --at ")
