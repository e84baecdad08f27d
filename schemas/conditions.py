"""Conditions as frozen trees of data, and their JSON form. The meaning of each node is the engine's business.

JSON: `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`, `{"op": "lt", "left": operand, "right": operand}`,
`{"at": ms}`, `{"level": {"price": "95.25", "side": "below"}}`,
`{"op": "inside", "left": operand, "low": operand, "high": operand}` (also outside, enters, exits),
`{"op": "moves_up", "left": operand, "right": 5, "bars": 10}` (also moves_down, and each with _percent),
`{"holds": ..., "bars": 3}`, `{"sequence": [...], "within": 10}`, `{"schedule": "0 9 * * MON", "tz": "Europe/Berlin"}`;
and alone, as a member's whole condition, `{"trail": {"percent": "3", "activate_at": "104.15", "side": "below"}}`.

An operand is a number, `{"price": "close"}`,
`{"indicator": "rsi", "window": 14, "output": ..., "timeframe": "1h", "bars_ago": 1, "seed": "auto"}` (a sum that
never forgets takes `"anchor": "day" | "week" | "month" | ms` as well) or
`{"op": "+", "left": operand, "right": operand}`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from schemas.interval import interval_ms

PriceField = Literal[
    "open",
    "high",
    "low",
    "close",
    "volume",
    "hl2",
    "hlc3",
    "ohlc4",
    "ha_open",
    "ha_high",
    "ha_low",
    "ha_close",
]
CompareOp = Literal["lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below"]
ChannelOp = Literal["inside", "outside", "enters", "exits"]
MovesOp = Literal["moves_up", "moves_down", "moves_up_percent", "moves_down_percent"]
ArithmeticOp = Literal["+", "-", "*", "/"]
Seed = Literal["auto", "sma", "first"]
Side = Literal["below", "above"]

MAX_DEPTH: Final = 8
MAX_NODES: Final = 64
MAX_WINDOW: Final = 5_000
MAX_BARS_AGO: Final = 500
MAX_BARS_BACK: Final = MAX_BARS_AGO
"""How many bars `moves_…`, `holds` and `sequence` may reach back, together with `bars_ago` below them."""
MAX_CRON: Final = 200
MAX_MS: Final = 253_402_300_799_999
# An indicator's parameter `anchor` is one of these words, or an instant; in `Indicator.params` it is a number.
ANCHOR: Final = "anchor"
ANCHORS: Final = {"day": 1, "week": 2, "month": 3}
ANCHOR_FROM_MS: Final = 1_000_000_000
ANCHOR_EXPECTED: Final = f"expected {', '.join(ANCHORS)} or epoch milliseconds from {ANCHOR_FROM_MS} on"
CRON_PATTERN: Final = r"^[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}$(?!\n)"
TZ_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$(?!\n)"
OTHER_SYMBOL: Final = (
    "a condition sees the candles of its own symbol only: klines are partitioned by symbol, so those of another one "
    "may be on another worker"
)
DECIMAL_PATTERN: Final = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"


class ConditionError(ValueError):
    """A condition that cannot be accepted. `path` names the place, e.g. `all[1].left.window`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Const(msgspec.Struct, frozen=True):
    value: float


class Price(msgspec.Struct, frozen=True):
    field: PriceField
    timeframe: str | None = None
    bars_ago: int = 0


class Indicator(msgspec.Struct, frozen=True):
    """`params` are sorted (name, value) pairs as written; the engine fills in defaults and refuses unknown names."""

    name: str
    params: tuple[tuple[str, float | int], ...] = ()
    output: str | None = None
    timeframe: str | None = None
    bars_ago: int = 0
    seed: Seed = "auto"


class Arithmetic(msgspec.Struct, frozen=True):
    op: ArithmeticOp
    left: "Operand"
    right: "Operand"


Operand: TypeAlias = Const | Price | Indicator | Arithmetic


class Compare(msgspec.Struct, frozen=True):
    op: CompareOp
    left: Operand
    right: Operand


