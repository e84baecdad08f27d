"""The peers of `bench/backtest.py`, each with the same bot: run by it in an environment of their own.

python bench/backtest_child.py PEER ARRAYS.npz OUT.npz

PEER is vectorbt, backtesting or loop. ARRAYS: open, high, low, close. OUT: seconds (CPU, of each warm run), and the
fills as bar, side (1 bought, -1 sold), lots and price in ticks. The bot: RSI 14 below 30 opens with 15; five safety
orders of 30, 45, … 1 %, 2.5 %, … below; all is sold 2 % above the average, the sell fee paid for, but not in a bar that
bought; fee 0.1 %.
"""

import math
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

TICK, LOT = 0.1, 1e-5
WINDOW, BELOW, FEE, GAIN = 14, 30.0, 0.001, 0.02
BASE, VOLUMES, STEPS = 15.0, [30.0 * 1.5**k for k in range(5)], [0.01, 0.025, 0.0475, 0.08125, 0.131875]

Fills = list[tuple[int, int, int, int]]


def ladder(close: float) -> list[tuple[int, int]]:
    """(ticks, lots) of the safety orders below a base order at `close`."""
    rungs = []
    for step, volume in zip(STEPS, VOLUMES, strict=True):
        ticks = math.floor(round(close / TICK) * (1.0 - step) + 1e-9)
        rungs.append((ticks, math.ceil(volume / (ticks * TICK * LOT) - 1e-9)))
    return rungs


def target(quote: int, lots: int) -> int:
    """The take profit in ticks; `quote` in tick×lots."""
    return math.ceil(quote / lots * (1.0 + GAIN) / (1.0 - FEE) - 1e-9)


def loop(open_: Any, high: Any, low: Any, close: Any) -> Fills:
    """A plain loop over lists, as people write it."""
    opens, highs, lows, closes = open_.tolist(), high.tolist(), low.tolist(), close.tolist()
    fills: Fills = []
    up = down = before = 0.0
    armed = True
    rungs: list[tuple[int, int]] = []
    held = spent = goal = 0
    for i, c in enumerate(closes):
        rsi = 50.0
        if i:
            change = c - before
            rise, fall = (change, 0.0) if change > 0 else (0.0, -change)
            if i <= WINDOW:
                up, down = up + (rise - up) / i, down + (fall - down) / i
            else:
                up, down = up + (rise - up) / WINDOW, down + (fall - down) / WINDOW
            if up + down and i >= 95:
                rsi = 100.0 * up / (up + down)
        before = c
        if held:
            bought = False
            while rungs and lows[i] <= rungs[0][0] * TICK:
                ticks, lots = rungs.pop(0)
                ticks = min(ticks, round(opens[i] / TICK))
                held, spent, bought = held + lots, spent + lots * ticks, True
                fills.append((i, 1, lots, ticks))
            if bought:
                goal = target(spent, held)
            elif highs[i] >= goal * TICK - 1e-9:
                fills.append((i, -1, held, max(goal, round(opens[i] / TICK))))
                held = spent = 0
                armed = False  # it must be seen above first, from the next bar on
                continue
        if rsi >= BELOW:
            armed = True
        elif not held and armed:
            ticks = round(c / TICK)
            held = math.ceil(BASE / (ticks * TICK * LOT) - 1e-9)
            spent, rungs, armed = held * ticks, ladder(c), False
            goal = target(spent, held)
            fills.append((i, 1, held, ticks))
    return fills


def vectorbt(open_: Any, high: Any, low: Any, close: Any) -> Callable[[], Fills]:
    """`Portfolio.from_order_func`: its one order a bar is enough where a bar meets one level."""
    import vectorbt as vbt
    from numba import njit
    from vectorbt.portfolio import nb

    steps, volumes = np.array(STEPS), np.array(VOLUMES)

    @njit  # type: ignore[untyped-decorator]
    def order(c: Any, rsi: Any, o: Any, h: Any, lo: Any, s: Any) -> Any:
        i = c.i
        price = c.close[i, 0]
        if s[0] > 0:
            k = int(s[2])
            if k < len(steps):
                ticks = math.floor(np.rint(s[3] / TICK) * (1.0 - steps[k]) + 1e-9)
                if lo[i] <= ticks * TICK:
                    lots = math.ceil(volumes[k] / (ticks * TICK * LOT) - 1e-9)
                    paid = min(ticks, np.rint(o[i] / TICK))
                    s[0] += lots
                    s[1] += lots * paid
                    s[2] += 1
                    return nb.order_nb(size=lots * LOT, price=paid * TICK, fees=FEE)
            goal = math.ceil(s[1] / s[0] * (1.0 + GAIN) / (1.0 - FEE) - 1e-9)
            if h[i] >= goal * TICK - 1e-9:
                lots = s[0]
                s[0] = s[1] = s[2] = 0.0
                s[4] = 0.0
                paid = max(goal, np.rint(o[i] / TICK))
                return nb.order_nb(size=-lots * LOT, price=paid * TICK, fees=FEE)
        if rsi[i] >= BELOW:
            s[4] = 1.0
        elif s[0] == 0 and s[4] > 0 and i >= 95:
            ticks = np.rint(price / TICK)
            lots = math.ceil(BASE / (ticks * TICK * LOT) - 1e-9)
            s[0], s[1], s[2], s[3], s[4] = lots, lots * ticks, 0.0, price, 0.0
            return nb.order_nb(size=lots * LOT, price=price, fees=FEE)
        return nb.order_nothing_nb()

    def run() -> Fills:
        # A span of 2n - 1 is Wilder's n.
        rsi = vbt.RSI.run(close, 2 * WINDOW - 1, ewm=True).rsi.to_numpy().ravel()
        state = np.zeros(5)
        state[4] = 1.0
        book = vbt.Portfolio.from_order_func(
            close, order, rsi, open_, high, low, state, init_cash=1e9, freq="1min"
        )
        records = book.order_records
        side = np.where(records["side"] == 0, 1, -1)
        lots, ticks = np.rint(records["size"] / LOT), np.rint(records["price"] / TICK)
        return list(zip(records["idx"].tolist(), side.tolist(), lots.tolist(), ticks.tolist(), strict=True))

    return run


