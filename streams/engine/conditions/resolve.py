"""Conditions as written → canonical ones: every timeframe, parameter and output filled in, and everything checked.

Equal meanings become equal trees, which is what lets the network share them.
"""

from msgspec.structs import replace

from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
    ConditionError,
    Const,
    Holds,
    Indicator,
    Level,
    Moves,
    Not,
    Operand,
    Price,
    Schedule,
    Sequenced,
    Trail,
)
from schemas.interval import interval_ms
from streams.engine.conditions import meaningless
from streams.engine.conditions.cron import cron_of, zone_of
from streams.engine.conditions.expression_text import operand_text
from streams.engine.conditions.reach import clock_of as clock_of  # asked for here, with `resolve`
from streams.engine.conditions.reach import leaves as leaves
from streams.engine.indicators import canonical, lookup


def resolve(condition: Condition, default_timeframe: str, base: str = "1m") -> Condition:
    """`condition` with nothing left implicit. Raises ConditionError with the path of what cannot be evaluated."""
    return _Resolver(default_timeframe, base).condition(condition, "")


def resolve_operand(operand: Operand, default_timeframe: str, base: str = "1m") -> Operand:
    """An operand alone, likewise."""
    return _Resolver(default_timeframe, base).operand(operand, "")


def label(operand: Operand, base: str) -> str:
    """The text of a resolved operand as people would write it: without the base timeframe and the default output."""
    return operand_text(_plain(operand, base))


def _plain(operand: Operand, base: str) -> Operand:
    match operand:
        case Price(field, timeframe, bars_ago):
            return Price(field, None if timeframe == base else timeframe, bars_ago)
        case Indicator(name, params, output, timeframe, bars_ago, seed):
            shown = None if output == lookup(name).outputs[0] else output
            return Indicator(name, params, shown, None if timeframe == base else timeframe, bars_ago, seed)
        case Arithmetic(op, left, right):
            return Arithmetic(op, _plain(left, base), _plain(right, base))
        case _:
            return operand


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


class _Resolver:
    def __init__(self, default_timeframe: str, base: str) -> None:
        self._default = default_timeframe
        self._base = base

    def condition(self, node: Condition, path: str) -> Condition:
        match node:
            case Compare(op, left, right):
                found = Compare(
                    op, self.operand(left, _join(path, "left")), self.operand(right, _join(path, "right"))
                )
                meaningless.refuse_compare(found, path)
                return found
            case Channel(op, left, low, high):
                sides = {"left": left, "low": low, "high": high}
                channel = Channel(op, *(self.operand(side, _join(path, key)) for key, side in sides.items()))
                meaningless.refuse_channel(channel, path)
                return channel
            case Moves(op, left, right, bars):
                moves = Moves(op, self.operand(left, _join(path, "left")), right, bars)
                meaningless.refuse_moves(moves, path)
                return moves
            case All(items):
                return All(self._items(items, _join(path, "all")))
            case AnyOf(items):
                return AnyOf(self._items(items, _join(path, "any")))
            case Not(item):
                return Not(self.condition(item, _join(path, "not")))
            case Level(price, _):
                if not 0.0 < float(price) < float("inf"):
                    raise ConditionError(_join(path, "level.price"), "expected a price above 0")
                return node
            case Trail(_, activate_at, _):
                if activate_at is not None and not 0.0 < float(activate_at) < float("inf"):
                    raise ConditionError(_join(path, "trail.activate_at"), "expected a price above 0")
                return node
            case At():
                return node
            case _:
                return self._in_time(node, path)

    def _in_time(self, node: Holds | Sequenced | Schedule, path: str) -> Condition:
        match node:
            case Holds(item, bars):
                holds = Holds(self.condition(item, _join(path, "holds")), bars)
                meaningless.refuse_holds(holds, path)
                return holds
            case Sequenced(items, within):
                steps = Sequenced(self._items(items, _join(path, "sequence")), within)
                meaningless.refuse_sequence(steps, path)
                return steps
            case Schedule():
                return _schedule(node, path)

    def _items(self, items: tuple[Condition, ...], path: str) -> tuple[Condition, ...]:
        return tuple(self.condition(item, f"{path}[{place}]") for place, item in enumerate(items))

    def operand(self, node: Operand, path: str) -> Operand:
        match node:
            case Const():
                return node
            case Price(field, timeframe, bars_ago):
                return Price(field, self._timeframe(timeframe, path), bars_ago)
            case Indicator():
                return self._indicator(node, path)
            case Arithmetic(op, left, right):
                return _folded(
                    Arithmetic(
                        op, self.operand(left, _join(path, "left")), self.operand(right, _join(path, "right"))
                    ),
                    path,
                )

    def _timeframe(self, timeframe: str | None, path: str) -> str:
        text = timeframe or self._default
        if interval_ms(text) % interval_ms(self._base):
            raise ConditionError(
                _join(path, "timeframe"), f"{text} is no multiple of the base interval {self._base}"
            )
        return text

    def _indicator(self, node: Indicator, path: str) -> Indicator:
        return replace(canonical(node, path), timeframe=self._timeframe(node.timeframe, path))


def _schedule(node: Schedule, path: str) -> Schedule:
    """Spelled in one way, so that equal schedules are equal."""
    for key, check, text in (("schedule", cron_of, node.cron), ("tz", zone_of, node.tz)):
        try:
            check(text)
        except ConditionError as error:
            raise ConditionError(_join(path, key), error.reason) from error
    return Schedule(" ".join(node.cron.upper().split()), node.tz)


def _folded(node: Arithmetic, path: str) -> Operand:
    """Arithmetic on constants is a constant: `close > 100 * 1.05` is a threshold like any other."""
    if not (isinstance(node.left, Const) and isinstance(node.right, Const)):
        return node
    value = calculate(node.op, node.left.value, node.right.value)
    if value != value:
        raise ConditionError(path, "arithmetic without a finite result")
    return Const(value)


def calculate(op: str, left: float, right: float) -> float:
    """`left op right`; NaN (unknown) where that is not a finite number."""
    if op == "+":
        value = left + right
    elif op == "-":
        value = left - right
    elif op == "*":
        value = left * right
    elif right == 0.0:
        return float("nan")
    else:
        value = left / right
    return value if abs(value) < float("inf") else float("nan")
