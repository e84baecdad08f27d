"""Every event of a story's deal as a sentence."""

import asyncio
from pathlib import Path

from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from streams.cli.sentences import sentence
from tests.pipeline import run
from tests.stories import STORIES
from tests.stories.batch import configs, instruments, klines

TOLD = [
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


def test_what_happened_is_told_in_sentences(tmp_path: Path) -> None:
    rules = Rules(Paper(), instruments(STORIES))
    made = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}", rules=rules)
    try:
        out = asyncio.run(run(made, configs(STORIES), klines(STORIES)))
    finally:
        made.close()
    told = {sentence(event) for event in out.events if event.bot_id}
    assert [line for line in TOLD if line not in told] == []
