"""The replay gives what the in-process pipeline gives: the same decisions, without topics and database."""

from pathlib import Path

from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.desk import Desk, accept_all
from streams.cli.backtesting.replay import replay
from streams.cli.pipeline import Pipeline
from streams.feeds.ticks import boundaries
from tests.pipeline import bars, golden_bot, run


async def test_a_replay_is_the_pipeline_without_topics_and_database(tmp_path: Path) -> None:
    shapes = [100.0 + 3 * ((i * 7) % 5 - 2) for i in range(60)]
    bots = [golden_bot(), golden_bot(bot_id="patient", cooldown_s=600, max_safety_orders=2)]
    pipeline = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}")
    out = await run(pipeline, bots, bars(shapes))
    pipeline.close()

    desk = Desk(Rules(Paper()))
    replay(desk, accept_all(desk, bots), boundaries(bars(shapes)))

    assert len(desk.fills) > 10
    key = lambda t: (t.bot_id, t.generation)  # noqa: E731
    assert sorted(desk.triggers, key=key) == sorted(out.triggers, key=key)
    columns = (
        "deal_id",
        "level",
        "generation",
        "trigger_id",
        "at_ms",
        "side",
        "price",
        "quantity",
        "quote",
        "fee",
    )
    assert sorted(tuple(getattr(fill, name) for name in columns) for fill in desk.fills) == sorted(
        tuple(
            str(fill[name]) if name in {"price", "quantity", "quote", "fee"} else fill[name]
            for name in columns
        )
        for fill in out.fills
    )
    assert {d["deal_id"]: d["profit"] for d in out.deals if d["state"] == "closed"} == {
        name: str(held.deal.profit) for name, held in desk.deals.items() if not held.open
    }
