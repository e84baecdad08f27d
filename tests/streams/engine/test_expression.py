"""The text form of conditions: what it means, where it complains, and that it reads back what it writes."""

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.conditions import (
    MAX_MS,
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
    condition_from_json,
    condition_to_json,
)
from streams.engine.conditions.expression import ExpressionError, parse, to_text
from streams.engine.conditions.meaningless import arbitrary_level
from streams.engine.conditions.resolve import label, resolve

CLOSE = Price("close")
RSI = Indicator("rsi", (("window", 14),))


def _band(output: str) -> Indicator:
    return Indicator("bollinger", (("window", 20),), output)


@pytest.mark.parametrize(
    "text, tree",
    [
        ("rsi(14) < 30", Compare("lt", RSI, Const(30.0))),
        ("rsi(window=14) <= 30.5", Compare("lte", RSI, Const(30.5))),
        ("30 > close", Compare("gt", Const(30.0), CLOSE)),
        (
            'rsi(14) < 30 and close > ema(200, "1h")',
            All(
                (
                    Compare("lt", RSI, Const(30.0)),
                    Compare("gt", CLOSE, Indicator("ema", (("window", 200),), timeframe="1h")),
                )
            ),
        ),
        (
            "close > 1 or close < 2 and not close > 3",
            AnyOf(
                (
                    Compare("gt", CLOSE, Const(1.0)),
                    All((Compare("lt", CLOSE, Const(2.0)), Not(Compare("gt", CLOSE, Const(3.0))))),
                )
            ),
        ),
        ("crosses_above(close, 5)", Compare("crosses_above", CLOSE, Const(5.0))),
        ("close[1] >= 2", Compare("gte", Price("close", None, 1), Const(2.0))),
        ('close("4h")[3] >= 2', Compare("gte", Price("close", "4h", 3), Const(2.0))),
        (
            "macd(26, 12, 9).macd_signal[2] > 0",
            Compare(
                "gt",
                Indicator(
                    "macd",
                    (("window_fast", 12), ("window_sign", 9), ("window_slow", 26)),
                    "macd_signal",
                    bars_ago=2,
                ),
                Const(0.0),
            ),
        ),
        (
            "close - open * 2 > -1.5",
            Compare("gt", Arithmetic("-", CLOSE, Arithmetic("*", Price("open"), Const(2.0))), Const(-1.5)),
        ),
        (
            'ema(5, seed="first") > 1',
            Compare("gt", Indicator("ema", (("window", 5),), seed="first"), Const(1.0)),
        ),
        ("at(1700000000000)", At(1_700_000_000_000)),
        ('at("2023-11-14T22:13:20Z")', At(1_700_000_000_000)),
        ('level("95.25", "below")', Level("95.25", "below")),
        ('level(95.25, "above")', Level("95.25", "above")),
        ('trail("3", side="below", activate_at="104.15")', Trail("3", "104.15", "below")),
        ('trail(3, activate_at=104.15, side="above")', Trail("3", "104.15", "above")),
        ('trail(percent="0.5", side="above")', Trail("0.5", None, "above")),
        ("inside(close, 90, 110)", Channel("inside", CLOSE, Const(90.0), Const(110.0))),
        (
            "enters(close, bollinger(20).lband, bollinger(20).hband)",
            Channel("enters", CLOSE, _band("lband"), _band("hband")),
        ),
        ("exits(close, low=90, high=110)", Channel("exits", CLOSE, Const(90.0), Const(110.0))),
        ("not outside(close, 90, 110)", Not(Channel("outside", CLOSE, Const(90.0), Const(110.0)))),
        ("moves_up(close, 5, 10)", Moves("moves_up", CLOSE, 5.0, 10)),
        ("moves_down_percent(rsi(14), 2.5, bars=3)", Moves("moves_down_percent", RSI, 2.5, 3)),
        ("holds(rsi(14) < 30, 3)", Holds(Compare("lt", RSI, Const(30.0)), 3)),
        (
            "holds(rsi(14) < 30 or close > 5, bars=3)",
            Holds(AnyOf((Compare("lt", RSI, Const(30.0)), Compare("gt", CLOSE, Const(5.0)))), 3),
        ),
        (
            "sequence(rsi(14) < 30, close > 5, within=10)",
            Sequenced((Compare("lt", RSI, Const(30.0)), Compare("gt", CLOSE, Const(5.0))), 10),
        ),
        ('schedule("0 9 * * MON", "Europe/Berlin")', Schedule("0 9 * * MON", "Europe/Berlin")),
        ('schedule("*/5 * * * *")', Schedule("*/5 * * * *", "UTC")),
        (
            'schedule("0 9 * * *", tz="UTC") or close > 5',
            AnyOf((Schedule("0 9 * * *"), Compare("gt", CLOSE, Const(5.0)))),
        ),
        ("all(close > 1)", All((Compare("gt", CLOSE, Const(1.0)),))),
        (
            "close > 1 AND\n  close < 2",
            All((Compare("gt", CLOSE, Const(1.0)), Compare("lt", CLOSE, Const(2.0)))),
        ),
    ],
)
def test_text_means(text: str, tree: Condition) -> None:
    assert parse(text) == tree
    assert parse(to_text(tree)) == tree


