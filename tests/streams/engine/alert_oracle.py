"""The oracle of the predicate network: every condition of every alert on every bar, by plain recursion.

It shares the market's operand values with the engine (they have their own oracle) and nothing of how truths, edges,
fires or the order on the path are found.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, NamedTuple

from schemas.alerts import AlertCommand, GroupCommand, Member, TrailState
from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
    Const,
    Holds,
    Level,
    Moves,
    Not,
    Operand,
    Schedule,
    Sequenced,
    Trail,
)
from schemas.interval import interval_ms
from schemas.market import Kline, Tick
from schemas.triggers import Bar, Fired, FiredMember, Trigger
from streams.engine.conditions.measures import plainly
from streams.engine.conditions.reach import leaves
from streams.engine.conditions.resolve import label
from streams.engine.market.market import Market
from streams.engine.market.outcomes import Applied
from tests.streams.engine.naive_cron import instants
from tests.streams.engine.trail_oracle import Walked, story, walked_to

MINUTE = 60_000
NAN = float("nan")
Truth = bool | None
Asked = Compare | Channel | Moves | Holds | Sequenced


class Step(NamedTuple):
    """One bar or stand-in, the record that brought it, and what was true after it."""

    record: int
    bar: Bar
    before_ms: int
    now_ms: int
    stand_in: bool
    truths: dict[Asked, Truth]
    values: dict[Asked, dict[str, float]]


def asked(condition: Condition) -> Iterator[Asked]:
    """What is decided at the closes of a clock, what is below first."""
    match condition:
        case All(items) | AnyOf(items) | Sequenced(items, _):
            for item in items:
                yield from asked(item)
        case Not(item) | Holds(item, _):
            yield from asked(item)
    if isinstance(condition, Asked):
        yield condition


class Oracle:
    """All steps of `records`, with the truth of everything asked in `conditions` at each."""

    def __init__(self, records: list[Kline | Tick], conditions: Iterable[Condition], market: Market) -> None:
        self._market = market
        self._asked = {one: None for condition in conditions for one in asked(condition)}
        self._slots = {
            leaf: market.acquire(leaf, str(leaf.timeframe))
            for one in self._asked
            for asked_for in (one, *shown_of(one))
            for leaf in leaves(asked_for)
        }
        self._forget()
        self._now_ms = -1
        self.steps: list[Step] = []
        for place, record in enumerate(records):
            if isinstance(record, Tick):
                self._tick(place, record)
            else:
                self._kline(place, record)

    def _forget(self) -> None:
        """Nothing is known: `_seen` is what there was to see at each close of a clock, oldest first."""
        self._seen: dict[Asked, list[Any]] = {one: [] for one in self._asked}
        self._truths: dict[Asked, Truth] = dict.fromkeys(self._asked)
        self._values: dict[Asked, dict[str, float]] = {one: {} for one in self._asked}

    def _kline(self, place: int, kline: Kline) -> None:
        outcome = self._market.apply(kline)
        if not isinstance(outcome, Applied):
            return
        if outcome.gap_ms is not None:
            self._forget()
        for index in range(outcome.first, outcome.next):
            base = self._market.bar(index)
            bar = Bar(
                interval="1m", open_time_ms=base.open_time_ms, close_time_ms=base.close_time_ms, open=base.open,
                high=base.high, low=base.low, close=base.close, volume=base.volume,
            )  # fmt: skip
            before_ms, self._now_ms = self._now_ms, max(self._now_ms, bar.close_time_ms)
            for one in self._asked:
                clock = min((str(leaf.timeframe) for leaf in leaves(one)), key=interval_ms)
                if self._market.closes(clock, index):
                    self._decide(one, index)
            self.steps.append(
                Step(place, bar, before_ms, self._now_ms, False, dict(self._truths), dict(self._values))
            )

    def _tick(self, place: int, tick: Tick) -> None:
        if not self._market.next or tick.time_ms <= self._now_ms:
            return
        before_ms, self._now_ms = self._now_ms, tick.time_ms
        price = self._market.bar(self._market.next - 1).close
        bar = Bar(
            interval="1m", open_time_ms=tick.time_ms - MINUTE, close_time_ms=tick.time_ms, open=price, high=price,
            low=price, close=price, volume=0.0, stale_price=True,
        )  # fmt: skip
        self.steps.append(Step(place, bar, before_ms, self._now_ms, True, {}, {}))

    def _decide(self, one: Asked, index: int) -> None:
        match one:
            case Compare(_, left, right):
                now: Any = (self._operand(left, index), self._operand(right, index))
            case Channel(_, left, low, high):
                now = tuple(self._operand(side, index) for side in (left, low, high))
            case Moves(_, left, _, _):
                now = self._operand(left, index)
            case Holds(item, _):
                now = joined(item, self._truths)
            case Sequenced(items, _):
                now = tuple(joined(item, self._truths) for item in items)
        seen = self._seen[one]
        seen.append(now)
        self._truths[one] = decided(one, seen)
        shown = ((label(side, "1m"), self._operand(side, index)) for side in shown_of(one))
        self._values[one] = {text: value for text, value in shown if value == value}

    def _operand(self, operand: Operand, index: int) -> float:
        if isinstance(operand, Const):
            return operand.value
        if isinstance(operand, Arithmetic):
            left, right = self._operand(operand.left, index), self._operand(operand.right, index)
            if operand.op == "/" and right == 0.0:
                return NAN
            of = {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}
            value: float = of[operand.op](right)
            return NAN if value in (float("inf"), float("-inf")) else value
        return self._market.value(self._slots[operand], index, operand.bars_ago)

    def trigger(self, command: GroupCommand, conditions: list[Condition]) -> tuple[int, Trigger] | None:
        """(record, trigger) of the first bar on which any member fires."""
        known: list[Truth] = [None] * len(conditions)
        trails = {
            place: self._walked(
                condition, member.trail, command.armed_from_ms, command.side, command.intrabar
            )
            for place, (member, condition) in enumerate(zip(command.members, conditions, strict=True))
            if isinstance(condition, Trail)
        }
        for step in self.steps:
            if step.bar.open_time_ms < command.armed_from_ms:
                continue
            fired = []
            walked = {place: lived[step.bar.open_time_ms, step.stand_in] for place, lived in trails.items()}
            for place, (member, condition) in enumerate(zip(command.members, conditions, strict=True)):
                truth = truth_of(condition, step, command.armed_from_ms, walked.get(place))
                if truth is None:
                    continue
                at_once = known[place] is None and member.when_true_at_arming == "fire"
                if truth and (known[place] is False or at_once):
                    fired.append((member, condition))
                known[place] = truth
            if fired:
                told = {command.members[place].alert_id: one for place, one in walked.items()}
                return step.record, _trigger(command, fired, step, told)
        return None

    def _walked(
        self, trail: Trail, start: TrailState | None, from_ms: int, side: str | None, intrabar: str
    ) -> dict[tuple[int, bool], Walked]:
        """What `trail` went through, by open time and whether a tick stood in for the bar: those change nothing."""
        seen = [step for step in self.steps if step.bar.open_time_ms >= from_ms]
        lived = iter(story(trail, start, [step.bar for step in seen if not step.stand_in], side, intrabar))
        state = start or TrailState(active=trail.activate_at is None)
        found = {}
        for step in seen:
            walked = Walked(state, state, None, None) if step.stand_in else next(lived)
            found[step.bar.open_time_ms, step.stand_in], state = walked, walked.after
        return found

    def fires(
        self, command: AlertCommand, condition: Condition, generation: int, from_ms: int
    ) -> list[tuple[int, Any]]:
        """(record, message) of every fire; an expiry is (record, "expired")."""
        length = interval_ms(command.timeframe)
        may_fire = command.when_true_at_arming == "fire"
        true_since: int | None = None
        fires: list[int] = []
        found: list[tuple[int, Any]] = []
        again = (
            1
            if command.frequency == "every"
            else command.rearm_bars
            if command.rearm == "after_bars"
            else None
        )
        trail = self._walked(condition, None, from_ms, None, "ohlc") if isinstance(condition, Trail) else {}
        for step in self.steps:
            if command.expires_at_ms is not None and step.now_ms >= command.expires_at_ms:
                return [*found, (step.record, "expired")]
            if step.bar.open_time_ms < from_ms:
                continue
            truth = truth_of(condition, step, from_ms, trail.get((step.bar.open_time_ms, step.stand_in)))
            if truth is None and step.stand_in:
                continue
            slot = step.now_ms // length
            if fires and again is not None:
                may_fire = slot - fires[-1] >= again
            if not truth:
                true_since = None
                if truth is False and not (fires and again is not None):
                    may_fire = True
                continue
            true_since = slot if true_since is None else true_since
            if may_fire and slot - true_since + 1 >= command.debounce_bars:
                fires.append(slot)
                may_fire = False
                found.append((step.record, _fired(command, condition, generation, len(fires), step)))
                if command.frequency == "once":
                    return found
        return found


def truth_of(condition: Condition, step: Step, since_ms: int, walked: Walked | None = None) -> Truth:
    """Kleene's truth of `condition` at `step`, for who sees bars from `since_ms` on; of a trail it stands in what it
    `walked` there.
    """
    match condition:
        case Trail():
            assert walked is not None
            return None if step.stand_in else walked.leg is not None
        case Compare() | Channel() | Moves() | Holds() | Sequenced():
            return None if step.stand_in else step.truths[condition]
        case Level(price, side):
            if step.stand_in:
                return None
            return step.bar.low <= float(price) if side == "below" else step.bar.high >= float(price)
        case At(ms):
            return step.now_ms >= ms
        case Schedule(cron, tz):
            return bool(instants(cron, tz, max(step.before_ms, since_ms) + 1, step.now_ms))
        case Not(item):
            return negated(truth_of(item, step, since_ms))
        case All(items):
            return every(truth_of(item, step, since_ms) for item in items)
        case AnyOf(items):
            return negated(every(negated(truth_of(item, step, since_ms)) for item in items))


def joined(condition: Condition, truths: dict[Asked, Truth]) -> Truth:
    """Kleene's truth of what has truths at closes only."""
    match condition:
        case Compare() | Channel() | Moves() | Holds() | Sequenced():
            return truths[condition]
        case Not(item):
            return negated(joined(item, truths))
        case All(items):
            return every(joined(item, truths) for item in items)
        case AnyOf(items):
            return negated(every(negated(joined(item, truths)) for item in items))
    raise AssertionError(condition)


