"""Every story of a grid through the whole pipeline: the same fills and books as the pure engine's."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from streams.engine import kinds
from streams.engine.dca import OrderFilled
from streams.engine.grid import Deal
from tests.pipeline import START, Outcome, Shape, bars, run
from tests.streams.engine.grid.stories import STORIES
from tests.streams.engine.grid.story import Story, candles
from tests.streams.engine.grid.support import events
from tests.streams.engine.grid.support import run as pure_run


def bot_of(number: int, story: Story) -> BotConfig:
    """The story's bot, on a symbol of its own."""
    return replace(
        story.bot, bot_id=f"story-{number}", pairs=[f"S{number}"], effective_from_ms=START, revision=1
    )


def klines_of(number: int, story: Story) -> list[Kline]:
    shapes: list[Shape] = [(bar.open, bar.high, bar.low, bar.close) for bar in candles(story)]
    return bars(shapes, f"S{number}")


def deletion_of(number: int, story: Story) -> BotConfig | None:
    """A story that ends at an instant is that of a bot deleted a bar before."""
    if story.close_at is None:
        return None
    return BotConfig(
        bot_id=f"story-{number}", user_id=story.bot.user_id, state="deleted", revision=2,
        on_delete="keep" if story.keep else "close", effective_from_ms=START + story.close_at - MINUTE_MS,
    )  # fmt: skip


def check_story(number: int, story: Story, out: Outcome) -> None:
    """Fills, the deal's row and the deal itself, against the pure run."""
    settled = pure_run(
        story.bot, candles(story), instrument=story.instrument, close_at_ms=story.close_at, keep=story.keep
    )
    pure = settled[-1][1].deal
    row = next(deal for deal in out.deals if deal["bot_id"] == f"story-{number}")
    wanted = [
        (START + (bar + 1) * MINUTE_MS, f.level, f.side, f.price, f.quantity, f.quote, f.fee)
        for bar, f in events(settled)
        if isinstance(f, OrderFilled)
    ]
    names = ("price", "quantity", "quote", "fee")
    mine = [fill for fill in out.fills if fill["deal_id"] == row["deal_id"]]
    found = [(f["at_ms"], f["level"], f["side"], *(Decimal(f[name]) for name in names)) for f in mine]
    assert found == wanted, story.title
    assert (row["state"] == "closed", row["close_reason"]) == (pure.closed, pure.reason), story.title
    assert Decimal(row["profit"]) == pure.profit
    deal = kinds.from_json(row["body"])
    assert isinstance(deal, Deal)
    assert (deal.cells, deal.ledger, deal.trips) == (pure.cells, pure.ledger, pure.trips), story.title


@pytest.mark.parametrize("step", [1, 1_000])
async def test_every_story_is_the_same_in_the_pipeline(tmp_path: Path, step: int) -> None:
    instruments = {f"S{number}": story.instrument for number, story in enumerate(STORIES)}
    made = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}", rules=Rules(Paper(), instruments))
    bots = [bot_of(number, story) for number, story in enumerate(STORIES)]
    bots += [gone for number, story in enumerate(STORIES) if (gone := deletion_of(number, story))]
    klines = [kline for number, story in enumerate(STORIES) for kline in klines_of(number, story)]
    out = await run(made, bots, sorted(klines, key=lambda kline: kline.open_time_ms), step=step)
    made.close()
    assert out.dead_letters == 0
    assert len(out.deals) == len(STORIES)
    for number, story in enumerate(STORIES):
        check_story(number, story, out)
    _check_ledger(made, out)


def _check_ledger(made: Pipeline, out: Outcome) -> None:
    """Σ base = what is held, Σ quote + Σ fee = profit, for every deal."""
    from sqlalchemy import select

    from sinks.database.tables import ledger

    with made.engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(ledger))]
    for deal in out.deals:
        own = [row for row in rows if row["deal_id"] == deal["deal_id"]]
        sums = {
            name: sum((Decimal(row["amount"]) for row in own if row["account"] == name), Decimal(0))
            for name in ("base", "quote", "fee")
        }
        assert sums["quote"] + sums["fee"] == Decimal(deal["profit"])
        held = Decimal(deal["quantity"])
        assert sums["base"] == (-held if deal["side"] == "short" else held)
