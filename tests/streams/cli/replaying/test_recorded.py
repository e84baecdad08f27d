"""A replay of recorded bots and alerts gives what the pipeline recorded, however its users came and went."""

import asyncio
import pickle
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.pool import Work, run_all
from streams.cli.drifting.check import Window, evaluator
from streams.cli.errors import Invalid
from streams.cli.pipeline import Pipeline
from streams.cli.replaying.configs import recorded_bots
from streams.feeds.publish import Feed
from streams.feeds.ticks import Boundary
from streams.inprocess import EvaluatorWorker
from tests.streams.cli.replaying.story import (
    CUTS,
    FEED,
    alert,
    at,
    bot,
    candles,
    changed,
    happened,
    put,
    recorded_by,
    replayed,
    users,
)  # fmt: skip
from topics.bus.publisher import MemoryPublisher
from topics.records import Outgoing


def live(folder: Path, *, quiet: bool, seed: int) -> Pipeline:
    """`quiet`: all parts take their turns before more candles come; else the evaluator also dies now and then."""
    pipeline = Pipeline(f"sqlite:///{folder / f'strikeline-{seed}.db'}", seed=seed)
    for first, end in pairwise(CUTS):
        for outgoing in users(pipeline.topics, first):
            pipeline.bus.append(outgoing)
        if quiet:
            asyncio.run(pipeline.run_until_idle())
        else:
            asyncio.run(feed_and_die(pipeline, FEED[first : first + 30]))
            first += 30
        asyncio.run(pipeline.feed(FEED[first:end], step=60))
    return pipeline


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Everybody was done before anybody changed anything."""
    made = live(tmp_path_factory.mktemp("calm"), quiet=True, seed=3)
    yield made
    made.close()


async def feed_and_die(pipeline: Pipeline, some: list[Boundary]) -> None:
    """The evaluator sees a part of what is there, says what it says, and has not persisted it."""
    await Feed(MemoryPublisher(pipeline.bus), pipeline.topics.klines.name, "file").run(some)
    await pipeline.evaluator.step(20)
    await pipeline.evaluator.station.settle()
    pipeline.evaluator.crash()
    pipeline.evaluator = EvaluatorWorker(pipeline.bus, pipeline.topics)


def require_same(pipeline: Pipeline, out: Path, *, database: bool = True) -> None:
    was, now = recorded_by(pipeline), happened(replayed(pipeline, out, database=database))
    assert now.triggers == was.triggers
    assert now.deals == was.deals
    assert now.fills == was.fills
    assert now.fires == was.fires
    assert len(was.deals) > 10
    assert {one.alert_id for one in was.fires.values()} == {"dip", "once", "brief", "late"}


def test_all_that_was_recorded_comes_again(calm: Pipeline, tmp_path: Path) -> None:
    require_same(calm, tmp_path)
    traded = {one.bot_id for one in recorded_by(calm).triggers.values()}
    assert traded == {"stays", "edited", "paused", "again", "spread"}


def test_where_nothing_raced_the_topics_are_enough(calm: Pipeline, tmp_path: Path) -> None:
    require_same(calm, tmp_path, database=False)


@pytest.mark.parametrize("seed", [1, 2])
def test_edits_that_raced_and_an_evaluator_that_died_change_nothing(seed: int, tmp_path: Path) -> None:
    pipeline = live(tmp_path, quiet=False, seed=seed)
    require_same(pipeline, tmp_path)
    pipeline.close()


def test_one_config_goes_the_fast_way_and_several_are_walked(calm: Pipeline, tmp_path: Path) -> None:
    done = replayed(calm, tmp_path)
    walked = {result.bot_id: result.walked for result in done.results}
    assert walked["edited"] == "bar by bar because: 2 configs, one after another"
    assert {bot["bot_id"]: bot["configs"] for bot in done.report.summary["configs"]} == {
        "again": 3, "edited": 2, "paused": 3, "spread": 2, "stays": 2
    }  # fmt: skip
    early = replayed(calm, tmp_path, database=False, loaded=candles(until=100))
    assert {result.walked.partition(" ")[0] for result in early.results} <= {"compiled", "from"}
    assert not early.report.sound, "records that nobody can read"
    assert "NotJson" in "\n".join(early.report.notes)


def test_what_was_refused_is_told_and_left_out(calm: Pipeline, tmp_path: Path) -> None:
    notes = replayed(calm, tmp_path).report.notes
    refused = [note for note in notes if "refused then" in note or "dead-lettered then" in note]
    assert [
        word
        for word in ("belongs to another user", "entry", "NotJson", "alert_command")
        if word in " ".join(refused)
    ]
    assert len(refused) == 4
    assert not any("--database" in note for note in notes)
    assert any("--database" in note for note in replayed(calm, tmp_path, database=False).report.notes)


def test_alerts_have_a_table_of_their_own(calm: Pipeline, tmp_path: Path) -> None:
    done = replayed(calm, tmp_path)
    table = pl.read_parquet(tmp_path / "fired.parquet")
    assert table["fired_id"].to_list() == [one.fired_id for one in done.fires]
    counted = {(one["user_id"], one["alert_id"]): one["fires"] for one in done.report.summary["alerts"]}
    assert sum(counted[name] for name in {("alice", "dip"), ("alice", "once")}) > 10


def test_a_window_leaves_out_deals_that_were_open_when_it_begins_and_says_so(
    calm: Pipeline, tmp_path: Path
) -> None:
    whole = happened(replayed(calm, tmp_path))
    opened = next(o for o, c, *_ in whole.deals.values() if c is not None and c > o + 120_000)
    done = replayed(calm, tmp_path, from_ms=opened + 60_000)
    part = happened(done)
    assert part.deals == {name: deal for name, deal in whole.deals.items() if deal[0] > opened + 60_000}
    assert part.triggers == {k: v for k, v in whole.triggers.items() if v.bar.open_time_ms >= opened + 60_000}
    assert part.fires == {k: v for k, v in whole.fires.items() if v.bar.open_time_ms >= opened + 60_000}
    assert {key[0] for key in part.fills} <= part.deals.keys()
    assert any("open at --from" in note for note in done.report.notes)


def test_what_was_compacted_away_is_told(tmp_path: Path) -> None:
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}")
    put(pipeline, pipeline.topics.configs, [bot("old", revision=4)])
    done = replayed(pipeline, tmp_path, database=False, loaded=candles(until=50))
    assert any("first known revision is 4" in note for note in done.report.notes)
    pipeline.close()


def test_pairs_without_candles_are_told_and_the_others_replayed(tmp_path: Path) -> None:
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}")
    some = bot("some", pairs=["BTCUSDT", "XRPUSDT"])
    put(
        pipeline,
        pipeline.topics.configs,
        [some, bot("none", pairs=["XRPUSDT"]), changed(some, 90, entry="rsi(14) < 45")],
    )
    put(pipeline, pipeline.topics.user_alerts, [alert("far", symbol="XRPUSDT")])
    asyncio.run(pipeline.feed(FEED[:200]))
    done = replayed(pipeline, tmp_path, loaded=candles(until=200), check=True)
    assert happened(done).deals == recorded_by(pipeline).deals
    assert done.results[0].deals
    told = " ".join(done.report.notes)
    for words in ("none: not replayed", "some: no candles of XRPUSDT", "alerts of XRPUSDT: not replayed"):
        assert words in told
    pipeline.close()


def test_bots_in_parts_that_go_to_other_processes_give_the_same(calm: Pipeline) -> None:
    """Of processes themselves `tests/streams/cli/test_backtest.py` has a test; this is what they are sent."""
    lives = recorded_bots(calm.cluster, calm.topics, Rules(Paper()), None).lives
    work = Work([life.config for life in lives], {}, changes={life.bot_id: life.changes for life in lives})
    held = candles().candles
    alone = run_all(work, held, 1, lambda done, name: None)
    parts = [work.of([life.config]) for life in lives]
    sent = [pickle.loads(pickle.dumps(part)) for part in parts]
    assert [run_all(part, held, 1, lambda done, name: None)[0] for part in sent] == alone
    assert sum(len(result.fills) for result in alone) > 20


def test_nothing_to_replay_is_an_error(tmp_path: Path) -> None:
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}")
    pipeline.bus.append(Outgoing(pipeline.topics.configs.name, b"x", b"{", at(0)))
    with pytest.raises(Invalid, match=r"(?s)nothing to replay.*NotJson"):
        replayed(pipeline, tmp_path)
    pipeline.close()


@pytest.mark.parametrize(
    "later", [{"state": "deleted"}, {"condition": "rsi(14) > 65"}, {"condition": "rsi("}]
)
def test_a_command_that_overtook_candles_ended_the_alert_when_it_came(
    later: dict[str, Any], tmp_path: Path
) -> None:
    """The evaluator had seen 200 minutes when it read what was to be in force from 400 on."""
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}")
    for minutes, command in ((slice(0, 200), alert("dip")), (slice(200, 600), alert("dip", 400, **later))):
        put(pipeline, pipeline.topics.user_alerts, [command])
        asyncio.run(pipeline.run_until_idle())
        asyncio.run(pipeline.feed(FEED[minutes]))
    was = recorded_by(pipeline).fires
    assert was
    assert not any(at(200) < one.bar.close_time_ms <= at(400) for one in was.values())
    assert happened(replayed(pipeline, tmp_path)).fires == was
    ever = Window(-1, at(10_000))
    checked = evaluator(pipeline.cluster, pipeline.topics, ever, fill_up_to=5)
    assert checked.differences == []
    assert checked.compared["fired alerts"] == len(was)
    pipeline.close()


def test_alerts_alone_can_be_replayed(tmp_path: Path) -> None:
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}")
    put(
        pipeline,
        pipeline.topics.user_alerts,
        [alert("dip"), alert("ticks", on="tick", frequency="once_per_bar")],
    )
    asyncio.run(pipeline.feed(FEED[:200]))
    done = replayed(pipeline, tmp_path, loaded=candles(until=200), check=True)
    assert happened(done).fires == recorded_by(pipeline).fires
    assert len(done.fires) > 3
    assert any("on tick" in note for note in done.report.notes)
    pipeline.close()
