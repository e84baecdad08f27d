"""A thousand bots as thousand loops: each computes its own indicators with `ta` on 100 candles, every second.

One list of bots serves both sides: `text` is the entry condition as Strikeline takes it, `entered` the same in pandas.
"""

import http.client
import json
import math
import multiprocessing
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final, NamedTuple

import pandas as pd
from ta.momentum import RSIIndicator, StochasticOscillator
from ta.trend import MACD, EMAIndicator
from ta.volatility import BollingerBands

CANDLES: Final = 100
MINUTE: Final = 60_000
NAMES: Final = ("open", "high", "low", "close", "volume")


class Bot(NamedTuple):
    """One bot on one symbol."""

    name: str
    symbol: str
    text: str
    entered: Callable[[pd.DataFrame], bool]


def bots(count: int, symbols: list[str]) -> list[Bot]:
    """Four kinds with the usual windows, each with a threshold of its own."""
    return [_bot(n, symbols[n % len(symbols)], n // len(symbols)) for n in range(count)]


def _bot(number: int, symbol: str, which: int) -> Bot:
    spread = (which // 4 * 37 % 1_000) / 1_000
    low, window = round(25 + 35 * spread, 2), (7, 14, 21)[which % 3]
    kinds: list[tuple[str, Callable[[pd.DataFrame], bool]]] = [
        (f"rsi({window}) < {low} and close > ema(50)", lambda f: _rsi_above_average(f, window, low)),
        (f"macd().macd_diff > 0 and rsi({window}) < {low}", lambda f: _macd_and_rsi(f, window, low)),
        (f"close < bollinger(20).lband and rsi({window}) < {low}", lambda f: _below_band(f, window, low)),
        (f"stochastic(14, 3).stoch < {low} and ema(9) > ema(21)", lambda f: _stochastic_in_trend(f, low)),
    ]
    text, entered = kinds[which % 4]
    return Bot(f"bot-{number}", symbol, text, entered)


def _last(series: Any) -> float:
    return float(series.iloc[-1])


def _rsi(frame: pd.DataFrame, window: int) -> float:
    return _last(RSIIndicator(frame["close"], window).rsi())


def _ema(frame: pd.DataFrame, window: int) -> float:
    return _last(EMAIndicator(frame["close"], window).ema_indicator())


def _rsi_above_average(frame: pd.DataFrame, window: int, low: float) -> bool:
    rsi, average = _rsi(frame, window), _ema(frame, 50)
    return rsi < low and _last(frame["close"]) > average


def _macd_and_rsi(frame: pd.DataFrame, window: int, low: float) -> bool:
    macd, rsi = _last(MACD(frame["close"]).macd_diff()), _rsi(frame, window)
    return macd > 0 and rsi < low


def _below_band(frame: pd.DataFrame, window: int, low: float) -> bool:
    band, rsi = _last(BollingerBands(frame["close"], 20).bollinger_lband()), _rsi(frame, window)
    return _last(frame["close"]) < band and rsi < low


def _stochastic_in_trend(frame: pd.DataFrame, low: float) -> bool:
    k = _last(StochasticOscillator(frame["high"], frame["low"], frame["close"], 14, 3).stoch())
    fast, slow = _ema(frame, 9), _ema(frame, 21)
    return k < low and fast > slow


def price(second: int, symbol: int) -> float:
    """A swing with ripples, another phase for each symbol; a few bots of a thousand enter in a minute."""
    at = second / 60 + 37 * symbol
    return round(1_000 + 40 * math.sin(at / 19) + 9 * math.sin(at * 0.9) + 6 * math.sin(at * 2.3), 2)


def candle(minute: int, symbol: int, seconds: int = 60) -> tuple[float, float, float, float, float]:
    """Open, high, low, close, volume of the minute's first `seconds`."""
    path = [price(minute * 60 + second, symbol) for second in range(seconds + 1)]
    return path[0], max(path), min(path), path[-1], round(0.1 * seconds, 1)


def window(minute: int, symbol: int, seconds: int) -> pd.DataFrame:
    """The last 100 candles; the newest is `seconds` old."""
    closed = [candle(at, symbol) for at in range(minute - CANDLES + 1, minute)]
    return pd.DataFrame([*closed, candle(minute, symbol, seconds)], columns=NAMES)


class Took(NamedTuple):
    """CPU seconds for `evaluations` of them, `entries` of which were true."""

    seconds: float
    evaluations: int
    entries: int


def run(all_bots: list[Bot], symbols: list[str], minute: int, seconds: int) -> Took:
    """`seconds` seconds of a minute, each bot once a second. Getting the candles is not counted here."""
    spent, entries = 0.0, 0
    closed = {s: [candle(at, n) for at in range(minute - CANDLES + 1, minute)] for n, s in enumerate(symbols)}
    for second in range(1, seconds + 1):
        frames = {
            symbol: pd.DataFrame([*closed[symbol], candle(minute, n, second)], columns=NAMES)
            for n, symbol in enumerate(symbols)
        }
        start = time.process_time()
        for bot in all_bots:
            entries += bot.entered(frames[bot.symbol])
        spent += time.process_time() - start
    return Took(spent, seconds * len(all_bots), entries)


def fetching(minute: int, count: int) -> float:
    """CPU seconds of the client for one fetch of 100 candles over a kept connection, decoded into a frame."""
    rows = [
        [at * MINUTE, *map(str, candle(at, 0)), (at + 1) * MINUTE - 1, "1234.5", 100, "1.5", "1500.25", "0"]
        for at in range(minute - CANDLES + 1, minute + 1)
    ]
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    answer = json.dumps(rows).encode()
    server = multiprocessing.Process(target=_serve, args=(answer, port), daemon=True)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", port.get(timeout=30))
    start = time.process_time()
    for _ in range(count):
        connection.request("GET", "/klines?limit=100")
        got = json.loads(connection.getresponse().read())
        pd.DataFrame([row[1:6] for row in got], columns=NAMES).astype(float)
    spent = time.process_time() - start
    connection.close()
    server.terminate()
    server.join()
    return spent / count


def _serve(answer: bytes, port: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_port)
    server.serve_forever()
