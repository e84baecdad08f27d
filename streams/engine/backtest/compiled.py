"""A DCA bot on one symbol, compiled: from trigger to trigger by blocks of extremes, the ledger in int64.

Prices stay floats until a bar is settled: then they must lie on the tick, else the walk gives up and Python does it.
`plan` has bounded every product beforehand.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.engine.backtest.bars_settled import alone, paths, same, walk
from streams.engine.backtest.searches import row_from, signal, touch
from streams.engine.backtest.slots import (
    COOLDOWN,
    COOLDOWN_MS,
    D_AMBIGUOUS,
    D_CLOSED,
    D_DUST,
    D_ENTRY_HIGH,
    D_ENTRY_LOTS,
    D_ENTRY_QUOTE,
    D_EXIT_HIGH,
    D_EXIT_LOTS,
    D_EXIT_QUOTE,
    D_FEES,
    D_FILLS,
    D_OPENED,
    D_REASON,
    D_SAFETY,
    DEAL,
    ENTRY,
    F_FEE,
    F_LEVEL,
    F_LOTS,
    F_TICKS,
    F_TRIGGER,
    H_CLOSED,
    H_DUST,
    H_EXIT_LOTS,
    H_EXIT_QUOTE,
    H_FEES,
    H_FILLS,
    H_LOTS,
    H_NEXT,
    H_QUOTE,
    H_WIDTH,
    LONG,
    N_DEALS,
    N_FILLS,
    N_TRIGGERS,
    N_WIDTH,
    R_EXIT_QUOTE,
    R_QUOTE,
    RUNGS,
    STEP_MS,
    T_CLOSE_MS,
    T_DEAL,
    T_GENERATION,
    T_KIND,
    T_ROW,
    T_RUNG,
    T_STOP,
    T_TARGET,
    UNITS,
)  # fmt: skip  # fmt: skip
from streams.engine.backtest.sums import hang, in_ticks, open_at, rung_of, stop_of, target_of
from streams.engine.backtest.wide import about, copy, high, up
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function

Bytes = NDArray[np.int8]
DONE, FULL, OFF_GRID, REFUSED, GOES_ON = range(5)
"""How a walk ended: at the last bar, out of room, at a price between two ticks, at an entry that is refused."""


@kernel
def closes_at(open_ms: Ints, contiguous: bool, row: int, step: int) -> int:
    """When a row closes; where no bar is missing no memory is asked."""
    return int(open_ms[0] + (row + 1) * step if contiguous else open_ms[row] + step)


@kernel
def write_trigger(
    triggers: Ints, at: int, row: int, close_ms: int, generation: int, kind: int, deal: int
) -> None:
    """A trigger with no level armed."""
    triggers[at, T_ROW], triggers[at, T_CLOSE_MS], triggers[at, T_GENERATION] = row, close_ms, generation
    triggers[at, T_KIND], triggers[at, T_DEAL] = kind, deal
    triggers[at, T_RUNG], triggers[at, T_STOP], triggers[at, T_TARGET] = 0, 0, 0


@kernel
def write_fill(fills: Ints, at: int, trigger: int, level: int, lots: int, ticks: int, fee: int) -> None:
    """A fill."""
    fills[at, F_TRIGGER], fills[at, F_LEVEL], fills[at, F_LOTS] = trigger, level, lots
    fills[at, F_TICKS], fills[at, F_FEE] = ticks, fee


@kernel
def write_deal(deals: Ints, number: int, closing: int, d: Ints, r: Floats | None) -> None:
    """A deal's sums as they stand; `closing`: the trigger that closed it, or -1."""
    deals[number, D_CLOSED] = closing
    deals[number, D_FILLS], deals[number, D_FEES], deals[number, D_DUST] = d[H_FILLS], d[H_FEES], d[H_DUST]
    deals[number, D_ENTRY_LOTS], deals[number, D_ENTRY_QUOTE] = d[H_LOTS], d[H_QUOTE]
    deals[number, D_EXIT_LOTS], deals[number, D_EXIT_QUOTE] = d[H_EXIT_LOTS], d[H_EXIT_QUOTE]
    deals[number, D_ENTRY_HIGH] = high(about(d[H_QUOTE], r, R_QUOTE))
    deals[number, D_EXIT_HIGH] = high(about(d[H_EXIT_QUOTE], r, R_EXIT_QUOTE))
    deals[number, D_SAFETY] = d[H_NEXT]


