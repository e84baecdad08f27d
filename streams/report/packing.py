"""Numbers for the page: a year of minutes must fit a file that a phone can open.

Integers are sent as int32, the first bytes of all before the second bytes of all, compressed and in base64. A series
is sent as its differences; of a candle the close as its differences, the open from the close before, and the wicks:
small numbers, most of whose bytes are zero. Prices are whole numbers of the finest step that the symbol needs, or of a
coarser one where they would not fit: `decimals` may be negative, for prices of billions.
"""

import base64
import zlib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_DECIMALS: Final = 10
_LARGEST: Final = 2**31 - 1


def packed(values: Integers) -> str:
    """Integers as text. Raises ValueError for one that is no int32."""
    if len(values) and int(np.abs(values).max()) > _LARGEST:
        raise ValueError("a number beyond 32 bits")
    columns = values.astype("<i4").view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(columns.tobytes(), 6)).decode()


def packed_series(values: Integers) -> str:
    """A series as its first value and then its differences."""
    return packed(np.diff(values, prepend=0))


def candles(bars: Mapping[str, Floats]) -> dict[str, Any]:
    """open, high, low, close of one symbol in order of time: `decimals`, and what the page adds up again."""
    columns = [bars[name] for name in ("open", "high", "low", "close")]
    decimals = decimals_of(columns)
    largest = max(float(column.max(initial=0.0)) for column in columns)
    while largest * 10.0**decimals > _LARGEST:
        decimals -= 1
    opened, high, low, close = (np.rint(column * 10.0**decimals).astype(np.int64) for column in columns)
    before = np.concatenate((np.zeros(1, np.int64), close[:-1]))
    return {
        "decimals": decimals,
        "close": packed_series(close),
        "open": packed(opened - before),
        "above": packed(high - np.maximum(opened, close)),
        "below": packed(np.minimum(opened, close) - low),
    }


def decimals_of(columns: list[Floats]) -> int:
    """How many decimals the prices have, at most ten; looked up in some of them."""
    sample = np.concatenate([column[:: max(1, len(column) // 2_000)] for column in columns])
    for decimals in range(_MOST_DECIMALS):
        if np.allclose(sample, np.round(sample, decimals), rtol=1e-9, atol=0):
            return decimals
    return _MOST_DECIMALS


def thinned(time_ms: Integers, values: Floats, most: int) -> tuple[Integers, Floats]:
    """About `most` points that look the same: of every stretch its first, lowest, highest and last."""
    if len(values) <= most:
        return time_ms, values
    edges = np.linspace(0, len(values), max(2, most // 4) + 1).astype(int)
    kept: set[int] = set()
    for start, stop in pairwise(edges.tolist()):
        part = values[start:stop]
        kept |= {start, start + int(part.argmin()), start + int(part.argmax()), stop - 1}
    places = np.array(sorted(kept))
    return time_ms[places], values[places]
