"""Sessions for kernels: days, weeks from Monday and months of UTC, or everything since one instant.

A sum that never forgets (OBV, A/D, VWAP …) may begin anew with every session, or count from an instant on. Its
parameter `anchor` says which, as a number: 0 neither, 1 day, 2 week, 3 month, otherwise that instant in epoch
ms. The state is three whole numbers from `i[at]` on: which session it is, the bars it has had, whether they are
all there.
"""

import math
from typing import Final

from streams.engine.bars import TIME, Floats, Ints
from streams.engine.kernels.kernel import kernel

NONE: Final = 0
DAY: Final = 1
WEEK: Final = 2
MONTH: Final = 3
DAY_MS: Final = 86_400_000
STATE: Final = 3  # how many of the int64 state `begins` uses


@kernel
def month_start(day: int) -> int:
    """First day of the month of `day`, both counted from 1970-01-01 (civil-from-days, Howard Hinnant)."""
    shifted = day + 719_468  # days since 0000-03-01, so that a leap day is a year's last
    of_era = shifted % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # from March
    return day - (of_year - (153 * month + 2) // 5)


@kernel
def session_start(time_ms: int, anchor: int) -> int:
    """When the session that holds `time_ms` began, in epoch ms; -1 before the instant of an anchor that is
    one.
    """
    if anchor == NONE:
        return 0
    if anchor > MONTH:
        return anchor if time_ms >= anchor else -1
    day = time_ms // DAY_MS
    if anchor == WEEK:
        day -= (day + 3) % 7  # 1970-01-01 was a Thursday
    elif anchor == MONTH:
        day = month_start(day)
    return day * DAY_MS


@kernel
def begins(t: int, bars: Floats, anchor: int, bar_ms: int, i: Ints, at: int) -> bool:
    """Whether row `t` is the first of its session, so that sums begin anew with it; to be asked once a row.

    `bar_ms` is the length of a bar.
    """
    time_ms = int(bars[t, TIME])
    start = session_start(time_ms, anchor)
    if i[at] == start + 1:
        i[at + 1] += start >= 0
        return False
    i[at] = start + 1
    i[at + 1] = 1
    # A bar that straddles the session's start belongs to the one before: the first one may open less than a bar
    # after it.
    i[at + 2] = 1 if time_ms - start < bar_ms else 0
    return True


@kernel
def counts(i: Ints, at: int) -> bool:
    """Whether the last row that was asked about is in a session: not before the instant of an anchor."""
    return bool(i[at] > 0)


@kernel
def reach(i: Ints, at: int) -> float:
    """How many rows the session has had, the last one included; missing where its first ones never came."""
    return float(i[at + 1]) if i[at + 2] == 1 else math.nan


def has_sessions(anchor: float) -> bool:
    """Whether sums begin anew now and then, so that what they reach back over depends on the row."""
    return NONE < anchor <= MONTH
