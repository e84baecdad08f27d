"""Percentage volume oscillator. `ta.momentum.pvo*`, TradingView's `PVO`: the PPO of the volume.

Missing as long as there was no volume at all; the signal then begins with the first value there is.
"""

from streams.engine.bars import VOLUME
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.indicators.ppo import plan_of, refuse, step


def plan(values: Values, seed: SeedCode) -> Plan:
    return plan_of(VOLUME, values, seed)


DEFINITION = Definition(
    name="pvo",
    outputs=("pvo", "pvo_signal", "pvo_hist"),
    params=(Param("window_slow", 26), Param("window_fast", 12), Param("window_sign", 9)),
    step=step,
    plan=plan,
    functions={"pvo": "pvo", "pvo_signal": "pvo_signal", "pvo_hist": "pvo_hist"},
    auto="first",
    refuse=refuse,
)
