"""Levels and quantities against tables worked out by hand, and roots against their definition."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.bots import Grid
from streams.engine.dca import Instrument
from streams.engine.grid import Terms, prices, quantities, terms_of
from tests.streams.engine.grid.support import FIVE, LONG

CENTS = Instrument(Decimal("0.01"), Decimal("0.001"))
COARSE = Instrument(Decimal("0.5"), Decimal(1))


def _terms(grid: Grid, instrument: Instrument) -> Terms:
    return terms_of(replace(LONG, grid=grid), grid, instrument)


def _grid(
    spacing: Literal["arithmetic", "geometric"], lower: str, upper: str, levels: int, quantity: str = "100"
) -> Grid:
    return Grid(
        lower=lower, upper=upper, levels=levels, quantity=quantity, spacing=spacing, quantity_in="quote"
    )


TABLES = [
    # L, U, N, 100 quote a level → prices, quantities
    (_grid("arithmetic", "100", "200", 5), CENTS, "100 125 150 175 200", "1 0.8 0.667 0.572"),
    (_grid("arithmetic", "1", "2", 4), CENTS, "1 1.33 1.66 2", "100 75.188 60.241"),
    (_grid("arithmetic", "100", "103", 4), COARSE, "100 101 102 103", "1 1 1"),
    (_grid("arithmetic", "99.9", "103.3", 4), COARSE, "99.5 101 102 103", "2 1 1"),
    (_grid("geometric", "100", "1600", 5), CENTS, "100 200 400 800 1600", "1 0.5 0.25 0.125"),
    (_grid("geometric", "80", "125", 3), CENTS, "80 100 125", "1.25 1"),
    # 2^(1/3) = 1.259921…, 2^(2/3) = 1.587401…
    (_grid("geometric", "100", "200", 4), CENTS, "100 125.99 158.74 200", "1 0.794 0.63"),
    (_grid("geometric", "0.3", "30", 3), CENTS, "0.3 3 30", "333.334 33.334"),
]


@pytest.mark.parametrize("grid, instrument, levels, amounts", TABLES)
def test_levels_and_quantities(grid: Grid, instrument: Instrument, levels: str, amounts: str) -> None:
    terms = _terms(grid, instrument)
    assert [instrument.price(ticks) for ticks in prices(terms)] == [Decimal(p) for p in levels.split()]
    assert [instrument.quantity(lots) for lots in quantities(terms)] == [Decimal(q) for q in amounts.split()]


def test_a_quantity_in_base_is_the_same_at_every_level_up_to_the_lot() -> None:
    terms = _terms(replace(FIVE, quantity="1.0001"), CENTS)
    assert quantities(terms) == (1001, 1001, 1001, 1001)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 10**12),
    st.integers(2, 10**6),
    st.integers(2, 200),
    st.sampled_from(["1e-8", "0.01", "0.25"]),
)
def test_a_geometric_level_is_the_last_tick_at_or_below_its_root(
    low: int, ratio: int, count: int, tick: str
) -> None:
    lower = Decimal(low) * Decimal(tick)
    grid = _grid("geometric", f"{lower:f}", f"{lower * ratio / 2:f}", count)
    levels = prices(_terms(grid, Instrument(Decimal(tick))))
    steps, a, b = count - 1, Fraction(low), Fraction(low * ratio, 2)
    assert list(levels) == sorted(levels)
    for step in {0, 1, steps // 2, steps}:
        exact = a ** (steps - step) * b**step
        assert levels[step] ** steps <= exact < (levels[step] + 1) ** steps