class All(msgspec.Struct, frozen=True):
    items: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True):
    items: tuple["Condition", ...]


class Not(msgspec.Struct, frozen=True):
    item: "Condition"


class At(msgspec.Struct, frozen=True):
    """False before `ms` (event time), true from the first bar close at or after it on."""

    ms: int


class Level(msgspec.Struct, frozen=True):
    """Touched when the bar's path meets `price` (a decimal string) from or beyond `side`."""

    price: str
    side: Side


class Trail(msgspec.Struct, frozen=True):
    """Met when the path comes back from its extreme by `percent`. Side `below` follows a rising price, `above` a
    falling one. Inactive until the path touches `activate_at` on the way to the extreme; None: active from the start.
    """

    percent: str
    activate_at: str | None
    side: Side


class Channel(msgspec.Struct, frozen=True):
    """inside: low < left < high; outside: not so; enters: so now and not at the close before; exits: the reverse."""

    op: ChannelOp
    left: Operand
    low: Operand
    high: Operand


class Moves(msgspec.Struct, frozen=True):
    """`left` went up or down by `right` at least against its own value `bars` bars before; percent: of |that value|."""

    op: MovesOp
    left: Operand
    right: float
    bars: int


class Holds(msgspec.Struct, frozen=True):
    """`item` was true at each of the last `bars` closes of its clock."""

    item: "Condition"
    bars: int


class Sequenced(msgspec.Struct, frozen=True):
    """`items` became true one after the other, the last of them now, the first at most `within` bars ago."""

    items: tuple["Condition", ...]
    within: int


class Schedule(msgspec.Struct, frozen=True):
    """True at the first bar close at or after each instant of a crontab line (five fields) in a time zone."""

    cron: str
    tz: str = "UTC"


Condition: TypeAlias = (
    Compare | Channel | Moves | All | AnyOf | Not | Holds | Sequenced | At | Schedule | Level | Trail
)
Node: TypeAlias = Condition | Operand

_DECIMAL = re.compile(DECIMAL_PATTERN)
_CRON = re.compile(CRON_PATTERN)
_TZ = re.compile(TZ_PATTERN)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OPERAND_KEYS = {"timeframe", "bars_ago"}


