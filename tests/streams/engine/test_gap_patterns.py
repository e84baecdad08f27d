"""Laws 2 and 4 on the holes that venues leave, on recorded and on made-up candles, on every timeframe."""

import math

import pytest

from schemas.conditions import Indicator, Price
from schemas.events import BotEvent
from schemas.market import Kline
from schemas.triggers import Fired
from streams.engine.bars import BarArrays
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.candles import MINUTE, MONDAY, kline, klines
from tests.streams.engine.desk import SYMBOL, Desk, alert, at, group, member
from tests.streams.engine.gap_patterns import LENGTH_MS, OUTAGES, SOURCES, candles, quiet, without
from tests.streams.engine.naive import NaiveMarket

LEAVES: list[Price | Indicator] = [
    Price("close"),
    Indicator("sma", (("window", 3),)),
    Indicator("stochastic", (("smooth_window", 2), ("window", 2)), output="stoch_signal"),
    Indicator("rsi", (("window", 2),)),
    Indicator("bollinger", (("window", 2),), output="hband"),
]
# Minutes before and after the hole: enough for three bars of each timeframe.
SIDES = {"1m": 60, "5m": 150, "1h": 700, "1d": 6 * 1_440}
source = pytest.mark.parametrize("source", SOURCES)
every_timeframe = pytest.mark.parametrize("timeframe", LENGTH_MS)


def run(bars: BarArrays, timeframe: str, fill_up_to: int = 5) -> tuple[Market, list[list[float]]]:
    """A market after all `bars`, and what each of LEAVES was worth when each of its bars had come."""
    market, values = Market("BTCUSDT", fill_up_to=fill_up_to, capacity=20_000), []
    slots = [market.acquire(leaf, timeframe) for leaf in LEAVES]
    for bar in klines(bars):
        market.apply(bar)
        values.append([slot.frame.now[slot.column] for slot in slots])
    return market, values


def history(market: Market, timeframe: str) -> list[str]:
    """Every operand at every bar; repr, because NaN is nothing's equal."""
    slots = [market.acquire(leaf, timeframe) for leaf in LEAVES]
    return [repr([market.value(slot, i) for slot in slots]) for i in range(market.next)]


@source
@every_timeframe
def test_quiet_minutes_left_out_are_worth_what_they_are_worth_when_kept(source: str, timeframe: str) -> None:
    venue = quiet(candles(source, SIDES[timeframe] * 2), 30)
    assert len(venue.left_out) < 0.9 * len(venue.kept)
    kept, _ = run(venue.kept, timeframe)
    filled, _ = run(venue.left_out, timeframe, fill_up_to=60)
    assert filled.counters["filled"] == len(venue.kept) - len(venue.left_out)
    assert (kept.counters["filled"], kept.counters["gaps"], filled.counters["gaps"]) == (0, 0, 0)
    assert [filled.bar(i)[:8] for i in range(filled.next)] == [kept.bar(i)[:8] for i in range(kept.next)]
    assert history(filled, timeframe) == history(kept, timeframe)
    assert any("nan" not in row for row in history(kept, timeframe))


@source
@every_timeframe
@pytest.mark.parametrize("missing", range(1, 6))
def test_up_to_five_missing_minutes_are_filled_flat_and_taint_nothing(
    source: str, timeframe: str, missing: int
) -> None:
    side = SIDES[timeframe]
    whole = candles(source, 2 * side)
    market, values = run(without(whole, side, missing), timeframe)
    last = whole.ohlcv[side - 1, 3]
    for i in range(side, side + missing):
        opened = int(whole.open_time_ms[i])
        assert market.bar(i) == (i, opened, opened + MINUTE, last, last, last, last, 0.0, True)
    assert not market.bar(side - 1).filled
    assert not market.bar(side + missing).filled
    known = [not math.isnan(row[0]) for row in values]
    assert known == sorted(known), "once a bar of the timeframe is known, there always is one"
    agrees_with_naive(market, without(whole, side, missing), timeframe, around=[side])


def agrees_with_naive(
    market: Market, bars: BarArrays, timeframe: str, around: list[int], fill_up_to: int = 5
) -> None:
    """Every operand near the bars `around`, and at the end, is what the laws say word for word."""
    naive = NaiveMarket(fill_up_to)
    for bar in klines(bars):
        naive.apply(bar)
    assert market.next == len(naive.bars)
    slots = [(leaf, market.acquire(leaf, timeframe)) for leaf in LEAVES]
    asked = {i for at in around for i in range(at - 2, at + 4)} | {market.next - 1}
    for i in sorted(i for i in asked if 0 <= i < market.next):
        for leaf, slot in slots:
            said, right = market.value(slot, i), naive.value(leaf, timeframe, i)
            assert repr(said) == repr(right), (leaf, i)


