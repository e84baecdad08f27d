"""Every story of a grid through the whole pipeline: the same fills and books as the pure engine's."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from schemas.bots import ConfigSide
from sinks.database.tables import ledger
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from streams.cli.sentences import sentence
from streams.engine.dca import Instrument
from tests.pipeline import Outcome, run
from tests.stories.grid_batch import configs, instruments, klines, wrong
from tests.streams.engine.grid.stories import STORIES
from tests.streams.engine.grid.story import Story
from tests.streams.engine.grid.support import LONG, of

TOLD = [
    "level 2: to buy 1 at 90",
    "level 3: sold 1 at 100, fee 0",
    "level 3: round trip 1 brought 10",
    "stop below: sold 4 at 69.3, fee 0",
    "the deal was closed by its stop below the range, profit -94.8",
    "4 stay with the user, at 70",
    "level 4 fired, and nothing was done: nothing to sell yet: from the next bar on the level below it is armed",
]


@pytest.mark.parametrize("step", [1, 1_000])
async def test_every_story_is_the_same_in_the_pipeline(tmp_path: Path, step: int) -> None:
    made = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}", rules=Rules(Paper(), instruments(STORIES)))
    out = await run(made, configs(STORIES), klines(STORIES), step=step)
    made.close()
    assert out.dead_letters == 0
    assert len(out.deals) == len(STORIES)
    assert wrong(STORIES, out.deals, out.fills) == []
    _check_ledger(made, out)
    told = {sentence(event) for event in out.events}
    assert [line for line in TOLD if line not in told] == []


def _check_ledger(made: Pipeline, out: Outcome) -> None:
    """Σ base = what is held, Σ quote + Σ fee = profit, for every deal."""
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


def _long_market(side: ConfigSide) -> Story:
    random, price, table = Random(side), 100.0, ["100 100 100 100"]
    for _ in range(80):
        o, a, b, c = (round(price + random.uniform(-9, 9), 2) for _ in range(4))
        table.append(f"{o} {max(o, a, b, c)} {min(o, a, b, c)} {c}")
        price = c + (100.0 - c) * 0.1
    bot = of(replace(LONG, side=side, fee="0.05"), levels=9, max_active_levels=5)
    return Story(f"a long market for a {side} grid", bot, "\n".join(table), "", instrument=Instrument())


async def test_a_long_market_is_the_same_in_the_pipeline(pipeline: Pipeline) -> None:
    """Jumps, gaps and both ways in one bar, with few levels armed at a time."""
    sides: tuple[ConfigSide, ...] = ("long", "short", "neutral")
    stories = [_long_market(side) for side in sides]
    out = await run(pipeline, configs(stories), klines(stories))
    assert len(out.fills) > 120
    assert wrong(stories, out.deals, out.fills) == []