@kernel
def run(  # noqa: C901 - one loop: handing a dozen arrays on costs twice what is done with them (measured)
    n: Ints, rungs: Ints, amounts: Floats, scale: float, columns: Floats, open_ms: Ints, lows: Floats, highs: Floats,
    big_lows: Floats, big_highs: Floats, filled: Bytes, ticks_until_ms: int, triggers: Ints, fills: Ints, deals: Ints,
    truths: Bytes, armed_from_ms: int, at: Ints, r: Floats | None, shadow_r: Floats | None,
) -> int:  # fmt: skip
    """Walk a whole file: how it ended. `at` says how much was written; `truths`: of the entry condition, by bar.

    `filled`: which rows stand in for missing bars (empty: none). `ticks_until_ms`: as of `Candles`.
    """
    opens, tops, low, close = columns[0], columns[1], columns[2], columns[3]
    count, step, units, long = len(open_ms), n[STEP_MS], n[UNITS], n[LONG] == 1
    ladder, levels = np.zeros((max(n[RUNGS], 1), 2), np.int64), np.zeros(3, np.int64)
    d, shadow = np.zeros(H_WIDTH, np.int64), np.zeros(H_WIDTH, np.int64)
    taken, other = np.zeros(4, np.int64), np.zeros(4, np.int64)
    made, made_other = np.zeros((n[RUNGS] + 2, 4), np.int64), np.zeros((n[RUNGS] + 2, 4), np.int64)
    nt, nf, nd, generation, at_once = 0, 0, 0, 1, True
    contiguous = open_ms[count - 1] - open_ms[0] == (count - 1) * step
    start, ended = row_from(open_ms, armed_from_ms, 0), GOES_ON
    while ended == GOES_ON:
        row = signal(truths, start, at_once)
        if row == count:
            ended = DONE
            break
        if nt + 2 > len(triggers) or nd == len(deals) or nf + n[RUNGS] + 3 > len(fills):
            ended = FULL
            break
        at_close = in_ticks(close[row], scale, units)
        paid = open_at(n, rungs, amounts, ladder, d, r, at_close) if at_close >= 0 else 0
        if paid == 0:
            ended = OFF_GRID if at_close < 0 else REFUSED
            break
        write_trigger(triggers, nt, row, closes_at(open_ms, contiguous, row, step), generation, ENTRY, nd)
        write_fill(fills, nf, nt, 0, d[H_LOTS], paid, d[H_FEES])
        deals[nd, D_OPENED], deals[nd, D_AMBIGUOUS], deals[nd, D_REASON] = nt, 0, 0
        nt, nf, start = nt + 1, nf + 1, row + 1
        generation += 2  # one removed the entry's group, the next arms the deal's
        hung = 2
        while d[H_CLOSED] == 0:
            while hung < min(d[H_NEXT] + 2, n[RUNGS]):
                hang(n, rungs, amounts, ladder, d, hung)
                hung += 1
            stop, rung, target = stop_of(n, d, r, ladder), rung_of(n, d, ladder), target_of(n, d, r)
            adverse = min(stop, rung) if stop and rung and not long else max(stop, rung)
            below, above = (adverse, target) if long else (target, adverse)
            lowest, highest = (below * units) / scale, (above * units) / scale if above else np.inf
            row = touch(low, tops, lows, highs, big_lows, big_highs, start, lowest, highest)
            if row == count or nt + 2 > len(triggers) or nf + n[RUNGS] + 3 > len(fills):
                ended = DONE if row == count else FULL
                break
            o, h = in_ticks(opens[row], scale, units), in_ticks(tops[row], scale, units)
            lo = in_ticks(low[row], scale, units)
            if o < 0 or h < 0 or lo < 0:
                ended = OFF_GRID
                break
            write_trigger(triggers, nt, row, closes_at(open_ms, contiguous, row, step), generation, DEAL, nd)
            triggers[nt, T_RUNG], triggers[nt, T_STOP], triggers[nt, T_TARGET] = d[H_NEXT] + 1, stop, target
            done = 1
            if not alone(n, ladder, d, r, o, h, lo, stop, target, made):
                c = in_ticks(close[row], scale, units)
                if c < 0:
                    ended = OFF_GRID
                    break
                paths(n, o, h, lo, c, taken, other)
                while hung < n[RUNGS]:
                    hang(n, rungs, amounts, ladder, d, hung)
                    hung += 1
                shadow[:] = d
                copy(shadow_r, r)
                done = walk(n, ladder, d, r, taken, levels, made)
                if walk(n, ladder, shadow, shadow_r, other, levels, made_other) != done or not same(
                    made, made_other, done
                ):
                    deals[nd, D_AMBIGUOUS] += 1
            for k in range(done):
                if made[k, 3] >= 0:
                    write_fill(fills, nf, nt, made[k, 0], made[k, 1], made[k, 2], made[k, 3])
                    nf += 1
                deals[nd, D_REASON] = made[k, 0]
            nt, generation, start = nt + 1, generation + 1, row + 1
        write_deal(deals, nd, nt - 1 if d[H_CLOSED] else -1, d, r)
        nd += 1
        if ended != GOES_ON:
            break
        generation += 1  # one removed the deal's group, the next arms the entry again, or its cooldown
        at_once = False
        if n[COOLDOWN_MS] > 0:
            closed_ms = triggers[nt - 1, T_CLOSE_MS]
            due = (
                open_ms[0]
                + up(
                    closed_ms + max(n[COOLDOWN_MS], step) - open_ms[0],
                    step,
                    float(closed_ms + max(n[COOLDOWN_MS], step) - open_ms[0]),
                )
                * step
            )
            if due > ticks_until_ms:
                ended = DONE
                break
            row = row_from(open_ms, due - step, start + (due - closed_ms) // step - 1)
            stands = row < count and open_ms[row] + step == due
            start = row + 1 if stands else row
            if not stands or (len(filled) and filled[row]):
                row = -1
            write_trigger(triggers, nt, row, due, generation, COOLDOWN, nd - 1)
            nt, generation = nt + 1, generation + 1
    at[N_TRIGGERS], at[N_FILLS], at[N_DEALS] = nt, nf, nd
    return ended


_TABLE: Final = "int64[:, ::1]"
_ARGUMENTS: Final = (
    f"int64(int64[::1], {_TABLE}, float64[::1], float64, float64[:, ::1], int64[::1], float64[::1], float64[::1],"
    f"float64[::1], float64[::1], int8[::1], int64, {_TABLE}, {_TABLE}, {_TABLE}, int8[::1], int64, int64[::1],"
)


@cache
def machine(wide: bool) -> Callable[..., int]:
    """`run`, compiled or from numba's cache; `source` is part of its key, nothing else. `wide`: for quote sums that may
    not fit 64 bits, whose floats cost a quarter of the walk.
    """
    source = source_digest(run)

    def compiled(
        n: Ints, rungs: Ints, amounts: Floats, scale: float, columns: Floats, open_ms: Ints, lows: Floats,
        highs: Floats, big_lows: Floats, big_highs: Floats, filled: Bytes, ticks_until_ms: int, triggers: Ints,
        fills: Ints, deals: Ints, truths: Bytes, armed_from_ms: int, at: Ints, r: Floats | None,
        shadow_r: Floats | None,
    ) -> int:  # fmt: skip
        if source == 0:
            return DONE
        return run(
            n, rungs, amounts, scale, columns, open_ms, lows, highs, big_lows, big_highs, filled, ticks_until_ms,
            triggers, fills, deals, truths, armed_from_ms, at, r, shadow_r,
        )  # fmt: skip

    sums = "float64[::1]" if wide else "none"
    return compile_function(f"{_ARGUMENTS}{sums},{sums})", compiled)


def counters() -> Ints:
    """Where a walk counts, see `slots`."""
    return np.zeros(N_WIDTH, np.int64)
