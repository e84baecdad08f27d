"""Alerts: groups that the executor arms on `bots.alerts.v1`, and users' own on `alerts.user.v1`."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from schemas.bots import BotSide, Intrabar
from schemas.interval import Interval
from schemas.message import AlertId, BotId, GroupId, Message, Millis, Part, PositiveCount, Symbol, Tag, UserId

ActionType = Literal[
    "execute_entry",
    "execute_dca",
    "take_profit",
    "stop_loss",
    "stop_timer",
    "close",
    "timeout",
    "cooldown",
    "grid",
]
WhenTrue = Literal["fire", "wait"]


class BotAction(Part, frozen=True, tag_field="type", tag="bot_trigger"):
    """What a fired member asks of a bot. `dca_index` counts safety orders from 1, `tp_index` targets from 1,
    `grid_level` a grid's levels from 1, the lowest.
    """

    bot_id: BotId
    action_type: ActionType
    dca_index: int | None = None
    tp_index: int | None = None
    grid_level: int | None = None


class TrailState(Part, frozen=True):
    """How far a trail has come: whether it is active, and the extreme price seen since.

    `extreme` is a market price; null where none was seen: not active yet, or active before its first bar.
    """

    active: bool = False
    extreme: Annotated[float, Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        if self.extreme is not None and not self.active:
            raise ValueError("extreme: a trail that is not active has none")


class Member(Part, frozen=True):
    """One alert of a group. `condition` is a tree (never text), with every timeframe filled in.

    `trail` is where a trail starts; without it it is as new, and starts at the open of the first bar that it sees.
    """

    alert_id: AlertId
    action: BotAction
    condition: dict[str, Any]
    when_true_at_arming: WhenTrue = "fire"
    trail: TrailState | None = None


class GroupCommand(Message, frozen=True, tag="group_command"):
    """Arm (replace the whole group) or remove it. The alerts of one deal on one symbol live, fire and are held as one.

    The group sees a bar iff `armed_from_ms <= bar.open_time_ms`. `interval` is the symbol's base interval. A `remove`
    has no members.
    """

    op: Literal["arm", "remove"]
    group_id: GroupId
    generation: PositiveCount
    bot_id: BotId
    user_id: UserId
    symbol: Symbol
    armed_from_ms: Millis = 0
    interval: Interval = "1m"
    side: BotSide = "long"
    intrabar: Intrabar = "pessimistic"
    members: Annotated[list[Member], Meta(max_length=256)] = []


class AlertCommand(Message, frozen=True, tag="alert_command"):
    """A user's own alert on one symbol; it only notifies. `condition` is text or a tree.

    `frequency` once: fires, then is done. `once_per_bar_close`: fires on an edge false to true, re-armed when it is
    false again (`rearm: on_false`) or `rearm_bars` closed bars after the fire (`rearm: after_bars`). `every`: fires on
    each closed bar on which it is true. The condition must hold for `debounce_bars` closed bars in a row.

    `on: tick` counts updates of the bar that is still forming too, with the last price and the extremes so far: it
    fires on the first update on which the condition is true, `once`, or `once_per_bar` of its timeframe.

    `message` may hold placeholders: {{symbol}}, {{time}}, {{interval}}, {{alert_id}}, and any operand of a condition,
    as in {{close}} or {{rsi(14)}}. It goes to the user's channels with one of the `tags`; without tags to all.
    """

    alert_id: AlertId
    user_id: UserId
    symbol: Symbol
    state: Literal["active", "deleted"] = "active"
    effective_from_ms: Millis | None = None
    timeframe: Interval = "1m"
    condition: str | dict[str, Any] = ""
    on: Literal["close", "tick"] = "close"
    frequency: Literal["once", "once_per_bar_close", "every", "once_per_bar"] = "once"
    rearm: Literal["on_false", "after_bars"] = "on_false"
    rearm_bars: Annotated[int, Meta(ge=1, le=5_000)] = 1
    debounce_bars: Annotated[int, Meta(ge=1, le=5_000)] = 1
    when_true_at_arming: WhenTrue = "fire"
    expires_at_ms: Millis | None = None
    message: Annotated[str, Meta(max_length=1_024)] = ""
    tags: Annotated[list[Tag], Meta(max_length=8)] = []
