"""Grids in a backtest: the stories of the pure engine, and random markets from event to event and bar by bar."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from schemas.bots import ConfigSide
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.bot import run_bot
from streams.cli.backtesting.desk import Desk
from streams.cli.backtesting.jumps import Jumps
from streams.cli.backtesting.replay import replay
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.bars import BarArrays
from streams.engine.dca import OrderFilled
from streams.feeds.ticks import boundaries
from tests.stories.grid_batch import configs, instruments, symbol
from tests.stories.grid_batch import klines as story_klines
from tests.streams.backtest.compare import story as told
from tests.streams.engine.candles import klines, walk, with_gaps
from tests.streams.engine.grid.stories import STORIES
from tests.streams.engine.grid.story import Story, candles
from tests.streams.engine.grid.support import LONG, events, of, run

KEPT = [story for story in STORIES if story.close_at is None]  # a backtest has no deletions


@pytest.mark.parametrize("story", KEPT, ids=[story.title for story in KEPT])
def test_a_story_in_a_backtest(story: Story) -> None:
    bars = BarArrays.of(story_klines([story]))
    rules = Rules(Paper(), instruments([story]))
    result = run_bot(configs([story])[0], {symbol(0): Finder(Candles.of(symbol(0), bars))}, rules)
    settled = run(story.bot, candles(story), instrument=story.instrument)
    pure = settled[-1][1].deal
    fills = [event for _, event in events(settled) if isinstance(event, OrderFilled)]
    assert [(f.level, f.price, f.quantity) for f in result.fills] == [
        (f.level, f.price, f.quantity) for f in fills
    ]
    (deal,) = result.deals
    assert (deal.profit, deal.close_reason) == (pure.profit, pure.reason)
    buys = sum((f.quantity for f in fills if f.side == "buy"), Decimal(0))
    sells = sum((f.quantity for f in fills if f.side == "sell"), Decimal(0))
    entries = (sells, buys) if story.bot.side == "short" else (buys, sells)
    assert (deal.entry_quantity, deal.exit_quantity) == entries


@pytest.mark.parametrize("seed", [1, 2])
def test_from_event_to_event_is_bar_by_bar(seed: int) -> None:
    bars = with_gaps(walk(400, seed, start=100.0), 0.02, 9, seed)
    first, end_ms = int(bars.open_time_ms[0]), int(bars.open_time_ms[-1]) + 60_000
    seen = Candles.of("BTCUSDT", bars, ticks_until_ms=end_ms)
    low, high = f"{seen.low.min() + 0.2:.1f}", f"{seen.high.max() - 0.2:.1f}"
    sides: tuple[ConfigSide, ...] = ("long", "short", "neutral")
    bots = [
        replace(
            of(LONG, lower=low, upper=high, levels=30, max_active_levels=most),
            bot_id=f"b-{side}-{most}", side=side, fee="0", effective_from_ms=first, entry=entry,
        )
        for side in sides
        for most, entry in ((None, ""), (4, "close > open"))
    ]  # fmt: skip
    rules = Rules(Paper())
    slow, fast = Desk(rules), Desk(rules)
    replay(slow, [c for bot in bots for c in slow.accept(bot)], boundaries(klines(bars, "BTCUSDT")))
    Jumps(fast, {"BTCUSDT": Finder(seen)}).run([c for bot in bots for c in fast.accept(bot)])
    assert len(slow.fills) > 50
    assert told(fast) == told(slow)
