"""Each figure against one worked out by hand."""

import numpy as np
import polars as pl
import pytest

from streams.report.equity import Curve, booked_off, daily, equity_curve
from streams.report.metrics import (
    Drawdown,
    cagr,
    drawdown,
    exposure,
    longest_deal_ms,
    metrics,
    profit_factor,
    sharpe,
    sortino,
)

DAY = 86_400_000
YEAR = int(365.25 * DAY)


def curve(equity: list[float], step: int = DAY, tied: list[float] | None = None) -> Curve:
    times = np.arange(1, len(equity) + 1, dtype=np.int64) * step
    return Curve(times, np.array(equity, float), np.array(tied or [0.0] * len(equity), float))


def test_equity_is_cash_and_what_is_held_at_the_close() -> None:
    closes = pl.DataFrame({"symbol": ["A"] * 4, "close_time": [1, 2, 3, 4], "close": [10.0, 11.0, 12.0, 9.0]})
    fills = pl.DataFrame(
        {
            "symbol": ["A", "A", "A"], "at_ms": [2, 3, 4], "side": ["buy", "buy", "sell"],
            "quantity": [2.0, 1.0, 3.0], "quote": [22.0, 12.0, 27.0], "fee": [0.1, 0.2, 0.3],
        }
    )  # fmt: skip
    deals = pl.DataFrame({"opened_at_ms": [2], "closed_at_ms": [4], "invested": [34.0]})
    made = equity_curve(closes, fills, deals, 100.0)
    # 100 − 22 − 0.1 + 2·11; 77.9 − 12 − 0.2 + 3·12; 65.7 + 27 − 0.3
    assert made.equity.tolist() == pytest.approx([100.0, 99.9, 101.7, 92.4])
    assert made.tied.tolist() == [0.0, 34.0, 34.0, 0.0]


def test_a_short_gains_when_the_price_falls() -> None:
    closes = pl.DataFrame({"symbol": ["A", "A"], "close_time": [1, 2], "close": [10.0, 8.0]})
    fills = pl.DataFrame(
        {"symbol": ["A"], "at_ms": [1], "side": ["sell"], "quantity": [2.0], "quote": [20.0], "fee": [0.0]}
    )
    deals = pl.DataFrame(
        {"opened_at_ms": [1], "closed_at_ms": [None], "invested": [20.0]}, schema_overrides={"closed_at_ms": pl.Int64}
    )  # fmt: skip
    assert equity_curve(closes, fills, deals, 50.0).equity.tolist() == [50.0, 54.0]


def test_funding_is_paid_by_longs_and_to_shorts_at_every_eighth_hour() -> None:
    hour = 3_600_000
    times = [7 * hour, 8 * hour, 9 * hour, 24 * hour, 25 * hour]
    closes = pl.DataFrame({"symbol": ["A"] * 5, "close_time": times, "close": [10.0, 20.0, 10.0, 30.0, 30.0]})
    deals = pl.DataFrame({"opened_at_ms": [times[0]], "closed_at_ms": [times[4]], "invested": [20.0]})
    for side, sign in (("buy", 1.0), ("sell", -1.0)):
        fills = pl.DataFrame(
            {
                "symbol": ["A"],
                "at_ms": [times[0]],
                "side": [side],
                "quantity": [2.0],
                "quote": [20.0],
                "fee": [0.0],
            }
        )
        without = equity_curve(closes, fills, deals, 100.0).equity
        paid = without - equity_curve(closes, fills, deals, 100.0, 1.0).equity
        # 1 % of 2·20; then, over a hole, 16:00 and 24:00 at 2·30.
        assert (sign * paid).tolist() == pytest.approx([0.0, 0.4, 0.4, 1.6, 1.6])


