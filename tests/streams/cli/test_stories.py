"""Every story through the whole pipeline in one process: the same fills, the same end, and a ledger that agrees."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from sinks.database.tables import ledger
from sinks.executor.decision import Rules
from sinks.reconciler.findings import Finding
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from streams.cli.sentences import sentence
from tests.pipeline import Outcome, run
from tests.sinks.reconciling import differences
from tests.stories import STORIES
from tests.stories.batch import bot_id, configs, ending, expected, instruments, klines, rows
from tests.stories.story import Story

SENTENCES = [
    "base order: bought 1 at 100, fee 0",
    "target 1: sold 0.5 at 110, fee 0",
    "safety order 1: bought 1.2 at 90, fee 0",
    "safety order 2 is bought together with safety order 3",
    "safety order 3: bought 4.3 at 70, fee 0",
    "the deal was closed by its take profit, profit 10",
    "the deal was closed by its stop at break even, profit 5",
    "the deal was closed by its close rule, profit 5",
    "close rule fired, and nothing was done: closing would bring less than 3 % of what was invested",
    "the market closed beyond the stop at 85: it stops unless the market comes back",
    "the market closed back on the deal's side of the stop at 85",
    "base order: bought 1 at 100, fee 0.01 of them",
    "0.09 left are too little to be sold, and were booked off",
    "a short deal is opened",
    "base order: to buy 1 at the market",
    "target 1: to sell 0.5 at 110",
]


class Told(NamedTuple):
    """What came of all stories together. `found`: what the reconciler says of it."""

    outcome: Outcome
    booked: dict[str, list[dict[str, Any]]]
    found: list[Finding]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    rules = Rules(Paper(), instruments(STORIES))
    made = Pipeline(f"sqlite:///{tmp_path_factory.mktemp('stories') / 'deals.db'}", rules=rules)
    try:
        out = asyncio.run(run(made, configs(STORIES), klines(STORIES)))
        booked = defaultdict(list)
        with made.engine.connect() as connection:
            for row in connection.execute(select(ledger)):
                booked[row.deal_id].append(dict(row._mapping))
        yield Told(out, booked, differences(made.engine, made.bus, made.topics))
    finally:
        made.close()


@pytest.mark.parametrize("number, story", list(enumerate(STORIES)), ids=[story.title for story in STORIES])
def test_a_story_ends_as_it_is_told(told: Told, number: int, story: Story) -> None:
    (deal,) = [deal for deal in told.outcome.deals if deal["bot_id"] == bot_id(number)]
    fills = [fill for fill in told.outcome.fills if fill["deal_id"] == deal["deal_id"]]
    assert rows(fills) == story.rows
    assert ending(deal) == expected(story)

    sums = {account: Decimal(0) for account in ("base", "quote", "fee")}
    for entry in told.booked[deal["deal_id"]]:
        sums[entry["account"]] += Decimal(entry["amount"])
    if story.ends:
        assert sums["base"] == 0
        assert sums["quote"] + sums["fee"] == Decimal(story.profit)
    else:
        assert sums["base"] == Decimal(story.holds) * (1 if story.bot.side == "long" else -1)


def test_every_reason_why_nothing_was_done_is_an_event(told: Told) -> None:
    for number, story in enumerate(STORIES):
        events = [e for e in told.outcome.events if e.bot_id == bot_id(number)]
        reasons = [e.reason for e in events if e.event == "ignored" and e.deal_id]
        assert len(reasons) == len(story.skipped.split("; ") if story.skipped else []), story.title
        assert all(reason in story.skipped for reason in reasons)
    assert told.outcome.dead_letters == 0


def test_the_reconciler_finds_nothing(told: Told) -> None:
    assert told.found == []


def test_what_happened_is_told_in_sentences(told: Told) -> None:
    said = {sentence(event) for event in told.outcome.events if event.bot_id}
    assert [line for line in SENTENCES if line not in said] == []