@pytest.mark.parametrize(
    "text, column, expected",
    [
        ("", 1, "expected a number"),
        ("rsi(14) <", 10, "the end of the text"),
        ("rsi(14) < 30 and", 17, "the end of the text"),
        ("rsi(14", 7, "',' or ')'"),
        ("(close > 1", 11, "')'"),
        ("close > 1)", 10, "the end"),
        ("1 < close < 3", 11, "not chained"),
        ("close == 3", 7, "< <= > >="),
        ("close = 3", 7, "< <= > >="),
        ("foo(3) > 1", 1, "no indicator 'foo'"),
        ("rsi > 1", 1, "expected '('"),
        ("close > rsi(14, 15)", 17, "rsi takes window"),
        ("close > rsi(length=15)", 13, "window"),
        ("close > rsi(0)", 9, "window"),
        ("close > rsi(close)", 13, "constants"),
        ("close > rsi(14).foo", 9, "output"),
        ('close > rsi(14, "7x")', 17, "timeframe"),
        ('close > rsi("1h", timeframe="1h")', 19, "given twice"),
        ("close[1.5] > 1", 7, "whole number"),
        ("close[501] > 1", 1, "500"),
        ("close > 1 < ", 11, "not chained"),
        ("close", 1, "compared with nothing"),
        ("1 < 2", 3, "two constants"),
        ("close > (1 < 2)", 12, "a condition"),
        ("close > 1 & close < 2", 11, "'&'"),
        ('close > "3', 9, "closing quote"),
        ("30and close > 1", 3, "a space"),
        ("close > 1e999", 1, "finite"),
        ('level(95, "left")', 11, "below"),
        ("trail(3)", 1, 'trail("3", side="below"'),
        ('trail(3, "below")', 10, 'trail("3", side="below"'),
        ('trail(3, percent=4, side="below")', 10, 'trail("3", side="below"'),
        ('trail(3, side="below", at=4)', 24, 'trail("3", side="below"'),
        ('trail(close, side="below")', 7, "a percent"),
        ('trail(3, side="down")', 15, "below"),
        ('trail(3, side="below", activate_at=close)', 36, "a price"),
        ('trail(100, side="below")', 1, "below 100"),
        ('close > 1 and trail(3, side="below")', 1, "whole condition"),
        ('at("soon")', 4, "epoch milliseconds"),
        ('at("2023-11-14T22:13:20")', 4, "zone"),
        ("inside(close, 90)", 1, "an operand, its low and its high"),
        ("inside(close, 90, 110, 120)", 24, "and no more"),
        ("inside(1, 90, 110)", 8, "constants only"),
        ("inside(close, 90, close > 3)", 25, "found a condition"),
        ("moves_up(close, 0, 10)", 17, "above 0"),
        ("moves_up(close, open, 10)", 17, "above 0"),
        ("moves_up(close, 5, 0)", 20, "from 1 to 500"),
        ("moves_up(close, 5, 1.5)", 20, "whole number of bars"),
        ("moves_up(3, 5, 1)", 10, "found a constant"),
        ("moves_up(close, 5, bars=1, bars=2)", 28, "given twice"),
        ("moves_up(close, 5, within=1)", 20, "expected one of left, right, bars"),
        ("holds(close, 3)", 7, "compared with nothing"),
        ("holds(close > 3)", 1, "a condition and a number of bars"),
        ("holds(close > 3, 501)", 18, "from 1 to 500"),
        ("sequence(close > 3, close > 4)", 1, "within=a number of bars"),
        ("sequence(close > 3, within=4)", 1, "two conditions or more"),
        ("sequence(close > 3, rsi(14), within=4)", 21, "compared with nothing"),
        ("schedule()", 1, "schedule("),
        ("schedule(9)", 10, "a crontab line in quotes"),
        ('schedule("0 9 * *")', 10, "five fields"),
        ('schedule("61 9 * * *")', 10, "minute: expected 0 to 59"),
        ('schedule("0 9 * * *", "Mars/Olympus")', 23, "no time zone"),
        ('close > rsi(14, symbol="ETHUSDT")', 17, "partitioned by symbol"),
        ('close(symbol="ETHUSDT") > 3', 7, "partitioned by symbol"),
        ("__import__('os').system('x') > 1", 24, "found '('"),
        ("__import__('os') > 1", 1, "no indicator"),
        ("close.__class__ > 1", 1, "outputs"),
    ],
)
def test_complaints_point_at_the_column(text: str, column: int, expected: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert raised.value.column == column
    assert expected in raised.value.reason
    assert raised.value.path == f"column {column}"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4_000,
        "(" * 2_000 + "close > 1" + ")" * 2_000,
        "not " * 1_000 + "close > 1",
        "-" * 4_000 + "1 > close",
        "close" + " + 1" * 900 + " > 2",
        "close" + "[1]" * 1_000 + " > 2",
        "all(" * 900 + "close > 1" + ")" * 900,
        " or ".join(["close > 1"] * 400),
        " or ".join(["close > 1"] * 40),
        "close > " + "9" * 4_000,
        "x" * 5_000,
    ],
)
def test_monstrous_texts_are_refused_without_harm(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="closersi()[]<>=andnot.,\"' 0123456789+-*/\n\x00é", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    tree, column = _read(text)
    if tree is None:
        assert 1 <= column <= len(text) + 1
    else:
        assert parse(to_text(tree)) == tree


def _read(text: str) -> tuple[Condition | None, int]:
    try:
        return parse(text), 0
    except ExpressionError as error:
        return None, error.column


NUMBERS = st.one_of(st.integers(-1000, 1000).map(float), st.floats(allow_nan=False, allow_infinity=False))
TIMEFRAMES = st.sampled_from([None, "1m", "15m", "4h", "1w"])
LEAVES: st.SearchStrategy[Operand] = st.one_of(
    st.builds(Price, st.sampled_from(["open", "close", "volume", "hlc3"]), TIMEFRAMES, st.integers(0, 500)),
    st.builds(
        Indicator,
        st.sampled_from(["rsi", "ema", "sma"]),
        st.one_of(st.just(()), st.integers(1, 5000).map(lambda window: (("window", window),))),
        st.none(),
        TIMEFRAMES,
        st.integers(0, 500),
        st.sampled_from(["auto", "first"]),
    ),
    st.builds(
        Indicator,
        st.just("macd"),
        st.sampled_from(
            [(), (("window_fast", 3),), (("window_fast", 3), ("window_sign", 2), ("window_slow", 9))]
        ),
        st.sampled_from([None, "macd", "macd_signal", "macd_diff"]),
        TIMEFRAMES,
    ),
    st.builds(
        Indicator,
        st.just("vwap"),
        st.one_of(st.sampled_from([1, 2, 3]), st.integers(10**9, MAX_MS)).map(lambda at: (("anchor", at),)),
        st.sampled_from([None, "upper"]),
        TIMEFRAMES,
    ),
)
OPERANDS = st.recursive(
    st.one_of(LEAVES, st.builds(Const, NUMBERS)),
    lambda inner: st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/"]), inner, inner),
    max_leaves=4,
)
OPS = st.sampled_from(["lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below"])
BARS = st.integers(1, 500)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(
        st.builds(Compare, OPS, LEAVES, OPERANDS),
        st.builds(Compare, OPS, OPERANDS, LEAVES),
        st.builds(At, st.integers(0, 253_402_300_799_999)),
        st.builds(Level, st.sampled_from(["1", "95.25", "0.00000001"]), st.sampled_from(["below", "above"])),
        st.builds(
            Channel, st.sampled_from(["inside", "outside", "enters", "exits"]), LEAVES, OPERANDS, OPERANDS
        ),
        st.builds(
            Moves,
            st.sampled_from(["moves_up", "moves_down", "moves_up_percent", "moves_down_percent"]),
            LEAVES,
            st.floats(0, exclude_min=True, allow_infinity=False),
            BARS,
        ),
        st.builds(
            Schedule,
            st.sampled_from(["0 9 * * MON", "*/15 8-17 1,15 JAN-MAR *", "30 2 29 2 7"]),
            st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"]),
        ),
    ),
    lambda inner: st.one_of(
        st.builds(Holds, inner, BARS),
        st.builds(
            lambda items, within: Sequenced(tuple(items), within),
            st.lists(inner, min_size=2, max_size=3),
            BARS,
        ),
        st.builds(Not, inner),
        st.builds(lambda items: All(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: AnyOf(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS)
def test_what_is_written_is_read_back(condition: Condition) -> None:
    try:
        condition_from_json(condition_to_json(condition))
    except ConditionError:
        reject()  # deeper than a tree may be
    assert parse(to_text(condition)) == condition


def test_resolving_leaves_nothing_implicit() -> None:
    resolved = resolve(parse("close > ema() and macd() > rsi(7)"), "5m")
    assert to_text(resolved) == (
        'close("5m") > ema(12, "5m").ema and macd(26, 12, 9, "5m").macd > rsi(7, "5m").rsi'
    )


def test_equal_meanings_resolve_to_equal_trees() -> None:
    assert resolve(parse("rsi() < 100 * 0.3"), "1m") == resolve(parse('rsi(14, "1m").rsi < 30'), "1m")


@pytest.mark.parametrize(
    "text, anchor",
    [
        ('vwap(anchor="week")', 2),
        ("vwap(anchor=month)", 3),
        ("vwap(2, anchor=1700000000000)", 1_700_000_000_000),
    ],
)
def test_an_anchor_is_a_word_or_an_instant(text: str, anchor: int) -> None:
    compare = parse(f"close > {text}")
    assert isinstance(compare, Compare)
    assert isinstance(compare.right, Indicator)
    assert dict(compare.right.params)["anchor"] == anchor
    assert to_text(compare.right) == text.replace("month", '"month"')
    assert resolve(compare, "1m") == resolve(parse(to_text(resolve(compare, "1m"))), "1m")


@pytest.mark.parametrize(
    "text, reason",
    [
        ('close > vwap(anchor="year")', "day, week, month"),
        ("close > vwap(anchor=7)", "epoch milliseconds"),
        ("close > vwap(1, 2)", "by name"),
        ('close > rsi(anchor="day")', "expected one of"),
    ],
)
def test_another_anchor_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        parse(text)


def test_equal_schedules_resolve_to_equal_trees() -> None:
    assert resolve(Schedule("0 9 * jan mon"), "1m") == resolve(Schedule("0 9 * JAN MON"), "1m")


def test_what_is_resolved_resolves_to_itself() -> None:
    text = (
        "enters(close, ema(20), 9) and moves_up_percent(close, 5, 10)"
        " and holds(rsi(14) < 30, 3) or sequence(close > 1, close > 2, within=5)"
        ' or schedule("0 9 * * mon", "Europe/Berlin")'
    )
    once = resolve(parse(text), "5m")
    assert resolve(condition_from_json(condition_to_json(once)), "1m") == once
    assert parse(to_text(once)) == once


def _sums(name: str) -> Indicator:
    return Indicator(name, (), "out", "1m")


@pytest.mark.parametrize(
    "operand, found",
    [
        (_sums("obv"), True),
        (_sums("rsi"), False),
        (Arithmetic("-", _sums("obv"), replace(_sums("obv"), bars_ago=5)), False),
        (Arithmetic("-", _sums("obv"), _sums("vpt")), True),
        (Arithmetic("+", _sums("obv"), replace(_sums("obv"), bars_ago=5)), True),
        (Arithmetic("/", _sums("obv"), replace(_sums("obv"), bars_ago=5)), True),
        (
            Arithmetic("*", Const(2.0), Arithmetic("-", _sums("obv"), replace(_sums("obv"), bars_ago=5))),
            False,
        ),
        (Price("close", "1m"), False),
    ],
)
def test_a_level_is_arbitrary_where_it_depends_on_when_history_began(operand: Operand, found: bool) -> None:
    assert (arbitrary_level(operand, lambda leaf: leaf.name in {"obv", "vpt"}) is not None) is found


def test_labels_are_what_people_write() -> None:
    compare = resolve(parse('ema(200, "1h") * 2 > macd(26, 12, 9).macd_signal[1]'), "1m")
    assert isinstance(compare, Compare)
    assert label(compare.left, "1m") == 'ema(200, "1h") * 2'
    assert label(compare.right, "1m") == "macd(26, 12, 9).macd_signal[1]"


UP = Compare("gt", CLOSE, Const(1.0))


@pytest.mark.parametrize(
    "condition, path",
    [
        (Compare("gt", Indicator("nope"), Const(1.0)), "left"),
        (
            All((Compare("gt", CLOSE, Const(1.0)), Compare("gt", Indicator("rsi", (("w", 1),)), CLOSE))),
            "all[1].left.w",
        ),
        (Not(Compare("gt", Price("close", "90m"), Const(1.0))), "not.left.timeframe"),
        (Compare("gt", Arithmetic("+", Const(1.0), Const(1.0)), Const(1.0)), ""),
        (Compare("gt", CLOSE, Arithmetic("/", Const(1.0), Const(0.0))), "right"),
        (Level("0", "below"), "level.price"),
        (Compare("gt", CLOSE, Price("close", "1h")), ""),
        (Channel("inside", CLOSE, Const(2.0), Const(1.0)), "high"),
        (Channel("inside", CLOSE, Const(2.0), Const(2.0)), "high"),
        (Channel("inside", CLOSE, Price("close", "1h"), Const(1.0)), ""),
        (Channel("inside", CLOSE, Price("open", "90m"), Const(1.0)), "low.timeframe"),
        (Not(Channel("inside", Indicator("nope"), Const(1.0), Const(2.0))), "not.left"),
        (Moves("moves_up", Arithmetic("+", Const(1.0), Const(1.0)), 1.0, 3), "left"),
        (Moves("moves_up", Price("close", None, 400), 1.0, 101), "bars"),
        (All((Holds(Moves("moves_up", CLOSE, 1.0, 300), 202),)), "all[0].bars"),
        (Holds(Level("5", "below"), 3), "holds"),
        (Holds(AnyOf((UP, At(5))), 3), "holds.any[1]"),
        (Holds(Not(Schedule("0 9 * * *")), 3), "holds.not"),
        (Holds(Not(Holds(UP, 2)), 3), "holds.not"),
        (Holds(Sequenced((UP, UP), 2), 3), "holds"),
        (Sequenced((UP, Level("5", "below")), 3), "sequence[1]"),
        (Sequenced((UP, All((UP, Sequenced((UP, UP), 3)))), 3), "sequence[1].all[1]"),
        (Sequenced((UP, Holds(At(3), 3)), 3), "sequence[1].holds"),
        (Sequenced((UP, Holds(UP, 300)), 201), "within"),
        (Schedule("0 9 31 2 *"), "schedule"),
        (AnyOf((UP, Schedule("0 9 * * *", "Mars/Olympus"))), "any[1].tz"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_path(condition: Condition, path: str) -> None:
    with pytest.raises(ConditionError) as raised:
        resolve(condition, "1h", "1h")
    assert raised.value.path == path
