"""What became of a kline that was handed to a market (law 2)."""

from typing import TypeAlias

from msgspec import Struct


class Applied(Struct, frozen=True, gc=False):
    """Bars `[first, next)` are new: `filled` flat ones for missing minutes, then the kline itself.

    `gap_ms` is (end of the last bar before, start of this one) where more were missing than may be filled
    (law 4).
    """

    first: int
    next: int
    filled: int = 0
    gap_ms: tuple[int, int] | None = None


class Duplicate(Struct, frozen=True, gc=False):
    """The bar was applied before, with these very numbers, or so long ago that its numbers are not kept."""


class Restated(Struct, frozen=True, gc=False):
    """The bar was applied before with other numbers; reported, never applied again."""


class Late(Struct, frozen=True, gc=False):
    """An older bar that was never applied: it came after a later one, or its place was filled. To the dead
    letters.
    """


class Forming(Struct, frozen=True, gc=False):
    """A bar that is not closed yet leaves no trace."""


Outcome: TypeAlias = Applied | Duplicate | Restated | Late | Forming
