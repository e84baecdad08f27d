"""A run to make reports of: simulated candles, and deals that are made up but whose books agree."""

import random

import numpy as np
import polars as pl

from streams.report.run import DEALS, FILLS, LEVELS, Run

MINUTE = 60_000
START_MS = 1_735_689_600_000


def candles(minutes: int, symbols: tuple[str, ...], seed: int) -> pl.DataFrame:
    """Random walks."""
    dice = np.random.default_rng(seed)
    tables = []
    for place, symbol in enumerate(symbols):
        close = np.round(100.0 * 10**place * np.exp(np.cumsum(dice.normal(0, 0.0007, minutes))), 2)
        opened = np.concatenate((close[:1], close[:-1]))
        wick = np.round(np.abs(dice.normal(0, 0.03, (2, minutes))), 2)
        tables.append(
            pl.DataFrame(
                {
                    "symbol": [symbol] * minutes, "open_time": START_MS + np.arange(minutes) * MINUTE, "open": opened,
                    "high": np.round(np.maximum(opened, close) + wick[0], 2),
                    "low": np.round(np.minimum(opened, close) - wick[1], 2), "close": close,
                }
            )
        )  # fmt: skip
    return pl.concat(tables)


def made_up(minutes: int = 3_000, symbols: tuple[str, ...] = ("AAAUSDT", "BBBUSDT"), seed: int = 4) -> Run:
    """Deals that buy, buy again some bars later, and sell everything at a close."""
    dice = random.Random(seed)
    klines = candles(minutes, symbols, seed)
    fills, deals, levels = [], [], []
    for symbol in symbols:
        closes = klines.filter(pl.col("symbol") == symbol)["close"].to_list()
        at, number = 50, 0
        while at + 200 < minutes:
            number += 1
            again, out = at + dice.randrange(5, 60), at + dice.randrange(80, 180)
            places = (("base", "buy", at, 1.0), ("dca_1", "buy", again, 2.0), ("tp_1", "sell", out, 3.0))
            name, money = f"{symbol}-{number}", {"buy": 0.0, "sell": 0.0}
            fees = 0.0
            for level, side, place, quantity in places:
                quote = round(closes[place] * quantity, 8)
                fee = round(quote * 0.001, 8)
                fees += fee
                money[side] += quote
                time_ms = START_MS + (place + 1) * MINUTE
                fills.append(
                    (
                        name,
                        f"bot-{symbol[:3].lower()}",
                        symbol,
                        time_ms,
                        level,
                        side,
                        closes[place],
                        quantity,
                        quote,
                        fee,
                    )
                )
            opened, closed = START_MS + (at + 1) * MINUTE, START_MS + (out + 1) * MINUTE
            average = money["buy"] / 3
            deals.append((name, f"bot-{symbol[:3].lower()}", symbol, "long", opened, closed, "take_profit", average,
                          money["buy"], money["sell"] - money["buy"] - fees, 1, number % 2))  # fmt: skip
            second = START_MS + (again + 1) * MINUTE
            levels += [
                (name, "average", opened, second, closes[at]), (name, "average", second, closed, average),
                (name, "tp_1", opened, second, closes[at] * 1.01), (name, "tp_1", second, closed, average * 1.01),
                (name, "sl", opened, closed, closes[at] * 0.97), (name, "dca_1", opened, second, closes[at] * 0.995),
            ]  # fmt: skip
            at = out + dice.randrange(20, 400)
    return Run(
        title="made up </script> & <b>bold</b>",
        interval_ms=MINUTE,
        klines=klines,
        fills=pl.DataFrame(fills, schema=FILLS, orient="row"),
        deals=pl.DataFrame(deals, schema=DEALS, orient="row"),
        levels=pl.DataFrame(levels, schema=LEVELS, orient="row"),
        capital=1_000.0,
        bots={"bot-aaa": "bot_id: bot-aaa\nentry: rsi(14) < 30\n"},
        settings={"fees": "0.1 % a side", "slippage": "0 %"},
        data={"file": "candles.parquet", "rows": klines.height},
        notes=("12 configurations were tried",),
    )