def wilder(values: Any) -> Any:
    """The RSI over a whole series, by pandas."""
    import pandas as pd

    change = pd.Series(values).diff()
    sides = (change.clip(lower=0), -change.clip(upper=0))
    up, down = (side.ewm(alpha=1 / WINDOW, adjust=False).mean() for side in sides)
    return (100.0 * up / (up + down)).to_numpy()


def strategy() -> Any:
    """The bot as a `Strategy` of backtesting.py, with limit orders; a unit is one lot, priced in ticks."""
    from backtesting import Strategy

    class Dca(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.rsi = self.I(wilder, self.data.Close)
            self.armed = True
            self.held = 0

        def next(self) -> None:
            size, rsi = self.position.size, self.rsi[-1]
            if self.held and not size and not self.waiting:
                for order in self.orders:
                    order.cancel()
                self.held, self.armed = 0, False
            elif self.held:
                self.follow(size)
            elif rsi >= BELOW:
                self.armed = True
            elif self.armed and len(self.data) > 95:
                self.enter(int(self.data.Close[-1]))

        def follow(self, size: int) -> None:
            """A safety order that was filled moves the target."""
            if size and size != self.held:
                self.held = size
                spent = sum(trade.size * trade.entry_price for trade in self.trades)
                self.exit.cancel()
                self.exit = self.sell(size=size, limit=target(spent, size))
            self.waiting = False

        def enter(self, ticks: int) -> None:
            lots = math.ceil(BASE / (ticks * TICK * LOT) - 1e-9)
            self.buy(size=lots)
            for price, more in ladder(ticks * TICK):
                self.buy(size=more, limit=price)
            self.exit = self.sell(size=lots, limit=target(lots * ticks, lots))
            self.held, self.armed, self.waiting = lots, False, True

    return Dca


def backtesting(open_: Any, high: Any, low: Any, close: Any) -> Callable[[], Fills]:
    """backtesting.py's `Backtest`."""
    import pandas as pd
    from backtesting import Backtest

    index = pd.date_range("2025-01-01", periods=len(close), freq="min")
    columns = {"Open": open_ / TICK, "High": high / TICK, "Low": low / TICK, "Close": close / TICK}
    data = pd.DataFrame(columns, index=index).round()

    def run() -> Fills:
        book = Backtest(data, strategy(), cash=1e12, commission=FEE, trade_on_close=True)
        trades = list(book.run()._trades.itertuples())
        bought = [(int(t.EntryBar), 1, int(t.Size), round(t.EntryPrice)) for t in trades]
        sold: dict[tuple[int, int], int] = {}
        for t in trades:
            key = int(t.ExitBar), round(t.ExitPrice)
            sold[key] = sold.get(key, 0) + int(t.Size)
        exits = [(bar, -1, lots, ticks) for (bar, ticks), lots in sold.items()]
        return sorted([*bought, *exits], key=lambda fill: (fill[0], -fill[1]))

    return run


def main() -> None:
    """Run one peer: once to warm up, then timed."""
    warnings.simplefilter("ignore")
    peer, source, out = sys.argv[1:4]
    with np.load(source) as arrays:
        prices = [arrays[name] for name in ("open", "high", "low", "close")]
    made = {"vectorbt": vectorbt, "backtesting": backtesting}
    run = made[peer](*prices) if peer in made else lambda: loop(*prices)
    seconds, fills = [], run() if peer != "backtesting" else []
    for _ in range(1 if peer == "backtesting" else 5):
        began = time.process_time()
        fills = run()
        seconds.append(time.process_time() - began)
    np.savez(out, seconds=np.array(seconds), fills=np.array(fills, np.int64).reshape(-1, 4))


if __name__ == "__main__":
    main()
