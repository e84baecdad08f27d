"""The pictures of the report in docs/: a backtest over a simulated market, opened in a real browser.

python -m tests.streams.report.pictures [--out DIR]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Final

import polars as pl

from streams.cli.backtesting.asked import Settings
from streams.cli.backtesting.run import run
from streams.feeds.simulator import Market, simulate
from tests.streams.report.browser import opened

BOTS: Final = """
- bot_id: dip-buyer
  user_id: demo
  pairs: [BTCUSDT]
  entry: rsi(14) < 30
  base_order_volume: "100"
  safety_order_volume: "200"
  max_safety_orders: 4
  price_deviation: "0.5"
  step_scale: "1.4"
  volume_scale: "1.5"
  take_profit: {percent: "0.8"}
  stop_loss: {percent: "15"}
- bot_id: spike-seller
  user_id: demo
  pairs: [ETHUSDT]
  side: short
  entry: rsi(14) > 72 and close > bollinger(20).hband
  base_order_volume: "100"
  safety_order_volume: "200"
  max_safety_orders: 4
  price_deviation: "0.5"
  take_profit: {steps: [{percent: "0.5", amount: "50"}, {percent: "1", amount: "50"}]}
  stop_loss: {percent: "12"}
"""
INSTRUMENTS: Final = """
BTCUSDT: {tick: "0.1", lot: "0.00001"}
ETHUSDT: {tick: "0.01", lot: "0.0001"}
"""


def made(folder: Path) -> Path:
    """A report of a simulated fortnight."""
    market = Market(seed=7, symbols=("BTCUSDT", "ETHUSDT"), minutes=14 * 1_440)
    rows = [
        (k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume)
        for boundary in simulate(market)
        for k in boundary.klines
    ]
    names = ["symbol", "open_time", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "simulated.parquet")
    (folder / "bots.yaml").write_text(BOTS)
    (folder / "instruments.yaml").write_text(INSTRUMENTS)
    settings = Settings(
        str(folder / "simulated.parquet"),
        folder / "bots.yaml",
        instruments=folder / "instruments.yaml",
        jobs=1,
    )
    run(settings, folder / "out", lambda done, text: None)
    return folder / "out" / "report.html"


def main() -> None:
    """Write report.png and report-phone.png."""
    parser = argparse.ArgumentParser(prog="python -m tests.streams.report.pictures")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder to write")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        report = made(Path(folder))
        with opened(report, 1280, 1250) as page:
            deal = page.locator("#deals tbody tr", has_text="take_profit").filter(has_text="dip-buyer").nth(3)
            deal.click()
            page.wait_for_selector("#candles[data-length='60'], #candles[data-length='300']")
            page.wait_for_timeout(800)  # the page scrolls there softly
            page.evaluate("window.scrollTo(0, 0)")
            page.wait_for_timeout(300)
            page.screenshot(path=out / "report.png")
        with opened(report, 390, 1600, dark=True) as page:
            page.screenshot(path=out / "report-phone.png")


if __name__ == "__main__":
    main()
