"""What is persisted of groups and alerts, when, and what a restart makes of it (law 10)."""

from typing import Any

import msgspec
import pytest

from schemas.alerts import AlertCommand, GroupCommand
from schemas.market import Kline
from streams.engine.bars import BarArrays
from streams.engine.groups.unit_rows import GroupRow
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.candles import klines, walk
from tests.streams.engine.desk import SYMBOL, Desk, alert, at, group, member


class Table:
    """The rows of a symbol as a table keeps them."""

    def __init__(self) -> None:
        self.rows: dict[str, GroupRow] = {}

    def write(self, desk: Desk) -> list[str]:
        """Take what changed; the keys."""
        changed = list(desk.engine.dirty_groups())
        self.rows.update((row.key, row) for row in changed)
        return [row.key for row in changed]

    def restart(self, desk: Desk) -> None:
        """A new engine over the same candles, from these rows."""
        market = Market(SYMBOL, fill_up_to=desk.market.fill_up_to)
        for index in range(desk.market.next):
            bar = desk.market.bar(index)
            if not bar.filled:
                market.apply(
                    Kline(
                        symbol=SYMBOL, interval="1m", open_time_ms=bar.open_time_ms, open=bar.open, high=bar.high,
                        low=bar.low, close=bar.close, volume=bar.volume,
                    )
                )  # fmt: skip
        desk.market = market
        bodies = [row.body for row in self.rows.values()]
        desk.engine = SymbolEngine.restore(SYMBOL, market, bodies, stand_ins=desk.engine.stand_ins)


@pytest.mark.parametrize(
    "command, closes, restart_after, fired",
    [
        (group(member("a", "close > 10", when="wait")), [11, 9, 11], 2, [2]),
        (group(member("a", "sma(2) > 10", when="wait")), [1, 1, 99], 2, [2]),
        (group(member("a", "close > 10", when="wait")), [11, 11, 11], 2, []),
        (group(member("a", "crosses_above(close, 10)")), [9, 11, 9, 11], 1, [1]),
        (group(member("a", "crosses_above(close, 10)")), [9, 11, 9, 11], 3, [1]),
        (alert("close > 10", frequency="once_per_bar_close"), [11, 9, 11], 2, [0, 2]),
        (alert("close > 10", frequency="once_per_bar_close"), [11, 11, 11], 1, [0]),
        (alert("close > 10", frequency="once", debounce_bars=3), [9, 11, 11, 11], 3, [3]),
        (alert("close > 10", frequency="once", debounce_bars=3), [11, 11, 9, 11, 11], 3, []),
        (alert("close > 10", frequency="every"), [11, 11, 11], 1, [0, 1, 2]),
        (alert("close > 10", frequency="once"), [11, 9, 11], 1, [0]),
        (
            alert("close > 10", frequency="once_per_bar_close", rearm="after_bars", rearm_bars=3),
            [11, 11, 9, 11, 11],
            2,
            [0, 3],
        ),
        (alert("close > 10", frequency="once_per_bar_close", expires_at_ms=at(3)), [9, 9, 11], 1, []),
    ],
)
def test_a_restart_changes_nothing(
    command: GroupCommand | AlertCommand, closes: list[float], restart_after: int, fired: list[int]
) -> None:
    desk, table = Desk(), Table()
    desk.watch(command) if isinstance(command, AlertCommand) else desk.arm(command)
    for minute, close in enumerate(closes):
        table.write(desk)
        if minute == restart_after:
            table.restart(desk)
        desk.close(close)
    assert desk.fired_at == fired


def test_rows_are_written_for_what_bars_do_not_tell() -> None:
    desk, table = Desk(), Table()
    desk.arm(group(member("a", "close > 10", when="wait")))
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]
    desk.close(11, 9, 9)
    assert table.write(desk) == []  # only its truth flipped
    desk.close(11)
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]  # held
    desk.close(9, 11)
    assert table.write(desk) == []
    desk.arm(group(generation=2, op="remove"))
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]


def test_the_last_truth_before_an_unknown_one_is_written() -> None:
    desk, table = Desk(), Table()
    desk.arm(group(member("a", "sma(2) > 10", when="wait")))
    desk.close(11, 11)
    table.write(desk)
    desk.minute += 20
    desk.close(11)
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]
    table.restart(desk)
    desk.close(11)
    assert desk.fired_at == []  # it was true before the gap and is true again: no edge


def test_a_row_ahead_of_its_market_waits_until_the_market_has_caught_up() -> None:
    """A crash between the rows of groups and the row of the symbol."""
    desk, table = Desk(), Table()
    desk.close(9, 9)
    market, pos, minute = desk.market, desk.pos, desk.minute
    frozen = [market.bar(index) for index in range(market.next)]
    desk.close(11)
    desk.arm(group(member("a", "close > 10", when="wait"), since=2))
    table.write(desk)

    again = Desk()
    again.close(*(bar.close for bar in frozen))
    again.engine = SymbolEngine.restore(SYMBOL, again.market, [row.body for row in table.rows.values()], pos)
    again.pos, again.minute = pos, minute
    again.close(11)
    assert again.fired_at == []  # the row has seen this bar: it was its first truth
    again.close(9, 11)
    assert again.fired_at == [4]


def test_an_alert_ahead_of_its_market_does_not_fire_again() -> None:
    desk, table = Desk(), Table()
    desk.watch(alert("close > 10", frequency="once_per_bar_close"))
    desk.close(9, 11)
    table.write(desk)

    again = Desk()
    again.close(9)
    again.engine = SymbolEngine.restore(
        SYMBOL, again.market, [row.body for row in table.rows.values()], again.pos
    )
    again.close(11, 9, 11)
    assert again.fired_at == [3]
    assert again.said[-1].fire_number == 2


