"""What a trail is (DESIGN 5, law 8): the level that follows a price, and where a bar's path meets it. Pure.

Evaluator and executor both use this, so that they agree to the bit. Side `below` follows a rising price: once active
its extreme is the highest price seen, its level `extreme · (1 − percent/100)`, met from above, by touch. Side `above`
is the mirror image, `extreme · (1 + percent/100)`. Levels are exact decimals; rounding to a tick is the executor's.
"""

from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from schemas.alerts import TrailState
from schemas.bots import BotSide, Intrabar
from schemas.conditions import Side, Trail
from streams.engine.walks import Prices, low_first

OPEN: Final = 0
"""The leg of what is met where the bar opens; 1, 2 and 3 lead to the first extreme, to the second and to the close."""

_EXACT: Final = Context(prec=200, traps=[Inexact])
_NEW: Final = TrailState(active=True)
_WAITING: Final = TrailState()


class Candle(Prices, Protocol):
    """All four prices of a bar."""

    @property
    def close(self) -> float: ...


class Meeting(NamedTuple):
    """The path met the trail at `level`, on its way along `leg`.

    At the open (`leg` OPEN) the market may be beyond the level already and fills at the open; anywhere else it fills
    at the level, whether that stood before the bar or was born in it.
    """

    level: Decimal
    leg: int


class Passage(NamedTuple):
    """A bar's doing: the state after all of it, and where its path met the trail first."""

    state: TrailState
    met: Meeting | None


def start_of(trail: Trail) -> TrailState:
    """The state of a trail that nothing was told of: its extreme will be the first open that it sees."""
    return _NEW if trail.activate_at is None else _WAITING


def problem(trail: Trail, start: TrailState) -> tuple[str, str] | None:
    """(field, reason) where `trail` cannot start like that."""
    if trail.activate_at is None and not start.active:
        return "active", "a trail without activate_at is active from the start"
    if trail.activate_at is not None and start.active and start.extreme is None:
        return "extreme", "a trail that was activated has seen a price"
    return None


def level_of(trail: Trail, extreme: float) -> Decimal:
    """Where a trail with this extreme is met, exactly. `extreme` is a market price: the digits that it prints."""
    return _level(trail.percent, trail.side, extreme)


def falls_first(trail: Trail, bar: Prices, side: BotSide | None, intrabar: Intrabar) -> bool:
    """Whether the trail's walk of `bar` meets the low before the high.

    Under `pessimistic` the extreme that the trail follows comes first, so that the way back from it is in the bar too.
    Under `ohlc` it is the path of everything else; with no `side` (a user's alert) the adverse extreme of a tie is the
    one that the trail runs from.
    """
    if intrabar == "pessimistic":
        return trail.side == "above"
    return low_first(bar, side or ("long" if trail.side == "below" else "short"), intrabar)


def advance(trail: Trail, state: TrailState, price: float) -> tuple[TrailState, Decimal | None]:
    """The market goes straight to `price`: the state then, and the level where it was met on the way (or is now)."""
    if not state.active:
        return (TrailState(active=True, extreme=price) if _activates(trail, price) else state), None
    extreme = state.extreme
    if extreme is None or (price > extreme if trail.side == "below" else price < extreme):
        return TrailState(active=True, extreme=price), None
    level, here = level_of(trail, extreme), Decimal(repr(price))
    return state, level if (here <= level if trail.side == "below" else here >= level) else None


def follow(trail: Trail, state: TrailState, bar: Candle, side: BotSide | None, intrabar: Intrabar) -> Passage:
    """`trail`, at `state` before `bar`, along the whole of it. What it met changes nothing of how it goes on."""
    one, other = bar.high, bar.low
    if falls_first(trail, bar, side, intrabar):
        one, other = other, one
    met: Meeting | None = None
    for leg, price in enumerate((bar.open, one, other, bar.close)):
        state, level = advance(trail, state, price)
        if level is not None and met is None:
            met = Meeting(level, leg)
    return Passage(state, met)


def _activates(trail: Trail, price: float) -> bool:
    if trail.activate_at is None:
        return True
    here, there = Decimal(repr(price)), Decimal(trail.activate_at)
    return here >= there if trail.side == "below" else here <= there


@lru_cache(maxsize=4096)
def _level(percent: str, side: Side, extreme: float) -> Decimal:
    """Many trails have the same few percents, and have seen the same bar."""
    share = _EXACT.scaleb(Decimal(percent), -2)
    factor = _EXACT.subtract(Decimal(1), share) if side == "below" else _EXACT.add(Decimal(1), share)
    return _EXACT.multiply(Decimal(repr(extreme)), factor)
