"""What fires: triggers for bots, notifications for users, and the answer to an outdated command."""

from typing import Literal

from schemas.alerts import BotAction, TrailState
from schemas.interval import Interval
from schemas.message import AlertId, BotId, GroupId, Message, Millis, Part, PositiveCount, Symbol, Tag, UserId


class Bar(Part, frozen=True):
    """The closed base bar on which something fired. `stale_price` marks a bar that a Tick stood in for (law 1)."""

    interval: Interval
    open_time_ms: Millis
    close_time_ms: Millis
    open: float
    high: float
    low: float
    close: float
    volume: float
    stale_price: bool = False


class FiredMember(Part, frozen=True):
    """A member that fired. `price` is its level, of a trail the one that was met, or the bar's close for what is
    decided at the close.
    """

    alert_id: AlertId
    action: BotAction
    price: float


class Trigger(Message, frozen=True, tag="trigger"):
    """The first bar on which a group fired, with every member that did, in the order the bar's path met them.

    `action` is that of the first member. `values` holds the operands of fired conditions, by their text. `trails` holds
    every trail of the group, by alert_id, as it stood before the bar. Byte-identical whenever it is made again:
    `trigger_id` is a pure function of group, generation, bar and fire number.
    """

    trigger_id: str
    group_id: GroupId
    generation: PositiveCount
    bot_id: BotId
    user_id: UserId
    symbol: Symbol
    bar: Bar
    action: BotAction
    fired: list[FiredMember]
    values: dict[str, float] = {}
    trails: dict[AlertId, TrailState] = {}
    fire_number: PositiveCount = 1
    seeded_from_ms: Millis | None = None


class StaleCommand(Message, frozen=True, tag="stale_command"):
    """The evaluator's answer to a command older than `generation`, the one it holds: raise the counter, arm anew."""

    group_id: GroupId
    generation: PositiveCount
    bot_id: BotId
    user_id: UserId
    symbol: Symbol
    stale_generation: PositiveCount


class Fired(Message, frozen=True, tag="fired"):
    """A user's alert fired on `bar`. `fired_id` is made like a trigger's; a repeat is byte-identical.

    `provisional`: the bar was still forming (`on: tick`), and its prices and `values` may have changed until it closed.
    `values` holds the operands of condition and message, by their text; `message` has them for its placeholders, and
    "n/a" for what was unknown. `tags` are the alert's.
    """

    fired_id: str
    alert_id: AlertId
    user_id: UserId
    symbol: Symbol
    bar: Bar
    generation: int
    frequency: Literal["once", "once_per_bar_close", "every", "once_per_bar"]
    fire_number: PositiveCount
    values: dict[str, float] = {}
    message: str = ""
    tags: list[Tag] = []
    provisional: bool = False
    seeded_from_ms: Millis | None = None
