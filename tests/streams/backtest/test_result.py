"""What a result says of its deals, worked out by hand."""

from decimal import Decimal
from typing import Any

from streams.engine.backtest.result import BotResult, DealRow, FillRow


def fill(level: str, side: str, quantity: str, quote: str, fee_base: str = "0") -> FillRow:
    amounts: Any = (Decimal(1), Decimal(quantity), Decimal(quote), Decimal(0), Decimal(fee_base))
    return FillRow("b", "S", "d", level, 1, 1, "t", 1, side, *amounts)


def deal(entry_quote: str, closed_at_ms: int | None = None) -> DealRow:
    some = Decimal(1)
    return DealRow("b", "S", "d", "long", 1, closed_at_ms, None, 1, 0, some, Decimal(entry_quote), some, some, some,
                   Decimal(0), None, some, 0)  # fmt: skip


def result(row: DealRow, *fills: FillRow) -> BotResult:
    return BotResult("b", "compiled", [], [], fills, [row])


def test_a_grid_has_tied_up_what_it_held_at_once_not_what_it_ever_bought() -> None:
    trips = [fill("grid_1", "buy", "1", "90"), fill("grid_2", "sell", "1", "100")] * 50
    found = result(deal("4700"), fill("base", "buy", "2", "200"), *trips)
    # At most 2 for 200 and 1 for 90; each sale then takes a third of the cost away, so it never was more.
    assert found.invested == [290.0]


def test_a_neutral_grid_ties_up_what_it_owes_too() -> None:
    fills = (
        fill("grid_3", "sell", "1", "110"),
        fill("grid_4", "sell", "1", "120"),
        fill("grid_3", "buy", "1", "110"),
        fill("grid_2", "buy", "3", "300"),
    )
    assert result(deal("410"), *fills[:2]).invested == [230.0]
    assert result(deal("410"), *fills[:3]).invested == [230.0]
    # Owing 1, it buys 3: 2 are held then, for two thirds of 300.
    assert result(deal("410"), *fills[2:]).invested == [410.0]
    assert result(deal("410"), *fills).invested == [230.0]


def test_a_ladder_ties_up_all_its_entries() -> None:
    assert result(deal("45"), fill("base", "buy", "1", "15"), fill("dca_1", "buy", "2", "30")).invested == [
        45.0
    ]


def test_what_a_closed_deal_leaves_is_told() -> None:
    fills = fill("base", "buy", "2", "20", "0.002"), fill("tp_1", "sell", "1.9", "25")
    row = deal("20", 5)._replace(profit=Decimal(5))
    assert result(row, *fills).left == [(row, Decimal("0.098"), Decimal(0))]
    kept = row._replace(profit=Decimal("5.5"))  # what is left was booked off for a half
    assert result(kept, *fills).left == [(kept, Decimal("0.098"), Decimal("0.5"))]
    assert result(deal("20"), *fills).left == []
