"""Condition trees: JSON there and back, and refusals that name the place."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Price,
    Schedule,
    Sequenced,
    Trail,
    condition_from_json,
    condition_to_json,
)
from tests.schemas.strategies import conditions

CLOSE = {"price": "close"}
RSI = {"indicator": "rsi", "window": 14}
LOW_RSI = {"op": "lt", "left": RSI, "right": 30}


@given(conditions)
def test_a_tree_survives_json(tree: Condition) -> None:
    on_the_wire = msgspec.json.encode(condition_to_json(tree))
    assert condition_from_json(msgspec.json.decode(on_the_wire)) == tree


@given(conditions)
def test_the_text_of_a_tree_is_canonical(tree: Condition) -> None:
    once = condition_to_json(tree)
    assert condition_to_json(condition_from_json(once)) == once


@pytest.mark.parametrize(
    "raw, tree",
    [
        (LOW_RSI, Compare("lt", Indicator("rsi", (("window", 14),)), Const(30.0))),
        ({"at": 60_000}, At(60_000)),
        ({"level": {"price": "95.25", "side": "below"}}, Level("95.25", "below")),
        (
            {"trail": {"percent": "3", "activate_at": "104.15", "side": "below"}},
            Trail("3", "104.15", "below"),
        ),
        ({"trail": {"percent": "100", "activate_at": None, "side": "above"}}, Trail("100", None, "above")),
        ({"trail": {"percent": "99.9", "side": "below"}}, Trail("99.9", None, "below")),
        ({"not": {"at": 0}}, Not(At(0))),
        (
            {"op": "inside", "left": CLOSE, "low": 90, "high": 110},
            Channel("inside", Price("close"), Const(90.0), Const(110.0)),
        ),
        (
            {"op": "moves_up_percent", "left": CLOSE, "right": 5, "bars": 10},
            Moves("moves_up_percent", Price("close"), 5.0, 10),
        ),
        ({"holds": {"at": 0}, "bars": 3}, Holds(At(0), 3)),
        ({"sequence": [{"at": 0}, {"at": 1}], "within": 5}, Sequenced((At(0), At(1)), 5)),
        ({"schedule": "0 9 * * MON", "tz": "Europe/Berlin"}, Schedule("0 9 * * MON", "Europe/Berlin")),
        ({"schedule": "0 9 * * MON"}, Schedule("0 9 * * MON", "UTC")),
        ({"all": [{"at": 0}, {"at": 1}]}, All((At(0), At(1)))),
        ({"any": [{"at": 0}]}, AnyOf((At(0),))),
        (
            {
                "op": "gt",
                "left": {"op": "*", "left": CLOSE, "right": 2},
                "right": {"price": "high", "bars_ago": 1},
            },
            Compare("gt", Arithmetic("*", Price("close"), Const(2.0)), Price("high", None, 1)),
        ),
        (
            {
                "op": "crosses_above",
                "left": {"indicator": "macd", "output": "macd_signal", "timeframe": "4h", "seed": "first"},
                "right": 0,
            },
            Compare("crosses_above", Indicator("macd", (), "macd_signal", "4h", 0, "first"), Const(0.0)),
        ),
        (
            {
                "op": "gt",
                "left": {"indicator": "obv", "anchor": "week"},
                "right": {"indicator": "obv", "anchor": 1_700_000_000_000},
            },
            Compare(
                "gt", Indicator("obv", (("anchor", 2),)), Indicator("obv", (("anchor", 1_700_000_000_000),))
            ),
        ),
    ],
)
def test_json_is_read_as_documented(raw: Any, tree: Condition) -> None:
    assert condition_from_json(raw) == tree
    assert condition_from_json(json.loads(json.dumps(condition_to_json(tree)))) == tree


def test_parameters_are_sorted_so_that_equal_definitions_are_equal() -> None:
    there = {"op": "gt", "left": {"indicator": "macd", "window_fast": 12, "window_slow": 26}, "right": 0}
    back = {"op": "gt", "left": {"window_slow": 26, "indicator": "macd", "window_fast": 12}, "right": 0}
    assert condition_from_json(there) == condition_from_json(back)


def left(operand: Any) -> dict[str, Any]:
    return {"op": "lt", "left": operand, "right": 1}


@pytest.mark.parametrize(
    "raw, path",
    [
        (None, ""),
        ([], ""),
        ("rsi(14) < 30", ""),
        ({}, ""),
        ({"all": [LOW_RSI], "any": [LOW_RSI]}, ""),
        ({"op": "lt", "left": 1, "right": 2}, ""),
        ({"all": [LOW_RSI], "note": 1}, "note"),
        ({**LOW_RSI, "timeframe": "1h"}, "timeframe"),
        ({"all": []}, "all"),
        ({"all": LOW_RSI}, "all"),
        ({"all": [LOW_RSI, {"op": "lt", "left": CLOSE}]}, "all[1].right"),
        ({"any": [{"not": {"op": "near", "left": CLOSE, "right": 1}}]}, "any[0].not.op"),
        ({"not": {"not": 1}}, "not.not"),
        ({"not": LOW_RSI, "at": 1}, ""),
        ({"at": -1}, "at"),
        ({"at": 1.5}, "at"),
        ({"at": True}, "at"),
        ({"at": "0"}, "at"),
        ({"at": 10**15}, "at"),
        ({"at": 1, "zone": "UTC"}, "zone"),
        ({"level": "95"}, "level"),
        ({"level": {"price": 95.25, "side": "below"}}, "level.price"),
        ({"level": {"price": "-1", "side": "below"}}, "level.price"),
        ({"level": {"price": "1e3", "side": "below"}}, "level.price"),
        ({"level": {"price": "٣", "side": "below"}}, "level.price"),
        ({"level": {"price": "1.", "side": "below"}}, "level.price"),
        ({"level": {"price": "1\n", "side": "below"}}, "level.price"),
        ({"level": {"price": "9" * 41, "side": "below"}}, "level.price"),
        ({"level": {"price": "1"}}, "level.side"),
        ({"level": {"price": "1", "side": "left"}}, "level.side"),
        ({"level": {"price": "1", "side": "below", "id": 1}}, "level.id"),
        ({"trail": None}, "trail"),
        ({"trail": {"side": "below"}}, "trail.percent"),
        ({"trail": {"percent": 3, "side": "below"}}, "trail.percent"),
        ({"trail": {"percent": "-3", "side": "below"}}, "trail.percent"),
        ({"trail": {"percent": "0.00", "side": "above"}}, "trail.percent"),
        ({"trail": {"percent": "100", "side": "below"}}, "trail.percent"),
        ({"trail": {"percent": "9" * 41, "side": "above"}}, "trail.percent"),
        ({"trail": {"percent": "3"}}, "trail.side"),
        ({"trail": {"percent": "3", "side": "up"}}, "trail.side"),
        ({"trail": {"percent": "3", "side": "above", "activate_at": "0"}}, "trail.activate_at"),
        ({"trail": {"percent": "3", "side": "above", "activate_at": 104.15}}, "trail.activate_at"),
        ({"trail": {"percent": "3", "side": "above", "activate": "1"}}, "trail.activate"),
        ({"trail": {"percent": "3", "side": "above"}, "at": 1}, ""),
        ({"all": [{"at": 0}, {"trail": {"percent": "3", "side": "above"}}]}, "all[1].trail"),
        ({"any": [{"trail": {"percent": "3", "side": "above"}}]}, "any[0].trail"),
        ({"not": {"trail": {"percent": "3", "side": "above"}}}, "not.trail"),
        ({"op": "inside", "left": CLOSE, "low": 1}, "high"),
        ({"op": "inside", "left": CLOSE, "low": 1, "high": 2, "right": 3}, "right"),
        ({"op": "inside", "left": 1, "low": 1, "high": 2}, ""),
        ({"op": "moves_up", "left": CLOSE, "right": 0, "bars": 3}, "right"),
        ({"op": "moves_up", "left": CLOSE, "right": CLOSE, "bars": 3}, "right"),
        ({"op": "moves_up", "left": CLOSE, "right": float("nan"), "bars": 3}, "right"),
        ({"op": "moves_up", "left": CLOSE, "right": True, "bars": 3}, "right"),
        ({"op": "moves_up", "left": CLOSE, "right": 1}, "bars"),
        ({"op": "moves_up", "left": CLOSE, "right": 1, "bars": 501}, "bars"),
        ({"op": "moves_up", "left": 7, "right": 1, "bars": 5}, ""),
        ({"holds": LOW_RSI}, "bars"),
        ({"holds": LOW_RSI, "bars": 0}, "bars"),
        ({"holds": LOW_RSI, "bars": 501}, "bars"),
        ({"holds": LOW_RSI, "bars": 3, "within": 3}, "within"),
        ({"holds": {"op": "near"}, "bars": 3}, "holds.op"),
        ({"sequence": [LOW_RSI], "within": 3}, "sequence"),
        ({"sequence": LOW_RSI, "within": 3}, "sequence"),
        ({"sequence": [LOW_RSI, LOW_RSI]}, "within"),
        ({"sequence": [LOW_RSI, {"at": -1}], "within": 3}, "sequence[1].at"),
        ({"schedule": "0 9 * *"}, "schedule"),
        ({"schedule": '0 9 * * "'}, "schedule"),
        ({"schedule": ["0 9 * * *"]}, "schedule"),
        ({"schedule": "0 9 * * *", "tz": "../etc"}, "tz"),
        ({"schedule": "0 9 * * *", "tz": None}, "tz"),
        (left({"price": "close", "symbol": "ETHUSDT"}), "left.symbol"),
        (left({"indicator": "rsi", "symbol": "ETHUSDT"}), "left.symbol"),
        (left(None), "left"),
        (left(True), "left"),
        (left("close"), "left"),
        (left(float("nan")), "left"),
        (left(float("inf")), "left"),
        (left(10**400), "left"),
        (left({}), "left"),
        (left({"price": "mid"}), "left.price"),
        (left({"indicator": "obv", "anchor": "year"}), "left.anchor"),
        (left({"indicator": "obv", "anchor": 2}), "left.anchor"),
        (left({"indicator": "obv", "anchor": 1.7e12}), "left.anchor"),
        (left({"indicator": "obv", "anchor": True}), "left.anchor"),
        (left({"indicator": "obv", "anchor": 10**15}), "left.anchor"),
        (left({"price": "close", "window": 3}), "left.window"),
        (left({"price": "close", "timeframe": "1x"}), "left.timeframe"),
        (left({"price": "close", "timeframe": 5}), "left.timeframe"),
        (left({"price": "close", "bars_ago": -1}), "left.bars_ago"),
        (left({"price": "close", "bars_ago": 501}), "left.bars_ago"),
        (left({"price": "close", "bars_ago": 1.0}), "left.bars_ago"),
        (left({"indicator": 7}), "left.indicator"),
        (left({"indicator": None}), "left.indicator"),
        (left({"indicator": "r s i"}), "left.indicator"),
        (left({"indicator": "x" * 65}), "left.indicator"),
        (left({"indicator": "rsi", "output": "a-b"}), "left.output"),
        (left({"indicator": "rsi", "window": 0}), "left.window"),
        (left({"indicator": "rsi", "window": 5_001}), "left.window"),
        (left({"indicator": "rsi", "window": 14.0}), "left.window"),
        (left({"indicator": "rsi", "window": "14"}), "left.window"),
        (left({"indicator": "macd", "window_slow": 10**9}), "left.window_slow"),
        (left({"indicator": "bollinger", "window_dev": float("inf")}), "left.window_dev"),
        (left({"indicator": "rsi", "seed": "wilder"}), "left.seed"),
        (left({"indicator": "rsi", "timeframe": "0m"}), "left.timeframe"),
        (left({"op": "%", "left": CLOSE, "right": 1}), "left.op"),
        (left({"op": "+", "left": CLOSE}), "left.right"),
        (left({"op": "+", "left": CLOSE, "right": 1, "scale": 2}), "left.scale"),
    ],
)
def test_a_refusal_names_the_place(raw: Any, path: str) -> None:
    with pytest.raises(ConditionError) as refused:
        condition_from_json(raw)
    assert refused.value.path == path
    assert refused.value.reason


def test_a_path_continues_where_the_caller_is() -> None:
    with pytest.raises(ConditionError, match=r"^entry\.all\[0\]\.op: expected one of lt"):
        condition_from_json({"all": [{"op": "?", "left": CLOSE, "right": 1}]}, "entry")


def test_depth_is_limited() -> None:
    tree: Any = {"at": 0}
    for _ in range(7):
        tree = {"not": tree}
    assert condition_to_json(condition_from_json(tree)) == tree
    with pytest.raises(ConditionError, match="deeper than 8"):
        condition_from_json({"not": tree})


def test_a_hostile_depth_is_refused_before_it_is_walked() -> None:
    tree: Any = {"at": 0}
    for _ in range(100_000):
        tree = {"not": tree}
    with pytest.raises(ConditionError, match="deeper than 8"):
        condition_from_json(tree)
    while "not" in tree:  # taken apart by hand: freeing it in one go recurses
        tree = tree["not"]


@pytest.mark.parametrize("count, fits", [(21, True), (22, False)])
def test_nodes_are_limited(count: int, fits: bool) -> None:
    tree = {"all": [LOW_RSI] * count}  # three nodes each, and one for `all`
    if fits:
        assert condition_to_json(condition_from_json(tree)) == tree
    else:
        with pytest.raises(ConditionError, match="more than 64"):
            condition_from_json(tree)


WORDS = [
    "holds",
    "bars",
    "sequence",
    "within",
    "schedule",
    "tz",
    "low",
    "high",
    "all",
    "any",
    "not",
    "op",
    "left",
    "right",
    "at",
    "level",
    "price",
    "side",
    "indicator",
    "trail",
    "percent",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)


@given(st.recursive(SCALARS, nested))
def test_any_json_is_a_tree_or_refused(raw: Any) -> None:
    try:
        tree = condition_from_json(raw)
    except ConditionError:
        return
    assert condition_from_json(condition_to_json(tree)) == tree


def test_trees_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Const(1.0).value = 2.0  # type: ignore[misc]
