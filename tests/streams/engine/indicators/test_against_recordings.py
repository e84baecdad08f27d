"""Our indicators against published series: Stock.Indicators' (seeded with means, as TradingView's RSI) and StockCharts'
sheets.
"""

import pytest

from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators.reference import Reference
from tests.streams.engine.indicators.references_recorded import (
    NOT_COMPARED,
    REFERENCES,
    SKENDER,
    STOCKCHARTS,
    bars_and_series,
    expected,
    quotes,
    table,
)
from tests.streams.engine.indicators.test_against_references import assert_agreed, measured, of_ours

__all__ = ["SKENDER", "expected", "quotes", "table"]  # tests of single indicators read the recordings too
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout"),
]


@pytest.mark.parametrize("reference", of_ours(REFERENCES), ids=str)
def test_a_published_series_is_ours(reference: Reference) -> None:
    assert_agreed(reference, measured(reference, *bars_and_series(reference)))


def test_every_sheet_is_compared_or_said_not_to_be() -> None:
    sheets = {path.stem for path in (SHARED / "indicators" / "ta_stockcharts").glob("*.csv")}
    compared = {one.series.split()[0] for one in REFERENCES if one.source == STOCKCHARTS}
    assert compared | {name.split()[0] for name in NOT_COMPARED} >= sheets