class _Budget:
    """Counts nodes so that a hostile tree is refused before it is walked to its end."""

    def __init__(self) -> None:
        self.nodes = 0

    def spend(self, path: str, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise ConditionError(path, f"deeper than {MAX_DEPTH} levels")
        if self.nodes > MAX_NODES:
            raise ConditionError(path, f"more than {MAX_NODES} nodes")


def condition_from_json(raw: object, path: str = "") -> Condition:
    """The tree of `raw` (decoded JSON). Raises ConditionError with the path of the first thing that is wrong."""
    return _condition(raw, path, 1, _Budget())


def operand_from_json(raw: object, path: str = "") -> Operand:
    """The operand of `raw` (decoded JSON). Raises ConditionError with the path of the first thing that is wrong."""
    return _operand(raw, path, 1, _Budget())


def _sub(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _object(raw: object, path: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ConditionError(path, f"expected an object, got {type(raw).__name__}")
    return raw


def _only(raw: dict[str, Any], allowed: set[str], path: str) -> None:
    for key in raw:
        if key not in allowed:
            raise ConditionError(_sub(path, str(key)), "unknown field")


def _condition(raw: object, path: str, depth: int, budget: _Budget) -> Condition:
    budget.spend(path, depth)
    node = _object(raw, path)
    kinds = [key for key in _CONDITIONS if key in node]
    if len(kinds) != 1:
        raise ConditionError(path, f"expected exactly one of {', '.join(_CONDITIONS)}")
    return _CONDITIONS[kinds[0]](node, path, depth, budget)


def _all(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    return All(_items(node, "all", path, depth, budget))


def _any(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    return AnyOf(_items(node, "any", path, depth, budget))


def _items(node: dict[str, Any], key: str, path: str, depth: int, budget: _Budget) -> tuple[Condition, ...]:
    _only(node, {key}, path)
    raw = node[key]
    if not isinstance(raw, list) or not raw:
        raise ConditionError(_sub(path, key), "expected a list of at least one condition")
    return tuple(_condition(item, f"{_sub(path, key)}[{i}]", depth + 1, budget) for i, item in enumerate(raw))


def _not(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"not"}, path)
    return Not(_condition(node["not"], _sub(path, "not"), depth + 1, budget))


def _at(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"at"}, path)
    return At(_whole(node["at"], _sub(path, "at"), 0, MAX_MS))


def _level(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"level"}, path)
    where = _sub(path, "level")
    level = _object(node["level"], where)
    _only(level, {"price", "side"}, where)
    price = _decimal(level.get("price"), _sub(where, "price"))
    return Level(price, _choice(level.get("side"), Side, _sub(where, "side")))


def _trail(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"trail"}, path)
    where = _sub(path, "trail")
    if depth > 1:
        raise ConditionError(where, "a trail is the whole condition of a member or an alert, no part of one")
    trail = _object(node["trail"], where)
    _only(trail, {"percent", "activate_at", "side"}, where)
    percent = _decimal(trail.get("percent"), _sub(where, "percent"))
    side = _choice(trail.get("side"), Side, _sub(where, "side"))
    if Decimal(percent) <= 0:
        raise ConditionError(_sub(where, "percent"), "expected a percent above 0")
    if side == "below" and Decimal(percent) >= 100:
        raise ConditionError(
            _sub(where, "percent"), "expected a percent below 100: no price is at or below zero"
        )
    activate_at = trail.get("activate_at")
    if activate_at is not None and Decimal(_decimal(activate_at, _sub(where, "activate_at"))) <= 0:
        raise ConditionError(_sub(where, "activate_at"), "expected a price above 0")
    return Trail(percent, activate_at, side)


def _holds(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"holds", "bars"}, path)
    item = _condition(node["holds"], _sub(path, "holds"), depth + 1, budget)
    return Holds(item, _bars_back(node, "bars", path))


def _sequence(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"sequence", "within"}, path)
    raw, where = node["sequence"], _sub(path, "sequence")
    if not isinstance(raw, list) or len(raw) < 2:
        raise ConditionError(where, "expected a list of at least two conditions")
    items = tuple(_condition(item, f"{where}[{i}]", depth + 1, budget) for i, item in enumerate(raw))
    return Sequenced(items, _bars_back(node, "within", path))


