"""A symbol's bars leave in order, each once, whatever is told in which order, how often, and who dies in between."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.feeds.binance.beginning import Beginning, Standing, standing_after
from streams.feeds.binance.frames import Frames, Update
from streams.feeds.binance.pages import Page
from streams.feeds.binance.sequence import Out, Restated, Sequence
from tests.streams.feeds.binance.double import START, frame
from tests.streams.feeds.binance.telling import whole, words

FRAMES = Frames(["AUSDT"], "1m", "binance")


def at(minute: int) -> int:
    return START + minute * MINUTE_MS


def bar(minute: int, *, closed: bool = True, shift: int = 0) -> Kline:
    update = FRAMES.read(frame("AUSDT", minute, at(minute + 1), closed=closed, shift=shift))
    assert isinstance(update, Update)
    return update.kline


def fresh(minute: int = 0) -> Sequence:
    return Sequence("AUSDT", "binance", "1m", at(minute))


def page(*minutes: int, until: int) -> Page:
    return Page(tuple(bar(minute) for minute in minutes), at(until))


def test_a_bar_in_its_turn_leaves_at_once_with_its_tick() -> None:
    bars = fresh()
    assert words(bars.update(bar(0))) == "A0 a1"
    assert words(bars.update(bar(1))) == "A1 a2"
    assert bars.wanted(at(2)) is None


def test_live_bars_are_held_until_what_is_missing_before_them_is_complete() -> None:
    bars = fresh()
    bars.update(bar(0))
    assert bars.update(bar(3)) == bars.update(bar(4)) == []
    assert bars.held == 2
    assert bars.wanted(at(5)) == (at(1), at(3))
    assert words(bars.page(at(1), page(1, until=2))) == "A1 a2"
    assert bars.wanted(at(5)) == (at(2), at(3))
    assert words(bars.page(at(2), page(2, until=3))) == "A2 a3 A3 a4 A4 a5"
    assert bars.held == 0


def test_a_minute_that_the_exchange_does_not_have_leaves_its_tick_alone() -> None:
    bars = fresh()
    bars.update(bar(0))
    assert words(bars.page(at(1), page(3, until=4))) == "a2 a3 A3 a4"
    assert words(bars.page(at(4), page(until=6))) == "a5 a6"


def test_before_the_first_bar_there_are_no_ticks_however_long_it_takes() -> None:
    bars = fresh()
    assert bars.page(at(0), page(until=5_000_000)) == []
    assert bars.next_ms == at(5_000_000)
    assert words(bars.page(at(5_000_000), page(5_000_002, until=5_000_003))) == "A5000002 a5000003"


def test_what_is_not_over_is_not_asked_for() -> None:
    bars = fresh()
    assert bars.wanted(at(1) - 1) is None
    assert bars.wanted(at(1)) == (at(0), at(1))
    assert bars.wanted(at(3) + 5) == (at(0), at(3))


@pytest.mark.parametrize("sent", [True, False])
def test_a_bar_that_is_told_twice_is_counted_and_one_with_other_numbers_is_reported(sent: bool) -> None:
    bars = fresh(0 if sent else -1)
    bars.update(bar(0))
    assert bars.held == (not sent)
    assert bars.update(bar(0)) == []
    assert bars.update(bar(0, shift=1)) == [Restated(bar(0), bar(0, shift=1))]
    assert bars.page(at(0), Page((bar(0, shift=2),), at(1)))[0] == Restated(bar(0), bar(0, shift=2))
    assert bars.duplicates == 3


def test_a_bar_long_gone_is_a_duplicate_like_any_other() -> None:
    bars = fresh()
    for minute in range(100):
        bars.update(bar(minute))
    assert bars.update(bar(3, shift=1)) == []
    assert bars.duplicates == 1


def test_a_forming_bar_passes_only_right_behind_the_newest_and_where_it_is_wanted() -> None:
    bars = fresh()
    assert bars.update(bar(0, closed=False), forming=True) == []  # nothing to follow yet
    bars.update(bar(0))
    assert bars.update(bar(1, closed=False)) == []
    assert words(bars.update(bar(1, closed=False), forming=True)) == "A1?"
    assert bars.update(bar(2, closed=False), forming=True) == []
    assert bars.update(bar(0, closed=False), forming=True) == []
    assert words(bars.update(bar(1))) == "A1 a2"


@pytest.mark.parametrize("ticked, owed", [(None, "a5"), (4, "a5"), (5, "")])
def test_the_tick_that_a_dead_sender_owed_is_sent_first_and_once(ticked: int | None, owed: str) -> None:
    bars = Sequence(
        "AUSDT", "binance", "1m", at(5), begun=True, ticked_ms=None if ticked is None else at(ticked)
    )
    assert words(bars.owed()) == owed
    assert bars.owed() == []
    assert words(bars.page(at(5), page(until=6))) == "a6"


@pytest.mark.parametrize("interval, step", [("5m", 300_000), ("1d", 86_400_000), ("1w", 604_800_000)])
def test_other_intervals_have_their_own_boundaries(interval: str, step: int) -> None:
    monday = 1_700_438_400_000  # 2023-11-20
    first = Kline(
        symbol="AUSDT", interval=interval, open_time_ms=monday, open=1.0, high=1.0, low=1.0, close=1.0,
        volume=0.0, feed="binance",
    )  # fmt: skip
    bars = Sequence("AUSDT", "binance", interval, monday)
    assert bars.wanted(monday + step - 1) is None
    assert bars.wanted(monday + step + 1) == (monday, monday + step)
    assert bars.update(first) == [
        first,
        Tick(symbol="AUSDT", feed="binance", time_ms=monday + step, interval=interval),
    ]


# The same through anything that may happen. A world is what the exchange has; the topic is what was sent.

MINUTES = 12
EVENTS = st.one_of(
    st.tuples(st.just("heard"), st.integers(0, MINUTES - 1)),
    st.tuples(st.just("restated"), st.integers(0, MINUTES - 1)),
    st.tuples(st.just("forming"), st.integers(0, MINUTES - 1)),
    st.tuples(st.just("asked"), st.integers(1, 5)),
    st.tuples(st.just("died"), st.integers(0, 3)),
)


class World:
    """An exchange that has all minutes but `missing`, and a feed that dies and begins again behind its topic."""

    def __init__(self, missing: frozenset[int]) -> None:
        self.missing = missing
        self.topic: list[Kline | Tick] = []
        self.bars = self._begin()

    def _begin(self) -> Sequence:
        standing: Standing | None = None
        for message in self.topic:
            standing = standing_after(standing, message)
        return Beginning("binance", "1m", at(0)).of("AUSDT", standing, at(MINUTES))

    def sent(self, out: list[Out]) -> None:
        self.topic += [one for one in out if not isinstance(one, Restated)]

    def heard(self, minute: int) -> None:
        if minute not in self.missing:
            self.sent(self.bars.update(bar(minute)))

    def restated(self, minute: int) -> None:
        """Said again with other numbers; a bar that nobody has heard is what it is."""
        if minute not in self.missing and at(minute) < self.bars.next_ms:
            self.sent(self.bars.update(bar(minute, shift=1)))

    def forming(self, minute: int) -> None:
        self.sent(self.bars.update(bar(minute, closed=False), forming=True))

    def asked(self, rows: int) -> bool:
        """One page of at most `rows` rows of what is wanted; whether anything was."""
        span = self.bars.wanted(at(MINUTES))
        if span is None:
            return False
        first, end = ((time - START) // MINUTE_MS for time in span)
        told = [minute for minute in range(first, end) if minute not in self.missing][:rows]
        self.sent(self.bars.page(span[0], page(*told, until=told[-1] + 1 if told else end)))
        return True

    def died(self, lost: int) -> None:
        """kill -9: the last records never reached the broker, what was held is gone."""
        self.topic = self.topic[: len(self.topic) - lost] if lost else self.topic
        self.bars = self._begin()
        self.sent(self.bars.owed())


@settings(max_examples=400)
@given(st.frozensets(st.integers(1, MINUTES - 1)), st.lists(EVENTS, max_size=40))
def test_whatever_is_told_the_topic_has_each_bar_once_in_order_and_its_tick_behind_it(
    missing: frozenset[int], events: list[tuple[str, int]]
) -> None:
    """400 cases."""
    world = World(missing)
    acts: dict[str, Callable[[int], object]] = {
        name: getattr(world, name) for name in ("heard", "restated", "forming", "asked", "died")
    }
    expected = whole("A", 0, MINUTES, missing)
    for name, number in events:
        acts[name](number)
        closed = words(one for one in world.topic if isinstance(one, Tick) or one.closed)
        assert expected.startswith(closed)
    while world.asked(3):
        pass
    assert words(one for one in world.topic if isinstance(one, Tick) or one.closed) == expected
    bodies = [one for one in world.topic if isinstance(one, Kline) and one.closed]
    assert bodies == [bar(minute) for minute in range(MINUTES) if minute not in missing]