@source
@every_timeframe
@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("off", [0, 7], ids=["on a boundary", "inside a bar"])
def test_an_outage_taints_each_operand_until_its_window_is_clean_and_no_bar_longer(
    source: str, timeframe: str, outage: str, off: int
) -> None:
    missing, length = OUTAGES[outage], LENGTH_MS[timeframe]
    side = SIDES[timeframe] // (length // MINUTE) * (length // MINUTE) + off
    after = 9 * length // MINUTE + 10 if timeframe == "1d" else SIDES[timeframe] + 600
    bars = without(candles(source, side + missing + after), side, missing)
    market, _ = run(bars, timeframe)
    resumed_ms = int(bars.open_time_ms[side])
    first_whole_ms = -(-(resumed_ms - MONDAY) // length) * length + MONDAY
    ready_at = []
    for leaf in LEAVES:
        slot = market.acquire(leaf, timeframe)
        needed = slot.node.ready[slot.column - slot.node.column]
        close_ms = first_whole_ms + needed * length
        expected = side + (close_ms - resumed_ms) // MINUTE - 1
        known = [i for i in range(side, market.next) if not math.isnan(market.value(slot, i))]
        assert known == list(range(expected, market.next)), (leaf, needed)
        ready_at.append(expected)
    assert min(ready_at) < market.next, "this timeframe became ready again"
    assert market.counters["gaps"] == 1
    agrees_with_naive(market, bars, timeframe, around=[side, *(at for at in ready_at if at < market.next)])


@source
@pytest.mark.parametrize("outage", OUTAGES)
def test_what_is_true_all_the_time_fires_on_exactly_the_clean_bars_and_says_why_it_paused(
    source: str, outage: str
) -> None:
    missing, side = OUTAGES[outage], 120
    bars = without(candles(source, 2 * side + missing), side, missing)
    market = Market("BTCUSDT")
    engine = SymbolEngine("BTCUSDT", market)
    said = engine.on_alert(alert("rsi(2) >= 0 and sma(3) > 0", frequency="every"), 1, MONDAY)
    for pos, bar in enumerate(klines(bars)):
        said += engine.on_kline(bar, pos)
    fired = [(one.bar.open_time_ms - MONDAY) // MINUTE for one in said if isinstance(one, Fired)]
    naive = NaiveMarket()
    for bar in klines(bars):
        naive.apply(bar)
    clean = [
        (naive.bars[i][0] - MONDAY) // MINUTE
        for i in range(len(naive.bars))
        if naive.value(LEAVES[3], "1m", i) >= 0 and naive.value(LEAVES[1], "1m", i) > 0
    ]
    assert fired == clean
    assert any(at > side + missing for at in fired)
    events = {one.event: one for one in said if isinstance(one, BotEvent)}
    resumed_ms = MONDAY + (side + missing) * MINUTE
    assert events["tainted"].detail == {"from_ms": MONDAY + side * MINUTE, "to_ms": resumed_ms}
    assert events["suppressed"].at_ms == resumed_ms
    assert (engine.counters["suppressed"], engine.counters["gaps"]) == (1, 1)


@source
@pytest.mark.parametrize("missing", [3, *OUTAGES.values()])
def test_bars_that_come_again_or_too_late_around_a_hole_are_told_and_change_nothing(
    source: str, missing: int
) -> None:
    side = 40
    whole = candles(source, 2 * side + missing)
    bars = without(whole, side, missing)
    numbers = whole.ohlcv[side - 1]
    in_the_hole = int(whole.open_time_ms[side + missing // 2])
    again: list[tuple[Kline, str]] = [
        (kline(in_the_hole, whole.ohlcv[side + missing // 2]), "Late"),
        (kline(int(whole.open_time_ms[side - 1]), numbers), "Duplicate"),
        (kline(int(whole.open_time_ms[side - 1]), [*numbers[:4], numbers[4] + 1]), "Restated"),
        (kline(int(whole.open_time_ms[side + missing]), whole.ohlcv[side + missing]), "Duplicate"),
        (kline(MONDAY - MINUTE, numbers), "Late"),
    ]
    naive, market = NaiveMarket(), Market("BTCUSDT")
    slots = [market.acquire(leaf, "5m") for leaf in LEAVES]
    for number, bar in enumerate(klines(bars)):
        assert type(market.apply(bar)).__name__ == naive.apply(bar) == "Applied"
        for old, outcome in again if number > side else ():
            before = repr([slot.frame.now for slot in slots])
            assert type(market.apply(old)).__name__ == naive.apply(old) == outcome
            assert repr([slot.frame.now for slot in slots]) == before
    undisturbed, _ = run(bars, "5m")
    assert history(market, "5m") == history(undisturbed, "5m")


@source
@every_timeframe
def test_a_market_that_begins_inside_a_bar_does_not_use_the_part_it_saw(source: str, timeframe: str) -> None:
    """A topic whose first bars are gone."""
    side = SIDES[timeframe]
    whole = candles(source, side + 3 * LENGTH_MS[timeframe] // MINUTE)
    bars = BarArrays(whole.open_time_ms[7:], whole.ohlcv[7:])
    market, values = run(bars, timeframe)
    first = next(i for i, row in enumerate(values) if not math.isnan(row[0]))
    length = LENGTH_MS[timeframe]
    whole_from_ms = MONDAY + -(-7 * MINUTE // length) * length
    assert market.bar(first).close_time_ms == whole_from_ms + length
    agrees_with_naive(market, bars, timeframe, around=[0, first])


@pytest.mark.parametrize("comes_at", [0, 9, 10, 15, 16, 18])
@pytest.mark.parametrize("since", [0, 5, 16])
def test_who_comes_after_the_hole_is_told_of_it_as_who_was_there(comes_at: int, since: int) -> None:
    """Six missing minutes from minute 10 on; a silence has the same reason whenever its command comes."""
    desk = Desk()
    while desk.minute < 20:
        if desk.minute == 10:
            desk.minute = 16
        if desk.minute >= comes_at and not desk.events("armed"):
            desk.arm(group(member("entry", "sma(3) > 100", when="wait"), since=since))
        desk.close(50)
    told = [(one.event_id, one.at_ms) for one in desk.events("suppressed")]
    assert told == ([(f"bot/{SYMBOL}/entry:1:suppressed:{at(16)}", at(16))] if since < 16 else [])
    assert desk.engine.counters["suppressed"] == len(told)
