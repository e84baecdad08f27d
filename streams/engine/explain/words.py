"""Numbers and times as a sentence writes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def when(time_ms: int) -> str:
    """`2025-05-10 12:00`, with seconds only where there are any; UTC. What no calendar has, as it is."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms"
    return f"{moment:%Y-%m-%d %H:%M}" if time_ms % 60_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def number(value: float) -> str:
    """Ten digits at most, no exponent where people would not write one."""
    return f"{value:.10g}"


def distance(value: float) -> str:
    """How far apart two numbers are: rounded, because the last digits of a difference are noise."""
    return f"{abs(value):.4g}"


def bars(count: int) -> str:
    """`1 bar`, `2 bars`."""
    return "1 bar" if count == 1 else f"{count} bars"