def _schedule(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    _only(node, {"schedule", "tz"}, path)
    cron, tz = node["schedule"], node.get("tz", "UTC")
    if not isinstance(cron, str) or len(cron) > MAX_CRON or not _CRON.fullmatch(cron):
        raise ConditionError(
            _sub(path, "schedule"), "expected a crontab line of five fields such as 0 9 * * MON"
        )
    if not isinstance(tz, str) or not _TZ.fullmatch(tz):
        raise ConditionError(_sub(path, "tz"), "expected a time zone such as Europe/Berlin")
    return Schedule(cron, tz)


def _compared(node: dict[str, Any], path: str, depth: int, budget: _Budget) -> Condition:
    op, where = node["op"], _sub(path, "op")
    if op in get_args(ChannelOp):
        sides = _sides(node, ("left", "low", "high"), set(), path, depth, budget)
        return Channel(_choice(op, ChannelOp, where), *sides)
    if op in get_args(MovesOp):
        (left,) = _sides(node, ("left",), {"right", "bars"}, path, depth, budget)
        by = node.get("right")
        if isinstance(by, bool) or not isinstance(by, int | float) or _finite(by, _sub(path, "right")) <= 0.0:
            raise ConditionError(_sub(path, "right"), "expected a number above 0")
        return Moves(_choice(op, MovesOp, where), left, float(by), _bars_back(node, "bars", path))
    if not isinstance(op, str) or op not in get_args(CompareOp):
        known = (*get_args(CompareOp), *get_args(ChannelOp), *get_args(MovesOp))
        raise ConditionError(where, f"expected one of {', '.join(known)}")
    left, right = _sides(node, ("left", "right"), set(), path, depth, budget)
    return Compare(_choice(op, CompareOp, where), left, right)


def _sides(
    node: dict[str, Any], names: tuple[str, ...], more: set[str], path: str, depth: int, budget: _Budget
) -> list[Operand]:
    """The operands of a comparison; `more`: what else it may hold."""
    _only(node, {"op", *names} | more, path)
    sides = []
    for key in names:
        if key not in node:
            raise ConditionError(_sub(path, key), "missing")
        sides.append(_operand(node[key], _sub(path, key), depth + 1, budget))
    if all(isinstance(side, Const) for side in sides):
        raise ConditionError(path, "compares constants only")
    return sides


def _bars_back(node: dict[str, Any], key: str, path: str) -> int:
    return _whole(node.get(key), _sub(path, key), 1, MAX_BARS_BACK)


_Build: TypeAlias = Callable[[dict[str, Any], str, int, _Budget], Condition]
_CONDITIONS: Final[dict[str, _Build]] = {
    "all": _all, "any": _any, "not": _not, "at": _at, "level": _level, "op": _compared, "holds": _holds,
    "sequence": _sequence, "schedule": _schedule, "trail": _trail,
}  # fmt: skip


def _operand(raw: object, path: str, depth: int, budget: _Budget) -> Operand:
    budget.spend(path, depth)
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return Const(_finite(raw, path))
    node = _object(raw, path)
    if "symbol" in node:
        raise ConditionError(_sub(path, "symbol"), OTHER_SYMBOL)
    if "price" in node:
        _only(node, {"price"} | _OPERAND_KEYS, path)
        return Price(
            _choice(node["price"], PriceField, _sub(path, "price")),
            _timeframe(node, path),
            _bars_ago(node, path),
        )
    if "indicator" in node:
        return _indicator(node, path)
    if "op" in node:
        _only(node, {"op", "left", "right"}, path)
        op = _choice(node["op"], ArithmeticOp, _sub(path, "op"))
        left, right = (
            _operand(node.get(key), _sub(path, key), depth + 1, budget) for key in ("left", "right")
        )
        return Arithmetic(op, left, right)
    raise ConditionError(path, "expected a number, or an object with price, indicator or op")


def _indicator(node: dict[str, Any], path: str) -> Indicator:
    name, output = node["indicator"], node.get("output")
    for key, text in (("indicator", name), ("output", output)):
        if text is not None and (not isinstance(text, str) or not _NAME.fullmatch(text)):
            raise ConditionError(_sub(path, key), "expected a name")
    if name is None:
        raise ConditionError(_sub(path, "indicator"), "expected a name")
    params: list[tuple[str, float | int]] = []
    for key, value in node.items():
        if key in {"indicator", "output", "seed"} | _OPERAND_KEYS:
            continue
        if key == ANCHOR:
            params.append((key, _anchor(value, _sub(path, key))))
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConditionError(_sub(path, key), "expected a number")
        _finite(value, _sub(path, key))
        if (
            "window" in key
            and key != "window_dev"
            and not (isinstance(value, int) and 1 <= value <= MAX_WINDOW)
        ):
            raise ConditionError(_sub(path, key), f"expected a whole number from 1 to {MAX_WINDOW}")
        params.append((key, value))
    seed = _choice(node.get("seed", "auto"), Seed, _sub(path, "seed"))
    return Indicator(name, tuple(sorted(params)), output, _timeframe(node, path), _bars_ago(node, path), seed)


def _anchor(raw: object, path: str) -> int:
    if isinstance(raw, str) and raw in ANCHORS:
        return ANCHORS[raw]
    if isinstance(raw, bool) or not isinstance(raw, int) or not ANCHOR_FROM_MS <= raw <= MAX_MS:
        raise ConditionError(path, ANCHOR_EXPECTED)
    return raw


def anchor_word(value: float) -> str | int:
    """An anchor as it is written: `day`, `week`, `month` or epoch milliseconds."""
    return next((word for word, number in ANCHORS.items() if number == value), int(value))


def _timeframe(node: dict[str, Any], path: str) -> str | None:
    text = node.get("timeframe")
    if text is None:
        return None
    try:
        interval_ms(text)
    except (ValueError, TypeError):
        raise ConditionError(
            _sub(path, "timeframe"), f"{str(text)[:20]!r} is no interval such as 15m, 4h, 1d"
        ) from None
    return str(text)


def _bars_ago(node: dict[str, Any], path: str) -> int:
    return _whole(node.get("bars_ago", 0), _sub(path, "bars_ago"), 0, MAX_BARS_AGO)


def _whole(raw: object, path: str, low: int, high: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
        raise ConditionError(path, f"expected a whole number from {low} to {high}")
    return raw


def _decimal(raw: object, path: str) -> str:
    if not isinstance(raw, str) or len(raw) > 40 or not _DECIMAL.fullmatch(raw):
        raise ConditionError(path, "expected a decimal string")
    return raw


def _finite(raw: int | float, path: str) -> float:
    try:
        value = float(raw)
    except OverflowError:
        raise ConditionError(path, "number out of range") from None
    if not isfinite(value):
        raise ConditionError(path, "expected a finite number")
    return value


def _choice(raw: object, choices: Any, path: str) -> Any:
    allowed = get_args(choices)
    if not isinstance(raw, str) or raw not in allowed:
        raise ConditionError(path, f"expected one of {', '.join(allowed)}")
    return raw


def operand_to_json(node: Operand) -> Any:
    """The JSON form of an operand; defaults are left out."""
    match node:
        case Const(value):
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case Price(field, timeframe, bars_ago):
            return {"price": field} | _tail(timeframe, bars_ago)
        case Indicator(name, params, output, timeframe, bars_ago, seed):
            head: dict[str, Any] = {"indicator": name, **dict(params)}
            if ANCHOR in head:
                head[ANCHOR] = anchor_word(head[ANCHOR])
            if output is not None:
                head["output"] = output
            if seed != "auto":
                head["seed"] = seed
            return head | _tail(timeframe, bars_ago)
        case Arithmetic(op, left, right):
            return {"op": op, "left": operand_to_json(left), "right": operand_to_json(right)}


def _tail(timeframe: str | None, bars_ago: int) -> dict[str, Any]:
    tail: dict[str, Any] = {}
    if timeframe is not None:
        tail["timeframe"] = timeframe
    if bars_ago:
        tail["bars_ago"] = bars_ago
    return tail


def condition_to_json(node: Condition) -> Any:
    """The JSON form of a condition: `condition_from_json(condition_to_json(c)) == c`."""
    match node:
        case Compare(op, left, right):
            return {"op": op, "left": operand_to_json(left), "right": operand_to_json(right)}
        case All(items):
            return {"all": [condition_to_json(item) for item in items]}
        case AnyOf(items):
            return {"any": [condition_to_json(item) for item in items]}
        case Not(item):
            return {"not": condition_to_json(item)}
        case At(ms):
            return {"at": ms}
        case Level(price, side):
            return {"level": {"price": price, "side": side}}
        case Trail(percent, activate_at, side):
            return {"trail": {"percent": percent, "activate_at": activate_at, "side": side}}
        case _:
            return _later_to_json(node)


def _later_to_json(node: Channel | Moves | Holds | Sequenced | Schedule) -> Any:
    match node:
        case Channel(op, left, low, high):
            sides = {"left": left, "low": low, "high": high}
            return {"op": op} | {key: operand_to_json(side) for key, side in sides.items()}
        case Moves(op, left, right, bars):
            return {
                "op": op,
                "left": operand_to_json(left),
                "right": operand_to_json(Const(right)),
                "bars": bars,
            }
        case Holds(item, bars):
            return {"holds": condition_to_json(item), "bars": bars}
        case Sequenced(items, within):
            return {"sequence": [condition_to_json(item) for item in items], "within": within}
        case Schedule(cron, tz):
            return {"schedule": cron, "tz": tz}