def every(truths: Iterable[Truth]) -> Truth:
    found = list(truths)
    return False if False in found else None if None in found else True


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


def shown_of(one: Asked) -> list[Operand]:
    """The operands whose values a message about `one` tells."""
    match one:
        case Compare(_, left, right):
            sides = [left, right]
        case Channel(_, left, low, high):
            sides = [left, low, high]
        case Moves(_, left, _, _):
            plain = plainly(one)
            sides = [plain.left] if isinstance(plain, Compare) else [left]
        case _:
            sides = []
    return [side for side in sides if not isinstance(side, Const)]


def decided(one: Asked, seen: list[Any]) -> Truth:
    """The truth of `one` after what there was to see at its closes up to now."""
    unknown = (NAN, NAN, NAN)
    match one:
        case Compare(op, _, _):
            return _compared(op, seen[-2] if len(seen) > 1 else unknown[:2], seen[-1])
        case Channel(op, _, _, _):
            now, before = _inside(seen[-1]), _inside(seen[-2] if len(seen) > 1 else unknown)
            if op in {"inside", "outside"} or now is None:
                return negated(now) if op == "outside" else now
            return (
                None
                if before is None
                else (before, now) == ((False, True) if op == "enters" else (True, False))
            )
        case Moves(op, _, right, bars):
            value, earlier = seen[-1], seen[-1 - bars] if len(seen) > bars else NAN
            change = value - earlier if "up" in op else earlier - value
            if op.endswith("_percent"):
                change = change / abs(earlier) * 100 if earlier else NAN
            return None if change != change else change >= right - right / 1_000_000
        case Holds(_, bars):
            return every([*[None] * bars, *seen][-bars:])
        case Sequenced(items, within):
            truths = [*[(None,) * len(items)] * (within + 2), *seen][-(within + 2) :]
            sure = _in_order(truths, lambda before, now: before is False and now is True)
            maybe = _in_order(truths, lambda before, now: before is not True and now is not False)
            return True if sure else None if maybe else False


