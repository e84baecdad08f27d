"""Sums by month, bot and symbol."""

import polars as pl

from streams.report.run import DEALS
from streams.report.tables import by_bot, by_month, by_symbol

DAY = 86_400_000
JANUARY = 1_735_689_600_000
ROWS = [
    ("1", "a", "X", "long", JANUARY, JANUARY + DAY, "take_profit", 1.0, 10.0, 2.0, 1, 0),
    ("2", "a", "Y", "long", JANUARY, JANUARY + 31 * DAY, "stop_loss", 1.0, 10.0, -3.0, 2, 0),
    ("3", "b", "X", "long", JANUARY, None, None, 1.0, 10.0, -0.5, 0, 0),
]
TABLE = pl.DataFrame(ROWS, schema=DEALS, orient="row")


def test_a_deal_belongs_to_the_month_in_which_it_was_closed() -> None:
    assert [(row["month"], row["deals"], row["profit"]) for row in by_month(TABLE)] == [
        ("2025-01", 1, 2.0), ("2025-02", 1, -3.0)
    ]  # fmt: skip


def test_open_deals_are_counted_and_bring_nothing_yet() -> None:
    assert [(row["bot_id"], row["deals"], row["closed"], row["won"], row["profit"]) for row in by_bot(TABLE)] == [
        ("a", 2, 2, 1, -1.0), ("b", 1, 0, 0, 0.0)
    ]  # fmt: skip
    assert [(row["symbol"], row["best"], row["worst"], row["longest_ms"]) for row in by_symbol(TABLE)] == [
        ("X", 2.0, 2.0, DAY), ("Y", -3.0, -3.0, 31 * DAY)
    ]  # fmt: skip
