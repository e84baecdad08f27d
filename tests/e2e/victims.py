"""Messages that would act at once if they were let in: what malformed records are made of.

Prices far off the market on a bar that is due, bots that enter on the first bar, triggers for bots that exist.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from schemas.alerts import AlertCommand, BotAction, GroupCommand, Member
from schemas.bots import BotConfig
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from schemas.message import Message
from schemas.triggers import Bar, FiredMember, StaleCommand, Trigger
from tests.e2e.good_inputs import START_MS, SYMBOLS, bot, minute
from topics.codec import encode
from topics.partitioner import partition_for
from topics.records import Outgoing
from topics.registry import Topics
from topics.spec import TopicSpec

INTRUDER: Final = "mallory"
_DEEP: Final = b'{"not":' * 10_000 + b"1" + b"}" * 10_000
_DEEP_AND_SMALL: Final = b"[" * 10_000
"""80 kB would be too large for a kline before anybody looks how deep it is."""


class Victim(NamedTuple):
    """One topic's message, made from a number, and the names of a numeric and a textual field of it."""

    spec: TopicSpec
    make: Callable[[int], Message]
    number: str
    text: str
    nested: str = "comment"
    deep: bytes = _DEEP


def victims(topics: Topics) -> dict[str, Victim]:
    """One for each topic that the evaluator or the executor consumes, by its name in the registry."""
    return {
        "klines": Victim(topics.klines, kline, "high", "interval", deep=_DEEP_AND_SMALL),
        "configs": Victim(topics.configs, config, "revision", "entry", "entry"),
        "user_alerts": Victim(topics.user_alerts, alert, "rearm_bars", "frequency", "condition"),
        "alerts": Victim(topics.alerts, group, "generation", "op"),
        "triggers": Victim(topics.triggers, trigger, "generation", "trigger_id"),
    }


def outgoing(spec: TopicSpec, message: Message) -> Outgoing:
    """The record that `message` belongs into, on the partition it belongs to."""
    key: bytes = getattr(message, spec.key).encode()
    return Outgoing(spec.name, key, encode(message), START_MS, partition=partition_for(key, spec.partitions))


def symbol(number: int) -> str:
    """Symbols by turns."""
    return SYMBOLS[number % len(SYMBOLS)]


def kline(number: int) -> Kline:
    """A bar among those that are due, far off the market."""
    return Kline(
        symbol=symbol(number), interval="1m", open_time_ms=minute(number % 60), feed="forged",
        open=1.0, high=9e6, low=0.5, close=8e6, volume=1.0,
    )  # fmt: skip


def config(number: int) -> BotConfig:
    """A bot of somebody else, which enters on the first bar."""
    return bot(5 * number, f"forged-{number}", INTRUDER)


def alert(number: int, **changes: Any) -> AlertCommand:
    """An alert that fires on every bar."""
    made = AlertCommand(
        alert_id=f"forged-{number}", user_id=INTRUDER, symbol=symbol(number), condition="close > 0",
        frequency="every", effective_from_ms=START_MS,
    )  # fmt: skip
    return replace(made, **changes)


def group(number: int, bot_id: str | None = None, **changes: Any) -> GroupCommand:
    """A group that nobody armed, of a bot that nobody has; it fires on the first bar."""
    bot_id = bot_id or f"ghost-{number}"
    member = Member(alert_id=f"bot_{bot_id}_entry", action=_entry(bot_id), condition={"at": START_MS})
    made = GroupCommand(
        op="arm", group_id=f"{bot_id}/{symbol(number)}/forged-{number}", generation=1, bot_id=bot_id,
        user_id=INTRUDER, symbol=symbol(number), armed_from_ms=START_MS, members=[member],
    )  # fmt: skip
    return replace(made, **changes)


def trigger(number: int, **changes: Any) -> Trigger:
    """An entry of alice's bot of that number."""
    bot_id = f"bot-{number % len(SYMBOLS)}"
    made = Trigger(
        trigger_id=f"forged-{number}", group_id=f"{bot_id}/{symbol(number)}/entry", generation=1, bot_id=bot_id,
        user_id="alice", symbol=symbol(number), bar=_bar(minute(number % 60)), action=_entry(bot_id),
        fired=[FiredMember(alert_id=f"bot_{bot_id}_entry", action=_entry(bot_id), price=1.0)],
    )  # fmt: skip
    return replace(made, **changes)


def stale_command(number: int) -> StaleCommand:
    """An answer that would make the executor arm a bot anew."""
    true = trigger(number)
    return StaleCommand(
        group_id=true.group_id, generation=9, bot_id=true.bot_id, user_id=INTRUDER, symbol=true.symbol,
        stale_generation=1,
    )  # fmt: skip


def _entry(bot_id: str) -> BotAction:
    return BotAction(bot_id=bot_id, action_type="execute_entry")


def _bar(open_time_ms: int) -> Bar:
    return Bar(
        interval="1m", open_time_ms=open_time_ms, close_time_ms=open_time_ms + MINUTE_MS,
        open=1.0, high=2.0, low=0.5, close=1.0, volume=1.0,
    )  # fmt: skip
