"""A bar as a path (law 8): the order in which members fire along it.

`pessimistic` walks O-L-H-C for a long and O-H-L-C for a short; `ohlc` walks O, the nearer extreme (tie: the adverse
one), the other extreme, C. What is decided at the close comes after every level: `at` first, then conditions.
"""

from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from schemas.alerts import Member
from schemas.bots import BotSide, Intrabar
from schemas.conditions import At, Condition, Level

Place: TypeAlias = tuple[int, float]
"""Where on the path: -1 at the open, 0 and 1 on the way to the first and the second extreme, 2 and 3 at the close."""

_AT: Final = 2
_CONDITION: Final = 3
_NO_INDEX: Final = 1 << 30


class Prices(Protocol):
    """The four prices of a bar."""

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...


def low_first(bar: Prices, side: BotSide, intrabar: Intrabar) -> bool:
    """Whether the path meets the bar's low before its high."""
    if intrabar == "ohlc":
        # In decimals: as floats two distances that are equal on paper need not be.
        up, down = (Decimal(repr(price)) - Decimal(repr(bar.open)) for price in (bar.high, bar.low))
        if up != -down:
            return -down < up
    return side == "long"


def place(condition: Condition, bar: Prices, *, falls_first: bool) -> Place:
    """Where the path meets `condition`, which fired on `bar`."""
    match condition:
        case Level(text, "below"):
            price = float(text)
            return (-1, 0.0) if bar.open <= price else (0 if falls_first else 1, -price)
        case Level(text, _):
            price = float(text)
            return (-1, 0.0) if bar.open >= price else (1 if falls_first else 0, price)
        case At():
            return (_AT, 0.0)
        case _:
            return (_CONDITION, 0.0)


def tie_rank(member: Member) -> tuple[bool, int, int, str]:
    """Order of members that the path meets in one place: stop, DCA index, take-profit index, alert_id."""
    action = member.action
    return (
        action.action_type != "stop_loss",
        _NO_INDEX if action.dca_index is None else action.dca_index,
        _NO_INDEX if action.tp_index is None else action.tp_index,
        member.alert_id,
    )


def in_path_order(
    fired: list[tuple[Member, Condition]], bar: Prices, side: BotSide, intrabar: Intrabar
) -> list[tuple[Member, Condition]]:
    """Members with their conditions, all fired on `bar`, in the order in which the path meets them."""
    if len(fired) == 1:
        return fired
    falls_first = low_first(bar, side, intrabar)

    def key(one: tuple[Member, Condition]) -> tuple[Place, tuple[bool, int, int, str]]:
        member, condition = one
        where = place(condition, bar, falls_first=falls_first)
        return where, (True, 0, 0, member.alert_id) if where[0] >= _AT else tie_rank(member)

    return sorted(fired, key=key)
