"""The explanation of one alert at one bar: pure, from commands and records alone."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from schemas.alerts import AlertCommand
from schemas.market import Kline
from schemas.triggers import Bar
from streams.engine.explain.candidates import Candidate, earliest, in_force
from streams.engine.explain.finding import Finding, find
from streams.engine.explain.replay import Replay, Seen
from streams.engine.explain.sentence import debounce_left, fired_with, sentence, told_on
from streams.engine.explain.target import Nothing, Record, Target, targets
from streams.engine.explain.words import when
from streams.engine.groups.notify import Alert
from streams.engine.market.market import Market


class Latch(msgspec.Struct, frozen=True):
    """What besides the condition decides, after the bar. `armed`: a change to true (or a truth) fires.

    `known`: the last truth noticed before the bar. `unit`: state of the alert, or of the member's group.
    """

    unit: str
    known_before: bool | None
    armed_before: bool
    armed: bool
    true_since_ms: int | None
    fires: int = 0
    last_fired_ms: int | None = None
    frequency: str | None = None
    debounce_bars: int = 1
    debounce_left: int = 0
    rearms_ms: int | None = None
    expires_at_ms: int | None = None


class Explanation(msgspec.Struct, frozen=True):
    """`answer` says it in a sentence; the rest is what it says it from. `condition` None: there was nothing to ask.

    `on`: whether a bar closed, or a tick stood in for one. `seeded_from_ms`: set where records from the symbol's
    origin on are gone, so that values may differ from those of the evaluator, which still knew them.
    """

    alert_id: str
    kind: Literal["alert", "member"]
    symbol: str
    user_id: str
    group_id: str | None
    generation: int
    sees_from_ms: int
    at_ms: int
    fired: bool
    answer: str
    on: Literal["bar", "stand_in", "nothing"] = "nothing"
    bar: Bar | None = None
    condition: Finding | None = None
    latch: Latch | None = None
    seeded_from_ms: int | None = None


class Question(msgspec.Struct, frozen=True):
    """Who is asked about, and when. `origin_ms`: open time of the symbol's first bar ever, where that is known."""

    alert_id: str
    at_ms: int
    symbol: str
    interval: str = "1m"
    fill_up_to: int = 5
    origin_ms: int | None = None


def explain(question: Question, commands: Sequence[Candidate], records: Sequence[Record]) -> Explanation:
    """Why `question.alert_id` did or did not fire on the first bar that closed at or after `question.at_ms`.

    `commands`: all there are of it and of groups that had it, in the order of their offsets, at least one that arms
    it; `records`: the symbol's klines and ticks from as early as there are, up to a bar closed after the instant.
    """
    base = question.interval
    bars = targets(records, _market(question), question.at_ms)
    if isinstance(bars, Nothing):
        newest = "" if bars.newest_ms is None else f"; the newest closed {when(bars.newest_ms)}"
        answer = f"No bar of {question.symbol} has closed at or after {when(question.at_ms)}{newest}."
        return _without(question, earliest(commands, question.alert_id, base), records, answer)
    found = bars[-1]
    candidate = in_force(commands, question.alert_id, found.open_time_ms, base)
    if candidate is None:
        candidate = earliest(commands, question.alert_id, base)
        since = when(candidate.sees_from_ms(base))
        answer = f"It did not fire: not armed yet, it sees bars that open from {since} on."
        return _without(question, candidate, records, answer, found)
    if not candidate.arms:
        what = "deleted" if isinstance(candidate.command, AlertCommand) else "removed with its group"
        answer = f"It did not fire: it had been {what} by generation {candidate.generation}."
        return _without(question, candidate, records, answer, found)
    told = [_seen(question, candidate, records, one) for one in bars]
    return next((one for one in told if one.fired), told[-1])


def _seen(question: Question, candidate: Candidate, records: Sequence[Record], found: Target) -> Explanation:
    market = _market(question)
    seen = Replay(market, candidate, question.alert_id).run(records, found)
    finding = None
    if seen.node is not None and seen.moment is not None:
        finding = find(seen.node, seen.moment, market)
    answer = sentence(candidate, question.alert_id, seen, finding, found.open_time_ms)
    return msgspec.structs.replace(
        _without(question, candidate, records, answer, found),
        fired=fired_with(told_on(seen, found.open_time_ms), question.alert_id),
        bar=_bar(market, found),
        condition=finding,
        latch=_latch(seen),
    )


def _without(
    question: Question,
    candidate: Candidate,
    records: Sequence[Record],
    answer: str,
    found: Target | None = None,
) -> Explanation:
    command = candidate.command
    first_ms = next((one.open_time_ms for one in records if isinstance(one, Kline) and one.closed), None)
    gone = question.origin_ms is not None and first_ms is not None and first_ms > question.origin_ms
    return Explanation(
        alert_id=question.alert_id,
        kind="alert" if isinstance(command, AlertCommand) else "member",
        symbol=question.symbol,
        user_id=command.user_id,
        group_id=None if isinstance(command, AlertCommand) else command.group_id,
        generation=candidate.generation,
        sees_from_ms=candidate.sees_from_ms(question.interval),
        at_ms=question.at_ms,
        fired=False,
        answer=answer,
        on="nothing" if found is None else "stand_in" if found.stand_in else "bar",
        seeded_from_ms=first_ms if gone else None,
    )


def _market(question: Question) -> Market:
    return Market(question.symbol, question.interval, fill_up_to=question.fill_up_to)


def _bar(market: Market, found: Target) -> Bar:
    bar = market.bar(market.next - 1)
    prices = (bar.close,) * 4 if found.stand_in else (bar.open, bar.high, bar.low, bar.close)
    return Bar(
        interval=market.interval, open_time_ms=found.open_time_ms, close_time_ms=found.close_time_ms,
        open=prices[0], high=prices[1], low=prices[2], close=prices[3],
        volume=0.0 if found.stand_in else bar.volume, stale_price=found.stand_in,
    )  # fmt: skip


def _latch(seen: Seen) -> Latch:
    before, after, unit = seen.before, seen.after, seen.unit
    common = Latch(
        unit=after.unit,
        known_before=before.known,
        armed_before=before.armed,
        armed=after.armed,
        true_since_ms=after.true_since_ms,
        fires=after.fires,
        last_fired_ms=after.fired_ms,
    )
    if not isinstance(unit, Alert):
        return common
    command = unit.command
    return msgspec.structs.replace(
        common,
        frequency=command.frequency,
        debounce_bars=command.debounce_bars,
        debounce_left=debounce_left(unit, seen),
        rearms_ms=unit.rearms_ms if after.fires and not after.armed else None,
        expires_at_ms=command.expires_at_ms,
    )