def test_what_was_armed_before_an_unknown_truth_is_written() -> None:
    desk, table = Desk(), Table()
    desk.watch(alert("sma(2) > 10", frequency="once_per_bar_close"))
    desk.close(11, 11)
    table.write(desk)
    desk.close(1, 1)
    desk.minute += 20
    desk.close(11)
    assert table.write(desk) == ["alert"]
    table.restart(desk)
    desk.close(11)
    assert desk.fired_at == [1, 25]


def test_a_record_that_was_folded_in_is_not_folded_in_again() -> None:
    desk = Desk()
    desk.close(9)
    desk.pos -= 1
    assert desk.close(11) == []
    assert desk.engine.counters["replayed"] == 1


def test_rows_stay_small() -> None:
    desk, table = Desk(), Table()
    members = [
        member(f"bot_bot_dca_{n}", f'level("{100 - n}.5", "below")', dca_index=n) for n in range(1, 101)
    ]
    desk.arm(group(*members))
    table.write(desk)
    (row,) = table.rows.values()
    assert len(row.body) < 200 * len(members)
    desk.close(1)
    table.write(desk)
    (held,) = table.rows.values()
    assert len(held.body) < 300


def test_stand_ins_survive() -> None:
    desk, table = Desk(), Table()
    desk.close(5)
    desk.tick()
    desk.tick()
    table.restart(desk)
    desk.arm(group(member("timeout", f"at({at(2)})", "timeout"), since=1))
    (trigger,) = desk.triggers
    assert (trigger.bar.open_time_ms, trigger.bar.stale_price) == (at(1), True)


def test_after_a_death_between_two_rows_an_instant_comes_at_the_same_tick_again() -> None:
    """The groups' rows are written before the symbol's: ticks that only they know of must not move the clock."""
    desk, table = Desk(), Table()
    desk.close(100, 100)
    desk.arm(group(member("cooldown", f"at({at(5)})", "cooldown"), since=2))
    table.write(desk)
    armed, stand_ins = [row.body for row in table.rows.values()], desk.engine.stand_ins
    again = Desk()
    again.close(100, 100)
    desk.close(101, 102)
    (trigger,) = desk.tick()
    assert table.write(desk) == [trigger.group_id]  # nothing of the clock, which the symbol's row tells

    again.engine = SymbolEngine.restore(SYMBOL, again.market, armed, again.pos, stand_ins)
    assert again.close(101, 102) == []
    assert again.tick() == [trigger]


def test_what_stand_ins_left_unknown_a_restart_does_not_know_either() -> None:
    """The instant passed on ticks, where prices are unknown: the condition comes true on the bar after them."""
    for restart in (False, True):
        desk, table = Desk(), Table()
        desk.arm(group(member("m", f"at({at(2.5)}) and not close < 97.5")))
        desk.close(101, 102)
        desk.tick()
        desk.tick()
        table.write(desk)
        if restart:
            table.restart(desk)
        desk.close(102)
        assert desk.fired_at == [2]


def test_an_unreadable_row_stops_the_engine() -> None:
    with pytest.raises(msgspec.DecodeError):
        SymbolEngine.restore(SYMBOL, Market(SYMBOL), [b"\x93\xa1x\x01\x02"])


# -- history that is not in memory -----------------------------------------------------------------------------------


def long_market(count: int = 3_000) -> tuple[Any, SymbolEngine, list[Kline]]:
    """A market that has dropped its first bars."""
    candles = klines(walk(count, origin_ms=at(0)))
    market = Market(SYMBOL, capacity=200)
    engine = SymbolEngine(SYMBOL, market)
    for pos, kline in enumerate(candles):
        engine.on_kline(kline, pos)
    assert market.first > 0
    return market, engine, candles


def test_a_new_operand_needs_history() -> None:
    market, engine, candles = long_market()
    command = group(member("a", "rsi(14) > 0"), since=2_999)
    assert engine.needs_history(command)
    market.load_history(BarArrays.of(candles))
    assert not engine.needs_history(command)
    armed, trigger = engine.on_command(command, 2_999)
    assert armed.event == "armed"  # type: ignore[union-attr]
    assert trigger.seeded_from_ms is None  # type: ignore[union-attr]
    other = Market(SYMBOL, capacity=200)
    early = SymbolEngine(SYMBOL, other)
    early.on_command(command, -1)
    heard = [said for pos, kline in enumerate(candles) for said in early.on_kline(kline, pos)]
    assert heard == [trigger]


def test_bars_that_are_gone_for_good_are_told() -> None:
    """Nothing could be read back: operands begin at the earliest bar there is, and everything says so."""
    market, engine, _ = long_market()
    command = group(member("a", "rsi(14) > 0"), since=100)
    assert engine.needs_history(command)
    armed, late, trigger = engine.on_command(command, 2_999)
    first_ms = market.bar(market.first).open_time_ms
    assert (late.event, late.detail) == ("armed_late", {"from_ms": at(100), "to_ms": first_ms})  # type: ignore[union-attr]
    seeded = trigger.seeded_from_ms  # type: ignore[union-attr]
    assert seeded is not None
    assert seeded <= first_ms
    assert armed.detail["seeded_from_ms"] == seeded  # type: ignore[union-attr]


def test_removals_and_known_generations_need_no_history() -> None:
    _, engine, _ = long_market()
    assert not engine.needs_history(group(op="remove", generation=3))
    assert not engine.needs_history(alert("", state="deleted"))
    assert not engine.needs_history(alert("close >"))
    assert engine.needs_history(alert("rsi(3) > 1"))
    engine.on_command(group(member("a", "at(99999999999999)"), generation=3, since=2_999), 2_999)
    assert not engine.needs_history(group(member("a", "rsi(14) > 0"), generation=3, since=2_999))
