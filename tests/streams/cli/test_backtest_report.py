"""`backtest` writes a page whose figures are those of its tables."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from streams.cli.backtesting.asked import Settings
from streams.cli.backtesting.run import run
from streams.feeds.simulator import Market, simulate

BOTS = """
- bot_id: dip
  user_id: alice
  pairs: [BTCUSDT]
  entry: rsi(14) < 30
  base_order_volume: "100"
  safety_order_volume: "200"
  max_safety_orders: 4
  price_deviation: "0.5"
  step_scale: "1.4"
  volume_scale: "1.5"
  take_profit: {percent: "0.8"}
  fee: "0.1"
- bot_id: spike
  user_id: alice
  pairs: [BTCUSDT, ETHUSDT]
  side: short
  entry: rsi(14) > 72
  base_order_volume: "100"
  take_profit: {steps: [{percent: "0.5", amount: "50"}, {percent: "1", amount: "50"}]}
  max_active_deals: 2
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    (folder / "bots.yaml").write_text(BOTS)
    market = Market(seed=7, symbols=("BTCUSDT", "ETHUSDT"), minutes=2_000)
    klines = [kline for boundary in simulate(market) for kline in boundary.klines]
    rows = [(k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume) for k in klines]
    names = ["symbol", "open_time", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "candles.parquet")
    settings = Settings(str(folder / "candles.parquet"), folder / "bots.yaml", jobs=1, capital=10_000.0)
    run(settings, folder / "out", lambda done, text: None)
    return folder / "out"


def page_data(folder: Path) -> dict[str, Any]:
    text = (folder / "report.html").read_text()
    start = text.index('<script id="data" type="application/json">') + len(
        '<script id="data" type="application/json">'
    )
    found: dict[str, Any] = json.loads(text[start : text.index("</script>", start)].replace("<\\/", "</"))
    return found


def test_the_page_has_what_the_summary_and_the_tables_say(written: Path) -> None:
    summary, shown = json.loads((written / "summary.json").read_text()), page_data(written)
    assert {"capital": shown["capital"], **shown["metrics"]} == summary["metrics"]
    deals, fills = pl.read_parquet(written / "deals.parquet"), pl.read_parquet(written / "fills.parquet")
    assert shown["metrics"]["deals"] == deals.height > 5
    assert len(shown["fills"]) == fills.height
    closed = deals.drop_nulls("closed_at_ms")
    assert shown["metrics"]["realized_profit"] == pytest.approx(float(closed["profit"].sum()))
    assert set(shown["configs"]) == {"dip", "spike"}
    assert shown["capital"] == 10_000.0


def test_the_equity_ends_at_what_was_realized_and_what_is_held(written: Path) -> None:
    """Two ways to the same sum: cash and holdings bar by bar, and the ledger's own profits."""
    shown = page_data(written)
    deals, fills = pl.read_parquet(written / "deals.parquet"), pl.read_parquet(written / "fills.parquet")
    last = {symbol: bars["close"][-1] for symbol, bars in closes(written).items()}
    still = fills.filter(
        pl.col("deal_id").is_in(deals.filter(pl.col("closed_at_ms").is_null())["deal_id"].to_list())
    )
    unrealized = 0.0
    for fill in still.iter_rows(named=True):
        way = 1 if fill["side"] == "buy" else -1
        unrealized += way * (float(fill["quantity"]) * last[fill["symbol"]] - float(fill["quote"])) - float(
            fill["fee"]
        )
    realized = float(deals.drop_nulls("closed_at_ms")["profit"].sum())
    assert shown["metrics"]["net_profit"] == pytest.approx(realized + unrealized, abs=1e-6)


def closes(folder: Path) -> dict[str, pl.DataFrame]:
    candles = pl.read_parquet(folder.parent / "candles.parquet")
    return {str(symbol): bars.sort("open_time") for (symbol,), bars in candles.group_by("symbol")}


def test_levels_of_a_deal_are_those_that_its_fills_met(written: Path) -> None:
    shown = page_data(written)
    levels = [level for level in shown["levels"] if level["level"].startswith("dca_")]
    assert levels
    met = 0
    for fill in shown["fills"]:
        if fill["level"].startswith("dca_"):
            own = [
                one for one in levels if (one["deal_id"], one["level"]) == (fill["deal_id"], fill["level"])
            ]
            assert own, fill
            if own[-1]["price"] == pytest.approx(fill["price"]):
                met += 1
    assert met > 0


def test_an_open_deal_has_no_profit_yet(written: Path) -> None:
    assert all(deal["profit"] is None for deal in page_data(written)["deals"] if deal["closed_at_ms"] is None)


def test_without_a_report_none_of_an_earlier_run_is_left(written: Path) -> None:
    """It would say other figures than the tables beside it."""
    folder = written.parent
    settings = Settings(str(folder / "candles.parquet"), folder / "bots.yaml", jobs=1, report=False)
    (folder / "other").mkdir()
    (folder / "other" / "report.html").write_text("old")
    run(settings, folder / "other", lambda done, text: None)
    assert not (folder / "other" / "report.html").exists()
    assert (folder / "other" / "summary.json").exists()
