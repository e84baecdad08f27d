"""Where what stands in the compiled walk's arrays: a bot's numbers, and the triggers, fills and deals it writes."""

from typing import Final

(
    LONG, RUNGS, SAME_BAR, OHLC, COOLDOWN_MS, STEP_MS, UNITS, SLIP_UP_N, SLIP_UP_D, SLIP_DOWN_N, SLIP_DOWN_D, FEE_N,
    FEE_D, TARGET, TP_N, TP_D, TP_B_N, TP_B_D, STOP, SL_N, SL_D, BASE_A, LEAST, NUMBERS,
) = range(24)  # fmt: skip
"""A bot, see `plan`. A price is a whole number of `UNITS` of 10^-decimals."""
U_N, U_D, U_A, U_WIDTH = range(4)
"""A rung: its price as a ratio of the base order's, and what it is to cost at least, in quote units."""
NONE, AVERAGE, BASE, LAST = range(4)
"""What a target or a stop is counted from."""

T_ROW, T_CLOSE_MS, T_GENERATION, T_KIND, T_DEAL, T_RUNG, T_STOP, T_TARGET, T_WIDTH = range(9)
"""A trigger: its row (-1: a tick stood in), its close, and of a deal's: the first rung, the stop and the target that
were armed (0: none).
"""
ENTRY, COOLDOWN, DEAL = range(3)
F_TRIGGER, F_LEVEL, F_LOTS, F_TICKS, F_FEE, F_WIDTH = range(6)
"""A fill: the trigger that brought it; level 0 is the base order, k safety order k."""
LEVEL_STOP: Final = -1
LEVEL_TARGET: Final = -2
(
    D_OPENED, D_CLOSED, D_REASON, D_FILLS, D_ENTRY_LOTS, D_ENTRY_QUOTE, D_EXIT_LOTS, D_EXIT_QUOTE, D_FEES, D_DUST,
    D_SAFETY, D_AMBIGUOUS, D_ENTRY_HIGH, D_EXIT_HIGH, D_WIDTH,
) = range(15)  # fmt: skip
"""A deal: triggers that opened and closed it (-1: open), LEVEL_STOP or LEVEL_TARGET, and its sums; of quote sums what
an int64 keeps of them, and roughly how often 2^32 goes into them (see `wide`).
"""

(
    H_NEXT, H_QUOTE, H_LOTS, H_BASE_QUOTE, H_BASE_TICKS, H_EXIT_QUOTE, H_EXIT_LOTS, H_FEES, H_FILLS, H_DUST, H_CLOSED,
    H_WIDTH,
) = range(12)  # fmt: skip
"""What a deal holds while it is walked: the next rung, its sums, whether it is closed."""
R_QUOTE, R_BASE_QUOTE, R_EXIT_QUOTE, R_WIDTH = range(4)
"""Its quote sums as floats."""
N_TRIGGERS, N_FILLS, N_DEALS, N_WIDTH = range(4)
"""How much a walk has written."""
