"""What a message says: one alert, or a digest of many. Pure functions of the notifications."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from schemas.triggers import Fired

MAX_LINES: Final = 20
_MAX_LINE: Final = 160
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Text(NamedTuple):
    title: str
    body: str


def of_one(fired: Fired) -> Text:
    """The message of one alert: its own words, or what is known where it has none."""
    return Text(f"{fired.symbol} {fired.alert_id}", _line(fired))


def of_many(fresh: Sequence[Fired], old: Sequence[Fired]) -> Text:
    """A digest: alerts a line each, the last MAX_LINES of them; of old ones only how many, and from when."""
    count = len(fresh) + len(old)
    lines = []
    if len(fresh) > MAX_LINES:
        lines.append(f"{len(fresh) - MAX_LINES:,} alerts before these: {_counted(fresh[:-MAX_LINES])}")
    lines += [
        f"{when(one.bar.close_time_ms)} {one.symbol} {one.alert_id}: {_short(one)}"
        for one in fresh[-MAX_LINES:]
    ]
    if old:
        times = [one.bar.close_time_ms for one in old]
        told = f"{len(old):,} older alerts, {when(min(times))} to {when(max(times))}: {_counted(old)}"
        lines.append(told)
    return Text(f"{count:,} alerts" if count != 1 else "1 alert", "\n".join(lines))


def when(time_ms: int) -> str:
    """`2026-01-05 09:00 UTC`."""
    return f"{_EPOCH + timedelta(milliseconds=time_ms):%Y-%m-%d %H:%M} UTC"


def _line(fired: Fired) -> str:
    said = (
        fired.message
        or f"{fired.alert_id} fired on {fired.symbol} at {fired.bar.close}, {when(fired.bar.close_time_ms)}"
    )
    return f"{said} (the bar is still forming)" if fired.provisional else said


def _short(fired: Fired) -> str:
    text = " ".join(_line(fired).split())
    return text if len(text) <= _MAX_LINE else f"{text[: _MAX_LINE - 1]}…"


def _counted(alerts: Sequence[Fired]) -> str:
    """The most frequent ones by name."""
    found = Counter(one.alert_id for one in alerts)
    # By name where two are as frequent: the text must not depend on the order they came in.
    shown = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    text = ", ".join(f"{name} {count:,}×" for name, count in shown[:5])
    return text if len(shown) <= 5 else f"{text} and {len(shown) - 5:,} others"
