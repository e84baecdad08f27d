"""What is flawless JSON of the right message, and still refused: by what it says, or by whose it is."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tests.e2e.bad import Bad, Dead, Kind, Told, TriggerDies, flaw, json_text
from tests.e2e.good_inputs import PAUSED, bot
from tests.e2e.victims import (
    INTRUDER,
    alert,
    group,
    kline,
    outgoing,
    stale_command,
    symbol,
    trigger,
    victims,
)
from topics.registry import Topics


def _klines(topics: Topics) -> Iterator[Kind]:
    victim = victims(topics)["klines"]
    yield flaw("high below low", victim, "high", b"0.1", "Invalid")
    yield flaw("a negative price", victim, "low", b"-1", "Invalid")
    yield flaw("a price of zero", victim, "low", b"0", "Invalid")
    yield flaw("a negative volume", victim, "volume", b"-1", "Invalid")
    yield flaw("a time off the grid", victim, "open_time_ms", b"1700000040001", "Invalid")
    yield flaw("a negative time", victim, "open_time_ms", b"-60000", "Invalid")
    yield flaw("no symbol of a venue", victim, "symbol", b'"btc/usdt"', "Invalid")
    yield flaw("17 kB where 16 are allowed", victim, "comment", json_text(17 * 1_024), "TooLarge")
    yield flaw("a bar before the first", victim, "open_time_ms", b"60000", "Late")

    def hourly(n: int) -> Bad:
        bar = msgspec.structs.replace(kline(n), interval="1h", open_time_ms=1_700_002_800_000)
        return Bad("bars of another interval", outgoing(topics.klines, bar), Dead("WrongInterval"))

    yield hourly


def _configs(topics: Topics) -> Iterator[Kind]:
    def answered(kind: str, event: str, field: str | None, **changes: object) -> Kind:
        def make(n: int) -> Bad:
            config = msgspec.structs.replace(bot(n, f"refused-{n}", INTRUDER), **changes)
            return Bad(kind, outgoing(topics.configs, config), Told(event, config.bot_id, field))

        return make

    def stolen(n: int) -> Bad:
        config = bot(
            0, f"bot-{n // 2}", INTRUDER
        )  # its owner's was sent before: a bot belongs to who came first
        return Bad(
            "another user's bot", outgoing(topics.configs, config), Told("rejected", config.bot_id, "user_id")
        )

    def nothing(n: int) -> Bad:
        sent = outgoing(topics.configs, bot(n, f"nobody-{n}", INTRUDER))
        return Bad("a tombstone of no bot", sent._replace(value=None), Told("ignored", f"nobody-{n}"))

    yield stolen
    yield nothing
    yield answered("an unknown indicator", "rejected", "entry", entry="rsii(14) < 30")
    yield answered("no pairs", "rejected", "pairs", pairs=[])
    yield answered(
        "a ladder below zero", "rejected", "price_deviation", max_safety_orders=9, price_deviation="50"
    )


def _user_alerts(topics: Topics) -> Iterator[Kind]:
    def answered(kind: str, condition: str | dict[str, object]) -> Kind:
        def make(n: int) -> Bad:
            command = alert(n, condition=condition)
            return Bad(
                kind, outgoing(topics.user_alerts, command), Told("rejected", command.alert_id, "condition")
            )

        return make

    yield answered("an unknown indicator", "rsii(14) < 30")
    yield answered("no condition", "")
    yield answered("code", "__import__('os').system('true') > 0")
    yield answered("a tree of nothing known", {"eval": "1"})


def _alerts(topics: Topics) -> Iterator[Kind]:
    def unknown_bot(n: int) -> Bad:
        return Bad("a group of no bot", outgoing(topics.alerts, group(n)), TriggerDies("UnknownBot"))

    def stolen_bot(n: int) -> Bad:
        command = group(n, f"bot-{n}")
        return Bad(
            "a group for another user's bot", outgoing(topics.alerts, command), TriggerDies("Mismatch")
        )

    yield unknown_bot
    yield stolen_bot


def _triggers(topics: Topics) -> Iterator[Kind]:
    def dead(kind: str, error_class: str, **changes: object) -> Kind:
        return lambda n: Bad(kind, outgoing(topics.triggers, trigger(n, **changes)), Dead(error_class))

    def never_armed(n: int) -> Bad:
        true = trigger(n)
        group_id = f"{PAUSED}/{symbol(n)}/forged-{n}"
        forged = msgspec.structs.replace(
            true, bot_id=PAUSED, group_id=group_id, trigger_id=f"{group_id}:1:{true.bar.open_time_ms}:1"
        )
        return Bad("a group that was never armed", outgoing(topics.triggers, forged), Told("ignored", PAUSED))

    def answer(n: int) -> Bad:
        return Bad(
            "an answer for another user's bot", outgoing(topics.triggers, stale_command(n)), Dead("Mismatch")
        )

    yield never_armed
    yield answer
    yield dead("another user's bot", "Mismatch", user_id=INTRUDER)
    yield dead("a bot that is not there", "UnknownBot", bot_id="nobody")
    yield dead("another bot's group", "Mismatch", group_id="bot-999/BTCUSDT/entry")
    yield dead("another group's trigger_id", "Mismatch", trigger_id="bot-999/BTCUSDT/entry:1:0:1")
    yield dead("an id that no database takes", "Invalid", trigger_id="a\x00b")


FORBIDDEN: Final[dict[str, Callable[[Topics], Iterator[Kind]]]] = {
    "klines": _klines,
    "configs": _configs,
    "user_alerts": _user_alerts,
    "alerts": _alerts,
    "triggers": _triggers,
}
