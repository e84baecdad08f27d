"""Law 8: the order of members along a bar, against a walk of the path tick by tick."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import BotAction, Member
from schemas.bots import BotSide, Intrabar
from schemas.conditions import condition_from_json
from schemas.triggers import Bar
from streams.engine.groups.path import in_path_order

TICKS = st.integers(90, 110)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    prices = draw(st.lists(TICKS, min_size=4, max_size=4))
    return Bar(
        interval="1m", open_time_ms=0, close_time_ms=60_000, volume=1.0, open=float(prices[0]),
        high=float(max(prices)), low=float(min(prices)), close=float(prices[1]),
    )  # fmt: skip


def member(name: str, action: str, condition: dict[str, Any], index: int | None = None) -> Member:
    key = "tp_index" if action == "take_profit" else "dca_index"
    numbered = {} if index is None else {key: index}
    told = BotAction(bot_id="bot", action_type=action, **numbered)  # type: ignore[arg-type]
    return Member(alert_id=name, action=told, condition=condition)


def level(price: int, side: str) -> dict[str, Any]:
    return {"level": {"price": str(price), "side": side}}


MEMBERS = st.tuples(
    st.lists(TICKS, max_size=12), st.lists(TICKS, max_size=3), st.lists(TICKS, max_size=2), st.booleans()
)


def ladder(drawn: tuple[list[int], list[int], list[int], bool], side: BotSide) -> list[Member]:
    down, up = ("below", "above") if side == "long" else ("above", "below")
    orders, targets, stops, deleted = drawn
    members = [member(f"dca_{i}", "execute_dca", level(p, down), i) for i, p in enumerate(orders, 1)]
    members += [member(f"tp_{i}", "take_profit", level(p, up), i) for i, p in enumerate(targets, 1)]
    members += [member(f"sl_{i}", "stop_loss", level(p, down)) for i, p in enumerate(stops, 1)]
    return members + [member("end", "close", {"at": 60_000})] * deleted


def walked(bar: Bar, side: BotSide, intrabar: Intrabar) -> list[int]:
    """Every tick that the path visits, in order; written from the law's words, not from the code."""
    low, high, opened, closed = (int(p) for p in (bar.low, bar.high, bar.open, bar.close))
    adverse_first = side == "long"
    if intrabar == "ohlc" and high - opened != opened - low:
        adverse_first = opened - low < high - opened
    corners = [opened, low, high, closed] if adverse_first else [opened, high, low, closed]
    ticks = [opened]
    for target in corners[1:]:
        while ticks[-1] != target:
            ticks.append(ticks[-1] + (1 if target > ticks[-1] else -1))
    return ticks


def met(ticks: list[int], members: list[Member]) -> list[str]:
    """Alert ids tick by tick; at one tick the stop first, then safety orders and targets by number."""
    order = {"stop_loss": 0, "execute_dca": 1, "take_profit": 2}
    found: list[str] = []
    for tick in ticks:
        here = []
        for one in members:
            told = one.condition.get("level")
            if told is None or one.alert_id in found:
                continue
            price = int(told["price"])
            if (tick <= price) if told["side"] == "below" else (tick >= price):
                number = one.action.dca_index or one.action.tp_index or 0
                here.append((order[one.action.action_type], number, one.alert_id))
        found += [name for *_, name in sorted(here)]
    return found + [one.alert_id for one in members if "at" in one.condition]


@given(bars(), MEMBERS, st.sampled_from(["long", "short"]), st.sampled_from(["pessimistic", "ohlc"]))
def test_members_come_in_the_order_in_which_a_walk_meets_them(
    bar: Bar, drawn: tuple[list[int], list[int], list[int], bool], side: BotSide, intrabar: Intrabar
) -> None:
    members = ladder(drawn, side)
    expected = met(walked(bar, side, intrabar), members)
    by_name = {one.alert_id: one for one in members}
    fired = [(by_name[name], condition_from_json(by_name[name].condition)) for name in sorted(expected)]
    assert [one.alert_id for one, _ in in_path_order(fired, bar, side, intrabar)] == expected
