"""Which bar is meant: the first that closed at or after an instant, a filled one and a tick's stand-in too."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from schemas.market import Kline, Tick
from streams.engine.errors import WrongInterval
from streams.engine.market.market import Market
from streams.engine.market.outcomes import Applied

Record: TypeAlias = Kline | Tick


class Target(NamedTuple):
    """`record`: the index of the record that brought the bar. `stand_in`: no bar closed then, a tick stood in."""

    record: int
    open_time_ms: int
    close_time_ms: int
    stand_in: bool = False


class Nothing(NamedTuple):
    """No bar has closed at or after the instant. `newest_ms`: close of the newest one, None before the first."""

    newest_ms: int | None


def targets(records: Sequence[Record], market: Market, at_ms: int) -> list[Target] | Nothing:
    """The bar that closes first at or after `at_ms` when `records` are applied to `market`, which is empty.

    Before it the stand-in of a tick at the same instant, when the bar was filled later; a stand-in alone where no bar
    closed at its instant, not even later.
    """
    stand_in: Target | None = None
    newest_ms: int | None = None
    for place, record in enumerate(records):
        if isinstance(record, Tick):
            if (
                stand_in is None
                and newest_ms is not None
                and record.time_ms > newest_ms
                and record.time_ms >= at_ms
            ):
                opened = record.time_ms - market.tape.step_ms
                stand_in = Target(place, opened, record.time_ms, True)
            continue
        try:
            outcome = market.apply(record)
        except WrongInterval:
            continue
        if not isinstance(outcome, Applied):
            continue
        for index in range(outcome.first, outcome.next):
            bar = market.bar(index)
            if bar.close_time_ms >= at_ms:
                found = Target(place, bar.open_time_ms, bar.close_time_ms)
                if stand_in is None:
                    return [found]
                later = stand_in.close_time_ms < bar.close_time_ms
                return [stand_in] if later else [stand_in, found]
        newest_ms = market.bar(outcome.next - 1).close_time_ms
    return [stand_in] if stand_in is not None else Nothing(newest_ms)