def _in_order(truths: list[tuple[Truth, ...]], edge: Callable[[Truth, Truth], bool]) -> bool:
    """Whether each step has an edge, the last of them at the last close, in order: all ways are tried."""
    last = len(truths) - 1
    edges = [
        [at for at in range(1, last + 1) if edge(truths[at - 1][step], truths[at][step])]
        for step in range(len(truths[0]))
    ]
    return any(
        way[-1] == last and all(one < other for one, other in pairwise(way)) for way in product(*edges)
    )


def _inside(values: tuple[float, float, float]) -> Truth:
    left, low, high = values
    return None if any(value != value for value in values) else low < left < high


def _compared(op: str, before: tuple[float, float], now: tuple[float, float]) -> Truth:
    left, right = now
    if left != left or right != right:
        return None
    if op in {"lt", "lte", "gt", "gte"}:
        return {"lt": left < right, "lte": left <= right, "gt": left > right, "gte": left >= right}[op]
    if before[0] != before[0] or before[1] != before[1]:
        return None
    above = before[0] <= before[1] and left > right
    below = before[0] >= before[1] and left < right
    return {"crosses_above": above, "crosses_below": below, "crosses": above or below}[op]


def _trigger(
    command: GroupCommand, fired: list[tuple[Member, Condition]], step: Step, trails: dict[str, Walked]
) -> Trigger:
    fired = sorted(
        fired, key=lambda one: _place(one[0], one[1], step.bar, command, trails.get(one[0].alert_id))
    )
    return Trigger(
        trigger_id=f"{command.group_id}:{command.generation}:{step.bar.open_time_ms}:1",
        group_id=command.group_id,
        generation=command.generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=step.bar,
        action=fired[0][0].action,
        fired=[
            FiredMember(
                alert_id=member.alert_id,
                action=member.action,
                price=float(_met_at(condition, step, trails.get(member.alert_id))),
            )
            for member, condition in fired
        ],
        values=_values([condition for _, condition in fired], step),
        trails={name: walked.before for name, walked in trails.items()},
    )


