"""What a worker does before it joins its group: load compiled code, and calm the garbage collector."""

import gc

from streams.engine.market import market
from streams.engine.network.machine import machine


def warm_up() -> None:
    """Compile every kernel and the predicate network, or load them from numba's cache, so that no kline waits for it.

    The network alone held up a worker's first kline for 0.13 s.
    """
    market.warm_up()
    machine()


def calm_collector() -> None:
    """Leave what start-up made alone and look at the rest less often.

    Groups and alerts live long: a full collection of a million of them stops the loop for 0.2 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


def set_aside() -> None:
    """Collect what partitions that have gone left behind, and leave alone what was loaded since.

    What was set aside before is looked at once more: engines are cycles, and those that are gone would otherwise never
    be collected. Without this a worker grew with every assignment.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
