"""A symbol's engine with candles made by hand, for tests that read like a story."""

from typing import Any

from schemas.alerts import ActionType, AlertCommand, BotAction, GroupCommand, Member
from schemas.conditions import condition_to_json
from schemas.events import BotEvent
from schemas.market import Kline, Tick
from schemas.triggers import Fired, Trigger
from streams.engine.conditions.expression import parse
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine

SYMBOL = "BTCUSDT"
START = 1_700_438_400_000
MINUTE = 60_000


def at(minute: float) -> int:
    """Instant `minute` minutes after the first candle opens."""
    return START + round(minute * MINUTE)


def member(name: str, text: str, action: ActionType = "execute_entry", **more: Any) -> Member:
    """A member with a condition as text; `when` is when_true_at_arming."""
    when = more.pop("when", "fire")
    return Member(
        alert_id=name,
        action=BotAction(bot_id="bot", action_type=action, **more),
        condition=condition_to_json(parse(text)),
        when_true_at_arming=when,
    )


def group(*members: Member, generation: int = 1, since: int = 0, **more: Any) -> GroupCommand:
    """A group armed from the candle that opens at minute `since`."""
    known: dict[str, Any] = {
        "op": "arm",
        "group_id": f"bot/{SYMBOL}/entry",
        "bot_id": "bot",
        "user_id": "user",
        "symbol": SYMBOL,
    }
    return GroupCommand(
        **{**known, "generation": generation, "armed_from_ms": at(since), "members": list(members)} | more
    )


def alert(text: str, **more: Any) -> AlertCommand:
    """A user's alert."""
    return AlertCommand(
        **{"alert_id": "alert", "user_id": "user", "symbol": SYMBOL, "condition": text} | more
    )


class Desk:
    """Feeds closes (or whole candles) one minute apart and keeps what was said."""

    def __init__(self, *, fill_up_to: int = 5, capacity: int = 5_000) -> None:
        self.market = Market(SYMBOL, fill_up_to=fill_up_to, capacity=capacity)
        self.engine = SymbolEngine(SYMBOL, self.market)
        self.minute = 0
        self.pos = -1
        self.said: list[Any] = []

    def close(self, *prices: float) -> list[Any]:
        """Flat candles with these closes; what was said."""
        return [said for price in prices for said in self.candle(price, price, price, price)]

    def candle(self, o: float, h: float, low: float, c: float) -> list[Any]:
        """One candle in the next minute."""
        kline = Kline(
            symbol=SYMBOL,
            interval="1m",
            open_time_ms=at(self.minute),
            open=o,
            high=h,
            low=low,
            close=c,
            volume=1.0,
        )
        self.minute += 1
        self.pos += 1
        return self.hear(self.engine.on_kline(kline, self.pos))

    def tick(self) -> list[Any]:
        """The next minute passes without a candle; the tick at its end."""
        self.minute += 1
        self.pos += 1
        return self.hear(
            self.engine.on_tick(Tick(symbol=SYMBOL, feed="test", time_ms=at(self.minute)), self.pos)
        )

    def arm(self, command: GroupCommand) -> list[Any]:
        return self.hear(self.engine.on_command(command, self.pos))

    def watch(self, command: AlertCommand, generation: int = 1, since: float = 0) -> list[Any]:
        return self.hear(self.engine.on_alert(command, generation, at(since)))

    def hear(self, outputs: list[Any]) -> list[Any]:
        self.said += outputs
        return outputs

    @property
    def fired_at(self) -> list[int]:
        """Minutes at whose candles something fired."""
        return [
            (one.bar.open_time_ms - START) // MINUTE for one in self.said if isinstance(one, Trigger | Fired)
        ]

    @property
    def triggers(self) -> list[Trigger]:
        return [one for one in self.said if isinstance(one, Trigger)]

    def events(self, name: str) -> list[BotEvent]:
        """Events called `name`."""
        return [one for one in self.said if isinstance(one, BotEvent) and one.event == name]
