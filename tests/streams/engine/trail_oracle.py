"""The oracle of trails: bar by bar, point by point, in ratios; a falling trail is a rising one looked at in a mirror.

It shares nothing with the engine but the words: no state is skipped, nothing is queued, nothing is rounded.
"""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from schemas.alerts import TrailState
from schemas.conditions import Trail
from schemas.triggers import Bar


class Walked(NamedTuple):
    """One bar of a trail: its state before it, and where it was met: `leg` 0 at the open, 1, 2, 3 on the ways after."""

    before: TrailState
    after: TrailState
    leg: int | None
    level: Fraction | None


def exactly(price: float) -> Fraction:
    return Fraction(Decimal(repr(price)))


def rises_first(bar: Bar, side: str | None, intrabar: str, trail: Trail) -> bool:
    """Whether the path that `trail` walks meets the high first."""
    if intrabar == "pessimistic":
        return trail.side == "below"
    up, down = exactly(bar.high) - exactly(bar.open), exactly(bar.open) - exactly(bar.low)
    if up != down:
        return up < down
    if side is None:
        return trail.side == "above"
    return side == "short"


def story(
    trail: Trail, start: TrailState | None, bars: list[Bar], side: str | None, intrabar: str
) -> list[Walked]:
    """What `trail` went through on `bars`, the first of which is the first that its watcher sees."""
    state = start or TrailState(active=trail.activate_at is None)
    lived = []
    for bar in bars:
        lived.append(_bar(trail, state, bar, rises_first(bar, side, intrabar, trail)))
        state = lived[-1].after
    return lived


def _bar(trail: Trail, before: TrailState, bar: Bar, up_first: bool) -> Walked:
    sign = 1 if trail.side == "below" else -1  # in the mirror every trail follows a rise
    extremes = [bar.high, bar.low] if up_first else [bar.low, bar.high]
    path = [sign * exactly(price) for price in (bar.open, *extremes, bar.close)]
    share = Fraction(trail.percent) / 100
    top = None if before.extreme is None else sign * exactly(before.extreme)
    gate = None if before.active or trail.activate_at is None else sign * Fraction(trail.activate_at)
    top, leg, level = _points(path, 0, top, gate, share)
    extreme = None if top is None else float(sign * top)
    after = TrailState(active=before.active or extreme is not None, extreme=extreme)
    return Walked(before, after, leg, None if level is None else sign * level)


def _points(
    path: list[Fraction], leg: int, top: Fraction | None, gate: Fraction | None, share: Fraction
) -> tuple[Fraction | None, int | None, Fraction | None]:
    """(highest point since active, leg and level of the first meeting) from point `leg` of `path` on."""
    if leg == len(path):
        return top, None, None
    here = path[leg]
    if gate is not None and here < gate:
        return _points(path, leg + 1, top, gate, share)
    top = here if top is None else max(top, here)
    level = top - abs(top) * share
    if here <= level:
        highest, _, _ = _points(path, leg + 1, top, None, share)
        return highest, leg, level
    return _points(path, leg + 1, top, None, share)


def walked_to(
    trail: Walked, condition: Trail, points: list[Decimal], intrabar: str
) -> tuple[Fraction, Fraction]:
    """(length of the path, and which comes first of those just after the open).

    A pessimistic trail has seen its extreme before the path begins: it is met where the path first comes from there,
    even if that is where it opened.
    """
    assert trail.level is not None
    if trail.leg == 0:
        return Fraction(0), Fraction(0)
    path = [Fraction(point) for point in points]
    adverse = min(path) if condition.side == "below" else max(path)
    end = path.index(adverse, 1) if intrabar == "pessimistic" else trail.leg or 0
    before = sum((abs(b - a) for a, b in pairwise(path[:end])), Fraction(0))
    way = path[end - 1] - trail.level if condition.side == "below" else trail.level - path[end - 1]
    # At the open itself everything that is there already comes first.
    return (before + way, Fraction(0)) if way > 0 or end > 1 else (Fraction(0), 1 / (1 - way))
