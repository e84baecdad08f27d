"""A busy quarter of an hour: six bots, two of them grids, on two symbols; edits, pauses, deletions, refusals, forgeries
and garbage.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig, Grid, StopLoss
from schemas.triggers import Bar, Trigger
from tests.sinks.bots import MINUTE, T0, TOPICS, bar, golden
from tests.sinks.loop import Loop
from topics.codec import encode
from topics.records import Outgoing


class Step(NamedTuple):
    """One minute: bars by symbol close, then configs and raw records arrive."""

    bars: dict[str, Bar]
    configs: tuple[BotConfig, ...] = ()
    raw: tuple[Outgoing, ...] = ()


def _prices(number: int) -> dict[str, Bar]:
    """Down to the ladder, up to the target, and again; the other symbol falls through its stop."""
    wave = [
        105.0,
        100.0,
        98.5,
        96.0,
        99.0,
        102.5,
        104.0,
        100.5,
        99.5,
        97.0,
        101.5,
        103.0,
        100.0,
        98.0,
        101.0,
        104.0,
    ]
    fall = [50.0, 48.0, 47.0, 45.0, 40.0, 30.0, 31.0, 52.0, 49.0, 48.0, 51.0, 49.5, 47.0, 52.0, 48.5, 50.0]
    before = max(number - 1, 0)
    return {
        "BTCUSDT": bar(number, wave[number], opened=wave[before]),
        "ETHUSDT": bar(number, fall[number], opened=fall[before]),
    }


def _at(number: int) -> int:
    return T0 + number * MINUTE


DIP = golden("dip")
BOTH = golden(
    "both", pairs=["BTCUSDT", "ETHUSDT"], entry="close < 99", max_active_deals=1, cooldown_s=120,
    stop_loss=StopLoss(percent="15"),
)  # fmt: skip
SHORT = golden("short", user_id="bob", side="short", entry="close > 103", cooldown_s=60)
GONE = golden("gone", user_id="bob", entry="close < 100")
BAD = golden("bad", base_order_volume="0")
NET = BotConfig(
    bot_id="net", user_id="bob", kind="grid", side="neutral", pairs=["BTCUSDT"], effective_from_ms=T0,
    grid=Grid(lower="95", upper="105", levels=6, quantity="20", max_active_levels=3),
)  # fmt: skip
FALL = BotConfig(
    bot_id="fall", user_id="alice", kind="grid", pairs=["ETHUSDT"], entry="close > 48", effective_from_ms=T0,
    grid=Grid(lower="40", upper="52", levels=5, quantity="25", stop_below="35"),
)  # fmt: skip

EDITS: dict[int, tuple[BotConfig, ...]] = {
    0: (DIP, BOTH, SHORT, GONE, BAD, NET, FALL),
    2: (replace(DIP, base_order_volume="20", effective_from_ms=_at(3)), DIP),
    4: (replace(BOTH, max_active_deals=2, effective_from_ms=_at(5)),),
    6: (replace(SHORT, state="paused", effective_from_ms=_at(7)), golden("dip", user_id="mallory")),
    8: (replace(DIP, entry="close < 99", effective_from_ms=_at(9)),),
    9: (BotConfig(bot_id="gone", user_id="bob", state="deleted", on_delete="close", effective_from_ms=_at(10)),),
    10: (replace(SHORT, effective_from_ms=_at(11)),),
    11: (
        BotConfig(bot_id="net", user_id="bob", state="deleted", effective_from_ms=_at(12)),
        replace(NET, effective_from_ms=_at(12)),
    ),
    12: (replace(GONE, effective_from_ms=_at(13)),),

}  # fmt: skip


def garbage(number: int) -> Outgoing:
    """A record nobody can read."""
    return Outgoing(TOPICS.triggers.name, b"dip", b'{"type": "trigger"', _at(number))


def tombstone(bot_id: str, number: int) -> Outgoing:
    """A deletion by a null value."""
    return Outgoing(TOPICS.configs.name, bot_id.encode(), None, _at(number))


def forged(loop: Loop) -> Iterator[Outgoing]:
    """Triggers somebody else wrote: another user's, and of a group that is not the bot's."""
    for message in loop.messages(TOPICS.triggers)[:1]:
        assert isinstance(message, Trigger)
        for lie in (replace(message, user_id="mallory"), replace(message, group_id="x/BTCUSDT/entry")):
            yield Outgoing(TOPICS.triggers.name, lie.bot_id.encode(), encode(lie), message.bar.close_time_ms)
        yield Outgoing(
            TOPICS.triggers.name, message.bot_id.encode(), encode(message), message.bar.close_time_ms
        )


def play(loop: Loop, run: Callable[[Loop], None] = Loop.run, *, racing: bool = False) -> None:
    """Everything, minute by minute; `run` lets both sides answer each other.

    `racing`: configs arrive while triggers of the minute before are still on their way.
    """
    for number in range(16):
        for symbol, closed in _prices(number).items():
            loop.feed(symbol, closed)
        if racing:
            loop.evaluator.run()
        else:
            run(loop)
        for config in EDITS.get(number, ()):
            loop.put(config)
        if number == 5:
            loop.put_raw(garbage(number))
        if number == 7:
            for record in forged(loop):
                loop.put_raw(record)
        if number == 13:
            loop.put_raw(tombstone("both", number))
        run(loop)
