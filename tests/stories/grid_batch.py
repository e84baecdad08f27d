"""All stories of grids as one market: each is a bot of its own on a symbol of its own; one pipeline tells them all."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from streams.engine import kinds
from streams.engine.dca import Instrument, OrderFilled
from streams.engine.grid import Deal
from tests.stories.batch import START
from tests.streams.engine.grid.story import Story, candles
from tests.streams.engine.grid.support import events, run


def bot_id(number: int) -> str:
    return f"grid-{number}"


def symbol(number: int) -> str:
    return f"G{number}USDT"


def instruments(stories: Sequence[Story]) -> dict[str, Instrument]:
    """What the venue says of each story's symbol."""
    return {symbol(number): story.instrument for number, story in enumerate(stories)}


def configs(stories: Sequence[Story]) -> list[BotConfig]:
    """A bot for each story, and its deletion where the story has one: it ends with the first bar that opens then."""
    made = []
    for number, story in enumerate(stories):
        bot = replace(
            story.bot, bot_id=bot_id(number), pairs=[symbol(number)], effective_from_ms=START, revision=1
        )
        made.append(bot)
        if story.close_at is not None:
            on_delete = "keep" if story.keep else "close"
            gone_ms = START + story.close_at - MINUTE_MS
            made.append(
                replace(bot, state="deleted", on_delete=on_delete, effective_from_ms=gone_ms, revision=2)
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
        for bar in candles(story)
    ]  # fmt: skip
    return sorted(made, key=lambda kline: (kline.open_time_ms, kline.symbol))


def wrong(
    stories: Sequence[Story], deals: Iterable[Mapping[str, Any]], fills: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Titles of stories of which the database says something else than the pure engine, and what."""
    found = {deal["bot_id"]: deal for deal in deals}
    booked = list(fills)
    out = []
    for number, story in enumerate(stories):
        row = found.get(bot_id(number))
        if row is None:
            out.append(f"{story.title}: no deal")
            continue
        mine = [fill for fill in booked if fill["deal_id"] == row["deal_id"]]
        told, expected = _told(row, mine), _expected(story)
        out += [f"{story.title}: {a} is not {b}" for a, b in zip(told, expected, strict=True) if a != b]
    return out


def _told(row: Mapping[str, Any], fills: Iterable[Mapping[str, Any]]) -> list[object]:
    names = ("price", "quantity", "quote", "fee")
    filled = [(f["at_ms"], f["level"], f["side"], *(Decimal(f[name]) for name in names)) for f in fills]
    deal = kinds.from_json(row["body"])
    assert isinstance(deal, Deal)
    closed = row["state"] == "closed"
    money = Decimal(row["profit"])
    return [filled, closed, row["close_reason"], money, deal.cells, deal.ledger, deal.trips]


def _expected(story: Story) -> list[object]:
    settled = run(
        story.bot, candles(story), instrument=story.instrument, close_at_ms=story.close_at, keep=story.keep
    )
    pure = settled[-1][1].deal
    filled = [
        (START + (bar + 1) * MINUTE_MS, f.level, f.side, f.price, f.quantity, f.quote, f.fee)
        for bar, f in events(settled)
        if isinstance(f, OrderFilled)
    ]
    return [filled, pure.closed, pure.reason, pure.profit, pure.cells, pure.ledger, pure.trips]
