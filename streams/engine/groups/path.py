"""A bar as a path (law 8): the order in which members fire along it.

Levels stand where the path meets them, and so do trails. Under `pessimistic` a trail has seen the extreme that it
follows before anything else is met, so its level may even lie on the far side of the open. What is decided at the close
comes after every level: `at` first, then conditions.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from schemas.alerts import Member
from schemas.bots import BotSide, Intrabar
from schemas.conditions import At, Condition, Level, Trail
from streams.engine.trail import OPEN, Meeting
from streams.engine.walks import Prices, low_first

Place: TypeAlias = tuple[int, Decimal]
"""Where on the path: -1 at the open, 0 and 1 on the way to the first and the second extreme, 2 on the way to the close,
3 and 4 at the close.
"""

_ZERO: Final = Decimal(0)
_OPENING: Final[Place] = (-1, _ZERO)
_CLOSING: Final = 2
_AT: Final = 3
_CONDITION: Final = 4
_NOTHING: Final[Mapping[str, Meeting]] = {}
_NO_INDEX: Final = 1 << 30


def place(condition: Condition, bar: Prices, *, falls_first: bool, met: Meeting | None = None) -> Place:
    """Where the path meets `condition`, which fired on `bar`; a trail where it was `met`."""
    match condition:
        case Level(text, "below"):
            return (
                _OPENING
                if bar.open <= float(text)
                else (0 if falls_first else 1, Decimal(text).copy_negate())
            )
        case Level(text, _):
            return _OPENING if bar.open >= float(text) else (1 if falls_first else 0, Decimal(text))
        case Trail(_, _, side) if met is not None:
            if met.leg == OPEN:
                return _OPENING
            closing, falls = met.leg > 2, side == "below"
            leg = _CLOSING if closing else 0 if falls == falls_first else 1
            return leg, met.level.copy_negate() if falls else met.level
        case At():
            return (_AT, _ZERO)
        case _:
            return (_CONDITION, _ZERO)


def tie_rank(member: Member) -> tuple[bool, int, int, int, str]:
    """Order of members that the path meets in one place: stop, DCA index, take-profit index, grid level, alert_id."""
    action = member.action
    return (
        action.action_type != "stop_loss",
        _NO_INDEX if action.dca_index is None else action.dca_index,
        _NO_INDEX if action.tp_index is None else action.tp_index,
        action.grid_level or 0,
        member.alert_id,
    )


def in_path_order(
    fired: list[tuple[Member, Condition]],
    bar: Prices,
    side: BotSide,
    intrabar: Intrabar,
    met: Mapping[str, Meeting] = _NOTHING,
) -> list[tuple[Member, Condition]]:
    """Members with their conditions, all fired on `bar`, in the order in which the path meets them.

    `met`: where it met the trails among them, by alert_id.
    """
    if len(fired) == 1:
        return fired
    falls_first = low_first(bar, side, intrabar)

    def key(one: tuple[Member, Condition]) -> tuple[Place, tuple[bool, int, int, int, str]]:
        member, condition = one
        where = place(condition, bar, falls_first=falls_first, met=met.get(member.alert_id))
        return where, (True, 0, 0, 0, member.alert_id) if where[0] >= _AT else tie_rank(member)

    return sorted(fired, key=key)
