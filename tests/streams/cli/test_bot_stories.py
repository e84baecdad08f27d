"""Stories of bots, all in one pipeline in one process, and again with the parts taking their turns otherwise.

Where others' candles go on after a story's last one, ticks stand in for its own: schedules go on, which is not told.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.market import Kline
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from tests.pipeline import Outcome, run
from tests.sinks.reconciling import differences
from tests.stories.batch import START
from tests.stories.bots import MINUTE, STORIES, BotStory
from tests.stories.story import bars_of
from tests.streams.engine.dca.support import TENTHS

_TOLD = {"entry_refused", "entry_delayed", "disabled", "ignored", "rejected"}
NUMBERED = pytest.mark.parametrize(
    "number, story", list(enumerate(STORIES)), ids=[story.title for story in STORIES]
)


def _symbol(number: int, symbol: str) -> str:
    """AUSDT of the 12th story is A12USDT."""
    return f"{symbol[0]}{number}USDT"


def _configs() -> list[BotConfig]:
    return [
        replace(bot, bot_id=f"bot-{number}", pairs=[_symbol(number, pair) for pair in bot.pairs])
        for number, story in enumerate(STORIES)
        for bot in (story.bot, *story.edits)
    ]


def _klines() -> list[Kline]:
    made = [
        Kline(
            symbol=_symbol(number, symbol), interval="1m", open_time_ms=START + bar.open_time_ms, feed="test",
            open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=1.0,
        )
        for number, story in enumerate(STORIES)
        for symbol, table in story.candles.items()
        for bar in bars_of(table)
    ]  # fmt: skip
    return sorted(made, key=lambda kline: (kline.open_time_ms, kline.symbol))


def _told(path: Path, step: int, seed: int | None) -> Outcome:
    klines = _klines()
    rules = Rules(Paper(), {kline.symbol: TENTHS for kline in klines})
    made = Pipeline(f"sqlite:///{path}", rules=rules, seed=seed)
    try:
        told = asyncio.run(run(made, _configs(), klines, step=step))
        assert differences(made.engine, made.bus, made.topics) == []
        return told
    finally:
        made.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Every candle is answered before the next one comes."""
    return _told(tmp_path_factory.mktemp("stories") / "deals.db", 1, None)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All candles are there before the first answer, and the parts take their turns by chance."""
    return _told(tmp_path_factory.mktemp("at-once") / "deals.db", 1_000, 7)


def _bar(at_ms: int) -> int:
    return (at_ms - START) // MINUTE - 1


def _deals(out: Outcome, number: int) -> dict[str, dict[str, Any]]:
    """The story's deals by name: A1 for the first on AUSDT, and so on."""
    counted: Counter[str] = Counter()
    names: dict[str, dict[str, Any]] = {}
    for deal in out.deals:
        if deal["bot_id"] == f"bot-{number}":
            counted[deal["symbol"][0]] += 1
            names[f"{deal['symbol'][0]}{counted[deal['symbol'][0]]}"] = deal
    return names


@NUMBERED
def test_a_bot_s_story_ends_as_it_is_told(told: Outcome, number: int, story: BotStory) -> None:
    deals, last = _deals(told, number), max(len(bars_of(table)) for table in story.candles.values())
    names = {deal["deal_id"]: name for name, deal in deals.items()}
    fills = [
        [str(_bar(f["at_ms"])), names[f["deal_id"]], f["level"], f["side"], f["quantity"], f["price"]]
        for f in told.fills
        if f["deal_id"] in names and _bar(f["at_ms"]) < last
    ]
    assert sorted(fills) == sorted(line.split() for line in story.fills.strip().splitlines())
    ended = [f"{name} {d['close_reason']} {d['profit']}" for name, d in deals.items() if d["closed_at_ms"]]
    assert "; ".join(sorted(ended)) == story.deals
    events = [
        e for e in told.events if e.bot_id == f"bot-{number}" and e.event in _TOLD and _bar(e.at_ms) < last
    ]
    assert "; ".join(f"{_bar(e.at_ms)} {e.event} {e.reason}" for e in events) == story.events
    assert told.dead_letters == 0


@NUMBERED
def test_an_evaluator_far_ahead_of_the_executor_changes_nothing(
    told: Outcome, at_once: Outcome, number: int, story: BotStory
) -> None:
    """What one group sees is in order; two groups of one pair would not be, which is why deals share one."""
    if len(story.candles) > 1:
        pytest.skip("deals on several symbols are in the order of their triggers")
    mine = {deal["deal_id"] for deal in _deals(told, number).values()}
    assert [d for d in at_once.deals if d["bot_id"] == f"bot-{number}"] == list(_deals(told, number).values())
    assert [f for f in at_once.fills if f["deal_id"] in mine] == [
        f for f in told.fills if f["deal_id"] in mine
    ]
