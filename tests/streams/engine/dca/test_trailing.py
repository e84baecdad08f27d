"""Trails on the executor's side: what is paid where one is met, and that a re-armed trail is the same trail."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alerts import Member, TrailState
from schemas.bots import BotSide, Intrabar
from schemas.conditions import Trail
from schemas.market import Kline, Tick
from schemas.triggers import Trigger
from streams.engine.dca.events import OrderSide
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.terms import Terms, terms_of
from streams.engine.dca.trailing import fill_ticks, passage, started_at
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.dca.support import GOLDEN, bar
from tests.streams.engine.desk import START, SYMBOL, group, member
from tests.streams.engine.test_trail_properties import TRAILS, strolls

CENTS = Instrument(tick=Decimal("0.01"))
BELOW, ABOVE = Trail("10", None, "below"), Trail("10", None, "above")


def terms(**more: Any) -> Terms:
    return terms_of(msgspec.structs.replace(GOLDEN, **more), CENTS)


def at(extreme: float) -> TrailState:
    return TrailState(active=True, extreme=extreme)


@pytest.mark.parametrize(
    "tale, trail, extreme, candle, slippage, price",
    [
        ("a level that stood fills at the level", BELOW, 100, (95, 95, 89, 91), "0", "90"),
        ("beyond it the bar's open counts", BELOW, 100, (85, 86, 84, 85), "0", "85"),
        ("a level born in the bar fills at the level", BELOW, 100, (95, 110, 94, 96), "0", "99"),
        ("also where that lies beyond the open", BELOW, 100, (95, 120, 94, 96), "0", "108"),
        ("a sale between two ticks is rounded down", BELOW, 100.01, (95, 95, 89, 91), "0", "90"),
        ("slippage is against the sale", BELOW, 100, (95, 95, 89, 91), "1", "89.1"),
        ("and counts from the open as well", BELOW, 100, (85, 86, 84, 85), "1", "84.15"),
        ("a purchase fills at its level", ABOVE, 100, (105, 111, 105, 106), "0", "110"),
        ("beyond it at the open", ABOVE, 100, (115, 116, 114, 115), "0", "115"),
        ("and is rounded up", ABOVE, 100.01, (105, 111, 105, 106), "0", "110.02"),
        ("with slippage on top", ABOVE, 100, (105, 111, 105, 106), "1", "111.1"),
    ],
)
def test_a_trail_that_is_met_fills(
    tale: str, trail: Trail, extreme: float, candle: tuple[float, ...], slippage: str, price: str
) -> None:
    side: OrderSide = "sell" if trail.side == "below" else "buy"
    of, how = bar(*candle), terms(slippage=slippage, side="long" if side == "sell" else "short")
    met = passage(how, trail, at(extreme), of).met
    assert met is not None
    assert CENTS.price(fill_ticks(how, side, met, of)) == Decimal(price), tale


def test_a_stand_in_changes_nothing() -> None:
    assert passage(terms(), BELOW, at(100), bar(50, 50, 50, 50, stale=True)) == (at(100), None)


def test_it_may_start_where_an_order_was_filled() -> None:
    assert started_at(CENTS, 10_010) == at(100.1)
    assert started_at(Instrument(), 1) == at(1e-8)


def fires(
    records: list[Kline | Tick], trail: Trail, others: list[Member], how: Terms
) -> list[tuple[int, float]]:
    """(bar, price) where the trail fires in a group that is re-armed with what `passage` carries over."""
    engine = SymbolEngine(SYMBOL, Market(SYMBOL, fill_up_to=2))
    follower = member("trail", "close > 0", "take_profit")
    tree = {"trail": {"percent": trail.percent, "activate_at": trail.activate_at, "side": trail.side}}
    follower = msgspec.structs.replace(follower, condition=tree)
    command = group(follower, *others, side=how.side, intrabar=how.intrabar)
    engine.on_command(command, -1)
    for pos, record in enumerate(records):
        told = engine.on_tick(record, pos) if isinstance(record, Tick) else engine.on_kline(record, pos)
        while triggers := [one for one in told if isinstance(one, Trigger)]:
            (trigger,) = triggers
            found = [one.price for one in trigger.fired if one.alert_id == "trail"]
            if found:
                return [(trigger.bar.open_time_ms, found[0])]
            went = passage(how, trail, trigger.trails["trail"], trigger.bar)
            assert trigger.bar.stale_price or went.met is None
            carrying = msgspec.structs.replace(follower, trail=went.state)
            command = msgspec.structs.replace(
                command,
                members=[carrying, *others],
                generation=command.generation + 1,
                armed_from_ms=trigger.bar.close_time_ms,
            )
            told = engine.on_command(command, pos)
    return []


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("intrabar", ["pessimistic", "ohlc"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(strolls(), TRAILS, st.sampled_from(["99.75", "100", "100.25"]), st.integers(1, 40))
def test_a_trail_that_is_carried_from_generation_to_generation_is_one_trail(
    side: BotSide, intrabar: Intrabar, records: list[Kline | Tick], trail: Trail, price: str, minute: int
) -> None:
    """Whatever else of its group fires in between, and however often."""
    how = terms(side=side, intrabar=intrabar)
    others = [
        member("dca", f'level("{price}", "below")', "execute_dca"),
        member("tick", f"at({START + minute * 60_000})", "timeout"),
    ]
    assert fires(records, trail, others, how) == fires(records, trail, [], how)
