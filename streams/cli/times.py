"""Times as people write and read them: UTC always."""

from datetime import UTC, datetime, timedelta
from typing import Final

from streams.cli.errors import Invalid

_LAST_MS: Final = 253_402_300_799_999
"""The last that has a date."""


def parse_time(text: str, option: str = "time") -> int:
    """Epoch milliseconds of `2025-05-10`, `2025-05-10T12:00`, `…Z`, `…+02:00` or of such a number."""
    if text.isdecimal() and len(text) > 8:
        if len(text) > 18 or int(text) > _LAST_MS:
            raise Invalid(f"{option}: {text} is no epoch milliseconds: beyond the year 9999")
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"{option}: {text!r} is no time such as 2025-05-10T12:00 (UTC) or epoch milliseconds"
        ) from None
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def show_time(time_ms: int | None) -> str:
    """`2025-05-10 12:00` (seconds only where there are any); a dash for no time."""
    if time_ms is None:
        return "–"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%d %H:%M}" if time_ms % 60_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def show_span(milliseconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `4 d 2 h`: two units at most."""
    seconds = int(milliseconds / 1_000)
    if seconds < 0:
        return f"-{show_span(-milliseconds)}"
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
