"""Crontab lines in a time zone: which instants they name (law 1).

Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday); names (MON, JAN), lists, ranges and
steps as in Vixie's cron. Where both day fields are restricted (neither begins with `*`), a day that either of them
names counts. A local time that does not exist (clocks go forward) moves forward to the first one that does; one that
comes twice (clocks go back) counts the first time. Time zones are those of the pinned `tzdata`, never the system's.
"""

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from importlib.resources import files
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.conditions import TZ_PATTERN, ConditionError, Schedule

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# A leap day falls on each weekday within 40 years, over the end of a century too.
_SEARCHED_DAYS: Final = 40 * 366
_LAST_DAY: Final = date(9999, 12, 25)


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: dict[str, int]


_FIELDS: Final = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    _Field("day of week", 0, 7, {word: number for number, word in enumerate(_DAYS)}),
)
_PART: Final = re.compile(
    r"(\*|(?P<first>\d+|[A-Z]{3})(?:-(?P<last>\d+|[A-Z]{3}))?)(?:/(?P<step>\d+))?", re.ASCII
)


class Cron(NamedTuple):
    """A crontab line as sets. `either_day`: both day fields are restricted. `times`: (hour, minute), ascending."""

    times: tuple[tuple[int, int], ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def on(self, day: date) -> bool:
        """Whether it names `day`."""
        if day.month not in self.months:
            return False
        by_date, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_date or by_week) if self.either_day else (by_date and by_week)


@lru_cache(maxsize=1024)
def cron_of(text: str) -> Cron:
    """Read a crontab line. Raises ConditionError: which field, and what was expected there."""
    words = text.upper().split()
    if len(words) != len(_FIELDS):
        raise ConditionError("", f"expected five fields (minute hour day month weekday), found {len(words)}")
    minutes, hours, days, months, weekdays = (
        _numbers(field, word) for field, word in zip(_FIELDS, words, strict=True)
    )
    cron = Cron(
        tuple((hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        not words[2].startswith("*") and not words[4].startswith("*"),
    )
    first = date(2000, 1, 1)
    if not any(cron.on(first + timedelta(days=ahead)) for ahead in range(_SEARCHED_DAYS)):
        raise ConditionError("", f"no day is ever the {words[2]} of month {words[3]}")
    return cron


def _numbers(field: _Field, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ConditionError(
                "", f"{field.name}: expected *, a number, a name, a range or a list, found {part!r}"
            )
        first, last, step = match["first"], match["last"], match["step"]
        low = field.low if first is None else _number(field, first)
        if first is None:
            high = field.high
        elif last is None:
            if step is not None:
                raise ConditionError(
                    "", f"{field.name}: a step needs a range, as in {first}-{field.high}/{step}"
                )
            high = low
        else:
            high = _number(field, last)
            high = 7 if field.high == 7 and high == 0 and low > 0 else high
        if high < low:
            raise ConditionError("", f"{field.name}: {part} runs backwards")
        if step is not None and not 1 <= int(step) <= field.high:
            raise ConditionError("", f"{field.name}: expected a step from 1 to {field.high}, found {step}")
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _number(field: _Field, word: str) -> int:
    value = field.words.get(word, -1) if word.isalpha() else int(word)
    if not field.low <= value <= field.high:
        names = f" or {next(iter(field.words))} …" if field.words else ""
        raise ConditionError("", f"{field.name}: expected {field.low} to {field.high}{names}, found {word}")
    return value


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """A time zone of the pinned `tzdata`. Raises ConditionError for a name that is none."""
    if re.fullmatch(TZ_PATTERN, name) and name in _zone_names():
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    raise ConditionError("", f"no time zone {name!r}; expected a name such as Europe/Berlin or UTC")


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


class Instants:
    """The instants of a schedule, asked for in whatever order. Consecutive questions cost a comparison."""

    __slots__ = ("_asked_ms", "_cron", "_next_ms", "_zone")

    def __init__(self, schedule: Schedule) -> None:
        self._cron = cron_of(schedule.cron)
        self._zone = zone_of(schedule.tz)
        self._asked_ms = self._next_ms = 0

    def after(self, ms: int) -> int:
        """The first instant after `ms`, in epoch milliseconds."""
        if not self._asked_ms <= ms < self._next_ms:
            self._asked_ms, self._next_ms = ms, self._search(ms)
        return self._next_ms

    def _search(self, ms: int) -> int:
        moment = datetime.fromtimestamp(ms // 1000, UTC).astimezone(self._zone)
        # A day earlier, for local time may have gone back over midnight.
        day = moment.date() - timedelta(days=1)
        while day < _LAST_DAY:
            if self._cron.on(day):
                times = self._cron.times
                place = bisect_right(times, ms, key=partial(self._instant, day))
                if place < len(times):
                    return self._instant(day, times[place])
            day += timedelta(days=1)
        return 1 << 62

    def _instant(self, day: date, clock: tuple[int, int]) -> int:
        local = datetime.combine(day, time(*clock), self._zone)
        instant = local.astimezone(UTC)
        if instant.astimezone(self._zone).replace(tzinfo=None) == local.replace(tzinfo=None):
            return round(instant.timestamp()) * 1000
        return _first_after_gap(local) * 1000


def _first_after_gap(local: datetime) -> int:
    """Epoch seconds at which clocks jump over the local time `local`, which does not exist."""
    # Read with the offset after the jump it lies before it, with the one before the jump after it.
    low, high = round(local.replace(fold=1).timestamp()), round(local.replace(fold=0).timestamp())
    ahead = datetime.fromtimestamp(high, UTC).astimezone(local.tzinfo).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(local.tzinfo).utcoffset() == ahead:
            high = middle
        else:
            low = middle
    return high
