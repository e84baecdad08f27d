"""All stories as one market: each is a bot of its own on a symbol of its own, so one pipeline tells them all."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from streams.engine.dca import Instrument
from tests.stories.story import Row, Story

START = 1_700_000_040_000
"""A minute boundary: the open time of every first candle."""


class Ending(NamedTuple):
    """What the database says of a deal."""

    reason: str
    profit: str
    holds: str
    ambiguous: int


def bot_id(number: int) -> str:
    return f"story-{number}"


def symbol(number: int) -> str:
    return f"S{number}USDT"


def instruments(stories: Sequence[Story]) -> dict[str, Instrument]:
    """What the venue says of each story's symbol."""
    return {symbol(number): story.instrument for number, story in enumerate(stories)}


def configs(stories: Sequence[Story]) -> list[BotConfig]:
    """A bot for each story, which enters at the close of its first candle, and deletions where a story has one."""
    made = []
    for number, story in enumerate(stories):
        bot = replace(
            story.bot,
            bot_id=bot_id(number),
            pairs=[symbol(number)],
            entry={"at": START + MINUTE_MS},
            effective_from_ms=START,
            revision=1,
        )
        made.append(bot)
        if story.close_at is not None:
            gone_ms = START + story.close_at - MINUTE_MS  # closes with the first bar that opens then
            made.append(
                replace(bot, state="deleted", on_delete="close", effective_from_ms=gone_ms, revision=2)
            )
    return made


def klines(stories: Sequence[Story]) -> list[Kline]:
    """Every story's candles, in order of their close."""
    made = [
        Kline(
            symbol=symbol(number), interval="1m", open_time_ms=START + bar.open_time_ms, feed="test",
            open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=1.0,
        )
        for number, story in enumerate(stories)
        for bar in story.bars
    ]  # fmt: skip
    return sorted(made, key=lambda kline: (kline.open_time_ms, kline.symbol))


def rows(fills: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Fills of the database, in order, as a story's table has them."""
    return [
        Row(
            (fill["at_ms"] - START) // MINUTE_MS - 1,
            fill["level"],
            fill["side"],
            *(Decimal(fill[name]) for name in ("quantity", "price", "fee", "fee_base")),
        )
        for fill in fills
    ]


def ending(deal: Mapping[str, Any]) -> Ending:
    """What the database says of a deal."""
    closed = deal["state"] == "closed"
    profit = deal["profit"] if closed else ""
    return Ending(deal["close_reason"] or "", profit, deal["quantity"], deal["ambiguous_bars"])


def expected(story: Story) -> Ending:
    """What a story says of its deal."""
    return Ending(story.ends, story.profit, story.holds, len(story.ambiguous.split()))
