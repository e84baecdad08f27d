"""Crontab lines once more, by looking at every minute of a stretch of time: the oracle of `conditions.cron`."""

from datetime import datetime, timedelta
from functools import cache

from streams.engine.conditions.cron import zone_of

MINUTE = timedelta(minutes=1)
NAMES = {
    3: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    4: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


def instants(cron: str, tz: str, from_ms: int, to_ms: int) -> list[int]:
    """Whole UTC minutes in [from_ms, to_ms] at which `cron` is due."""
    zone = zone_of(tz)  # the pinned tables: those of the system may know less, or more
    found = []
    first = -(-from_ms // 60_000) * 60_000
    for ms in range(first, to_ms + 1, 60_000):
        now, before = (datetime.fromtimestamp(at / 1000, zone) for at in (ms, ms - 60_000))
        local, wanted = before.replace(tzinfo=None, fold=0) + MINUTE, now.replace(tzinfo=None, fold=0)
        due = not now.fold and names(cron, wanted)
        while local < wanted:  # clocks went forward: these minutes do not exist
            due = due or names(cron, local)
            local += MINUTE
        if due:
            found.append(ms)
    return found


def names(cron: str, local: datetime) -> bool:
    """Whether `cron` names the minute `local`."""
    words = cron.upper().split()
    minute, hour, day, month, weekday = (numbers(place, word) for place, word in enumerate(words))
    on_day = local.day in day, bool({local.isoweekday(), local.isoweekday() % 7} & weekday)
    either = words[2][0] != "*" and words[4][0] != "*"
    days = any(on_day) if either else all(on_day)
    return local.minute in minute and local.hour in hour and local.month in month and days


@cache
def numbers(place: int, word: str) -> frozenset[int]:
    """The values of one field."""
    found: set[int] = set()
    for part in word.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low, high = BOUNDS[place] if span == "*" else (value(place, first), value(place, last or first))
        found |= {n for n in range(low, high + 1) if (n - low) % int(step or 1) == 0}
    return frozenset(found)


def value(place: int, word: str) -> int:
    if word.isdigit():
        return int(word)
    return NAMES[place].index(word) + (place == 3)
