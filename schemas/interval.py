"""Kline intervals: `1m`, `5m`, `1h`, `1d`, `1w`, folded in UTC epoch buckets."""

import re
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

MINUTE_MS = 60_000
_UNITS = {"m": MINUTE_MS, "h": 60 * MINUTE_MS, "d": 1_440 * MINUTE_MS, "w": 10_080 * MINUTE_MS}
INTERVAL_PATTERN = r"^[1-9][0-9]{0,3}[mhdw]$(?!\n)"  # `$` alone would also match before a newline
_MONDAY_MS = 4 * _UNITS["d"]  # 1970-01-01 was a Thursday: the first whole ISO week began on 1970-01-05

Interval = Annotated[
    str, Meta(pattern=INTERVAL_PATTERN, description="kline interval such as 1m, 15m, 4h, 1d, 1w")
]


@lru_cache(maxsize=1024)
def interval_ms(interval: str) -> int:
    """Length of `interval` in milliseconds. Raises ValueError where it is not of the form 15m, 4h, 1d, 1w."""
    if not re.match(INTERVAL_PATTERN, interval):
        raise ValueError(f"{interval!r} is no interval: a count and m, h, d or w, such as 15m")
    return int(interval[:-1]) * _UNITS[interval[-1]]


def bucket_start_ms(time_ms: int, interval: str) -> int:
    """Open time of the bucket of `interval` that holds `time_ms`; weeks begin on Monday, the rest at the epoch."""
    length, shift = grid(interval)
    return (time_ms - shift) // length * length + shift


@lru_cache(maxsize=1024)
def grid(interval: str) -> tuple[int, int]:
    """(length, shift) of the buckets of `interval`, which begin where (time - shift) % length is 0."""
    return interval_ms(interval), _MONDAY_MS if interval[-1] == "w" else 0
