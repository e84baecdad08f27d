"""A small market and those who act on it: what the good records of these tests say."""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec.structs import replace

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.interval import MINUTE_MS
from streams.feeds.publish import Feed
from streams.feeds.simulator import Market, simulate
from streams.feeds.ticks import Ticker
from topics.bus import MemoryBus, MemoryPublisher
from topics.partitioner import partition_for
from topics.records import Outgoing
from topics.registry import Topics

START_MS: Final = 1_700_000_040_000
SYMBOLS: Final = ("ADAUSDT", "BTCUSDT", "DOTUSDT", "ETHUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT")
Frequency = Literal["once", "once_per_bar_close", "every"]
FREQUENCIES: Final[tuple[Frequency, ...]] = ("once", "once_per_bar_close", "every")
_CONDITIONS: Final = ("close > open", "rsi(5) < 45", "crosses_above(close, sma(5))", "close < ema(8)")
_ENTRIES: Final = (
    "close > 0",
    "close > open",
    "rsi(5) < 40",
    "close < sma(7)",
    "crosses_below(close, ema(4))",
)


def feed(topics: Topics, minutes: int) -> Iterator[Outgoing]:
    """Bars and ticks of every symbol as a feed sends them; a lively market, so that ladders are walked."""
    market = Market(seed=7, symbols=SYMBOLS, start_ms=START_MS, minutes=minutes, volatility=6.0)
    sender, ticker = Feed(MemoryPublisher(MemoryBus()), topics.klines.name, "test"), Ticker("test")
    for boundary in simulate(market):
        for message in ticker.events(boundary):
            sent = sender.outgoing(message, boundary.time_ms)
            yield sent._replace(partition=partition_for(sent.key or b"", topics.partitions))


def bots(count: int, user_id: str = "alice") -> list[BotConfig]:
    """Bots of one symbol each, long and short, that enter early and often."""
    return [bot(number, f"bot-{number}", user_id) for number in range(count)]


def bot(number: int, bot_id: str, user_id: str) -> BotConfig:
    """The bot of that number under a name of its own."""
    return BotConfig(
        bot_id=bot_id,
        user_id=user_id,
        revision=1,
        pairs=[SYMBOLS[number % len(SYMBOLS)]],
        side="short" if number % 2 else "long",
        entry=_ENTRIES[number % len(_ENTRIES)],
        base_order_volume="100",
        safety_order_volume="100",
        max_safety_orders=number % 4,
        price_deviation="0.3",
        take_profit=TakeProfit(percent="0.6"),
        stop_loss=StopLoss(percent="4") if number % 3 else None,
        effective_from_ms=START_MS,
    )


PAUSED: Final = "paused"


def paused_bot(user_id: str = "alice") -> BotConfig:
    """A bot that never trades: what counts its generations up changes nothing that is compared."""
    return replace(bot(0, PAUSED, user_id), state="paused")


def alerts(count: int, user_id: str = "alice") -> list[AlertCommand]:
    """Alerts of every frequency on every symbol. The first of each symbol fires on each of its bars."""
    return [_alert(number, user_id) for number in range(count)]


def _alert(number: int, user_id: str) -> AlertCommand:
    every_bar = number < len(SYMBOLS)
    frequency: Frequency = "every" if every_bar else FREQUENCIES[number % len(FREQUENCIES)]
    again = frequency == "once_per_bar_close" and number % 5 == 0
    return AlertCommand(
        alert_id=f"alert-{number}",
        user_id=user_id,
        symbol=SYMBOLS[number % len(SYMBOLS)],
        condition="close > 0" if every_bar else _CONDITIONS[number % len(_CONDITIONS)],
        frequency=frequency,
        rearm="after_bars" if again else "on_false",
        rearm_bars=3 if again else 1,
        debounce_bars=1 + number % 2 if not every_bar else 1,
        effective_from_ms=START_MS,
        message=f"number {number}",
    )


def minute(number: int) -> int:
    """Open time of the bar of that number."""
    return START_MS + number * MINUTE_MS