def test_two_symbols_are_added_and_a_silent_one_keeps_its_last_price() -> None:
    closes = pl.DataFrame({"symbol": ["A", "A", "B"], "close_time": [1, 3, 2], "close": [10.0, 12.0, 5.0]})
    fills = pl.DataFrame(
        {
            "symbol": ["A", "B"], "at_ms": [1, 2], "side": ["buy", "buy"], "quantity": [1.0, 2.0],
            "quote": [10.0, 10.0], "fee": [0.0, 0.0],
        }
    )  # fmt: skip
    deals = pl.DataFrame({"opened_at_ms": [1, 2], "closed_at_ms": [3, 3], "invested": [10.0, 10.0]})
    assert equity_curve(closes, fills, deals, 0.0).equity.tolist() == [0.0, 0.0, 2.0]


def test_a_bar_that_closes_at_midnight_ends_its_day() -> None:
    minutes = Curve(np.array([DAY - 60_000, DAY, DAY + 60_000]), np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert daily(minutes).tolist() == [1.0, 2.0, 3.0]


def test_growth_is_compound() -> None:
    doubled_in_two_years = Curve(np.array([0, 2 * YEAR]), np.array([100.0, 200.0]), np.zeros(2))
    assert cagr(doubled_in_two_years) == pytest.approx(2**0.5 - 1)
    assert cagr(curve([100.0])) is None
    assert cagr(curve([100.0, -1.0])) is None
    assert cagr(curve([1.0, 1e300], step=1)) is None  # more than a number can say


def test_the_deepest_fall_is_told_from_its_peak() -> None:
    # Peak 120: 90 is 25 % below it; it is reached again on the fifth day, four days after the peak.
    assert drawdown(curve([100.0, 120.0, 90.0, 110.0, 120.0, 119.0])) == Drawdown(0.25, 30.0, 2 * DAY)
    assert drawdown(curve([100.0, 101.0])) == Drawdown(0.0, 0.0, 0)


def test_sharpe_and_sortino_by_hand() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    # mean 0.005; squares about it 0.000025, 0.000625, 0.000625, 0.000025: 0.0013 / 3
    assert sharpe(returns) == pytest.approx(0.005 / (0.0013 / 3) ** 0.5 * 365**0.5)
    assert sortino(returns) == pytest.approx(0.005 / (0.0004 / 4) ** 0.5 * 365**0.5)
    assert sharpe(np.array([0.01])) is None
    assert sharpe(np.array([0.0, 0.0])) is None
    assert sortino(np.array([0.01, 0.02])) is None  # nothing ever fell


def test_profit_factor_counts_wins_against_losses() -> None:
    assert profit_factor(np.array([3.0, -1.0, 1.0, -1.0])) == 2.0
    assert profit_factor(np.array([3.0])) is None


def test_exposure_is_the_share_of_closes_with_something_held() -> None:
    assert exposure(curve([1.0, 1.0, 1.0, 1.0], tied=[0.0, 5.0, 5.0, 0.0])) == 0.5


def test_an_open_deal_counts_to_the_end() -> None:
    deals = pl.DataFrame({"opened_at_ms": [0, 50], "closed_at_ms": [30, None]})
    assert longest_deal_ms(deals, 100) == 50
    assert longest_deal_ms(deals.clear(), 100) == 0


def test_nothing_happened() -> None:
    deals = pl.DataFrame(
        schema={
            "opened_at_ms": pl.Int64, "closed_at_ms": pl.Int64, "invested": pl.Float64, "profit": pl.Float64,
            "safety_orders_filled": pl.Int64,
        }
    )  # fmt: skip
    fills = pl.DataFrame(schema={"fee": pl.Float64})
    found = metrics(curve([100.0, 100.0]), deals, fills)
    assert (found.net_profit, found.deals, found.win_rate, found.sharpe, found.profit_factor) == (
        0.0,
        0,
        None,
        None,
        None,
    )


def test_all_figures_of_a_small_run_agree_with_each_other() -> None:
    deals = pl.DataFrame(
        {
            "opened_at_ms": [DAY, 2 * DAY, 3 * DAY], "closed_at_ms": [2 * DAY, 4 * DAY, None],
            "profit": [10.0, -5.0, 0.0], "safety_orders_filled": [1, 2, 0],
        }
    )  # fmt: skip
    found = metrics(
        curve([100.0, 110.0, 104.0, 105.0], tied=[0.0, 40.0, 60.0, 20.0]),
        deals,
        pl.DataFrame({"fee": [0.5, 0.25]}),
    )
    assert found.net_profit == 5.0
    assert found.realized_profit == 5.0
    assert found.return_ratio == 0.05
    assert found.win_rate == 0.5
    assert found.expectancy == 2.5
    assert found.capital_used_at_most == 60.0
    assert found.longest_deal_ms == 2 * DAY
    assert (found.deals, found.closed_deals, found.safety_orders, found.fees) == (3, 2, 3, 0.75)
    assert found.max_drawdown.amount == 6.0
    assert found.cagr is not None
    assert found.calmar == pytest.approx(found.cagr / found.max_drawdown.ratio)


def test_what_the_first_bar_cost_counts() -> None:
    """A grid that starts at the first close has paid its fee by then: 100 before it, 98 after it, 99 at the end."""
    begun = Curve(
        np.array([1, 2], np.int64) * DAY, np.array([98.0, 99.0]), np.array([50.0, 50.0]), capital=100.0
    )
    assert daily(begun).tolist() == [100.0, 98.0, 99.0]
    assert drawdown(begun) == Drawdown(0.02, 2.0, DAY)
    deals = pl.DataFrame(
        {"opened_at_ms": [DAY], "closed_at_ms": [None], "profit": [None], "safety_orders_filled": [0]},
        schema_overrides={"closed_at_ms": pl.Int64, "profit": pl.Float64},
    )
    found = metrics(begun, deals, pl.DataFrame({"fee": [2.0]}))
    assert (found.net_profit, found.return_ratio) == (-1.0, -0.01)


def test_base_taken_as_a_fee_is_not_held_and_what_a_deal_leaves_is_booked_off() -> None:
    closes = pl.DataFrame({"symbol": ["A"] * 3, "close_time": [1, 2, 3], "close": [10.0, 10.0, 20.0]})
    fills = pl.DataFrame(
        {
            "deal_id": ["d", "d"], "symbol": ["A", "A"], "at_ms": [1, 2], "side": ["buy", "sell"],
            "quantity": [2.0, 1.0], "quote": [20.0, 10.0], "fee": [0.0, 0.0], "fee_base": [0.5, 0.0],
        }
    )  # fmt: skip
    deals = pl.DataFrame(
        {"deal_id": ["d"], "opened_at_ms": [1], "closed_at_ms": [2], "invested": [20.0], "profit": [-10.0]}
    )
    left = booked_off(fills, deals)
    assert left.select("symbol", "at_ms", "side", "quantity").rows() == [("A", 2, "sell", 0.5)]
    assert left["quote"].to_list() == [0.0]
    every = pl.concat([fills, left], how="diagonal")
    # 100 − 20 + 1.5·10; then 1 sold for 10, and the half that is left is nobody's, whatever the price does.
    assert equity_curve(closes, every, deals, 100.0).equity.tolist() == [95.0, 90.0, 90.0]
    still_open = deals.with_columns(closed_at_ms=pl.lit(None, pl.Int64))
    assert booked_off(fills, still_open).is_empty()


def test_a_position_that_is_kept_leaves_at_the_price_at_which_it_was_booked_off() -> None:
    fills = pl.DataFrame(
        {
            "deal_id": ["d"], "symbol": ["A"], "at_ms": [1], "side": ["sell"], "quantity": [2.0], "quote": [20.0],
            "fee": [1.0],
        }
    )  # fmt: skip
    # Owed 2, kept at 11: 20 − 1 − 22.
    deals = pl.DataFrame({"deal_id": ["d"], "closed_at_ms": [2], "profit": [-3.0]})
    assert booked_off(fills, deals).select("side", "quantity", "quote").rows() == [("buy", 2.0, 22.0)]
