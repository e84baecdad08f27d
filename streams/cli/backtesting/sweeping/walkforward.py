"""Walk-forward: the best of the past, judged by what came after.

    |==== in-sample ====|-- out --|
              |==== in-sample ====|-- out --|
                        |==== in-sample ====|-- out --|

Out-of-sample windows follow each other without a gap and without an overlap; each in-sample window ends where its
out-of-sample window begins. `anchored`: every in-sample window begins where the first one does.
"""

from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """Bots are in force from `from_ms`; bars that open before `to_ms`. Earlier bars warm up."""

    from_ms: int
    to_ms: int


class Window(NamedTuple):
    """Where to look for the best, and where to look how it did."""

    inside: Span
    outside: Span


def windows(whole: Span, count: int, ratio: float, step_ms: int, *, anchored: bool = False) -> list[Window]:
    """`count` windows over `whole`, in-sample `ratio` times as long as out-of-sample, on boundaries of bars.

    Raises ValueError where a window would have no bar.
    """
    bars = (whole.to_ms - whole.from_ms) // step_ms
    length = bars / (ratio + count)
    edges = [round(length * (ratio + k)) for k in range(count + 1)]
    if min(length, length * ratio) < 1:
        raise ValueError(f"{bars:,} bars are too few for {count} windows")

    def at(bar: int) -> int:
        return whole.from_ms + bar * step_ms

    made = []
    for number, (first, last) in enumerate(pairwise(edges)):
        begin = 0 if anchored else round(length * number)
        end = at(last) if number < count - 1 else whole.to_ms
        made.append(Window(Span(at(begin), at(first)), Span(at(first), end)))
    return made