def _met_at(condition: Condition, step: Step, walked: Walked | None) -> str | float | Fraction:
    if walked is not None:
        assert walked.level is not None
        return walked.level
    return condition.price if isinstance(condition, Level) else step.bar.close


def _fired(command: AlertCommand, condition: Condition, generation: int, number: int, step: Step) -> Fired:
    return Fired(
        fired_id=f"{command.alert_id}:{generation}:{step.bar.open_time_ms}:{number}",
        alert_id=command.alert_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=step.bar,
        generation=generation,
        frequency=command.frequency,
        fire_number=number,
        values=_values([condition], step),
        message=command.message,
    )


def _values(conditions: list[Condition], step: Step) -> dict[str, float]:
    seen: dict[str, float] = {}
    for condition in conditions:
        for one in asked(condition):
            seen.update(step.values.get(one, {}))
    return seen


def _place(
    member: Member, condition: Condition, bar: Bar, command: GroupCommand, trail: Walked | None
) -> tuple[Any, ...]:
    """Length of the path walked until the member is met; the close comes after all of it."""
    if isinstance(condition, At):
        return (1, 0, (), member.alert_id)
    if not isinstance(condition, Level | Trail):
        return (1, 1, (), member.alert_id)
    o, h, low, c = (Decimal(repr(price)) for price in (bar.open, bar.high, bar.low, bar.close))
    down_first = command.side == "long"
    if command.intrabar == "ohlc" and h - o != o - low:
        down_first = o - low < h - o
    points = [o, low, h, c] if down_first else [o, h, low, c]
    if isinstance(condition, Trail):
        assert trail is not None
        walked = walked_to(trail, condition, points, command.intrabar)
    else:
        walked = (_way_to(Fraction(condition.price), condition.side, points), Fraction(0))
    action = member.action
    stop = action.action_type != "stop_loss"
    dca = 10**6 if action.dca_index is None else action.dca_index
    target = 10**6 if action.tp_index is None else action.tp_index
    return (0, walked, (stop, dca, target), member.alert_id)


def _way_to(price: Fraction, side: str, points: list[Decimal]) -> Fraction:
    walked = Fraction(0)
    for start, end in pairwise(map(Fraction, points)):
        if start <= price if side == "below" else start >= price:
            break
        reached = end <= price if side == "below" else end >= price
        walked += abs(price - start) if reached else abs(end - start)
        if reached:
            break
    return walked
