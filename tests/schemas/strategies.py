"""Hypothesis strategies for condition trees within the limits, as structs and as JSON."""

from decimal import Decimal

from hypothesis import strategies as st

from schemas.conditions import (
    MAX_MS,
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
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

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
timeframes = st.none() | st.sampled_from(["1m", "15m", "4h", "1d", "1w"])
bars_ago = st.integers(0, 500)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
RESERVED = {"indicator", "output", "seed", "timeframe", "bars_ago", "price", "anchor", "symbol"}


@st.composite
def parameters(draw: st.DrawFn) -> tuple[tuple[str, float | int], ...]:
    plain = st.dictionaries(
        names.filter(lambda n: n not in RESERVED and "window" not in n), finite, max_size=2
    )
    windows = st.dictionaries(
        st.sampled_from(["window", "window_slow", "fast_window"]), st.integers(1, 5_000)
    )
    anchors: st.SearchStrategy[dict[str, int]] = st.just({}) | st.builds(
        dict, anchor=st.sampled_from([1, 2, 3]) | st.integers(10**9, MAX_MS)
    )
    return tuple(sorted({**draw(plain), **draw(windows), **draw(anchors)}.items()))


consts = st.builds(Const, finite)
prices = st.builds(
    Price, st.sampled_from(["open", "high", "low", "close", "volume", "hl2"]), timeframes, bars_ago
)
indicators = st.builds(
    Indicator,
    names,
    parameters(),
    st.none() | names,
    timeframes,
    bars_ago,
    st.sampled_from(["auto", "sma", "first"]),
)
leaves = consts | prices | indicators
operands: st.SearchStrategy[Operand] = leaves | st.builds(
    Arithmetic, st.sampled_from(["+", "-", "*", "/"]), leaves, leaves
)
levels = st.builds(
    Level,
    st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=8).map(lambda d: f"{abs(d):f}"),
    st.sampled_from(["below", "above"]),
)
compares = st.builds(
    Compare,
    st.sampled_from(["lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below"]),
    operands,
    operands,
).filter(lambda node: not (isinstance(node.left, Const) and isinstance(node.right, Const)))
channels = st.builds(
    Channel, st.sampled_from(["inside", "outside", "enters", "exits"]), operands, leaves, leaves
).filter(lambda node: not all(isinstance(side, Const) for side in (node.left, node.low, node.high)))
bars_back = st.integers(1, 500)
moves = st.builds(
    Moves,
    st.sampled_from(["moves_up", "moves_down", "moves_up_percent", "moves_down_percent"]),
    operands.filter(lambda operand: not isinstance(operand, Const)),
    st.floats(0, exclude_min=True, allow_infinity=False, width=64),
    bars_back,
)
schedules = st.builds(
    Schedule,
    st.sampled_from(["0 9 * * MON", "*/15 8-17 1,15 JAN-MAR *", "30 2 29 2 7"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"]),
)
simple: st.SearchStrategy[Condition] = (
    compares | channels | moves | schedules | st.builds(At, st.integers(0, MAX_MS)) | levels
)


def _combine(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    items = st.lists(inner, min_size=1, max_size=3).map(tuple)
    steps = st.lists(inner, min_size=2, max_size=3).map(tuple)
    together = st.builds(All, items) | st.builds(AnyOf, items) | st.builds(Not, inner)
    return together | st.builds(Holds, inner, bars_back) | st.builds(Sequenced, steps, bars_back)


_positive = st.decimals("0.00000001", 10**9, places=8).map(lambda d: f"{d:f}")
trails = st.builds(
    Trail,
    st.decimals("0.001", "99.999", places=3).map(lambda d: f"{d:f}"),
    st.none() | _positive,
    st.sampled_from(["below", "above"]),
) | st.builds(Trail, _positive, st.none() | _positive, st.just("above"))
conditions: st.SearchStrategy[Condition] = simple | _combine(simple | _combine(simple)) | trails
decimal_texts = st.decimals(0, 10**9, places=8).map(lambda d: f"{Decimal(d):f}")
