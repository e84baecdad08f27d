"""Bots by kind: the one place that knows which engine a bot or a deal belongs to. Pure."""

from typing import TypeAlias

from schemas.bots import BotConfig
from streams.engine import dca, grid
from streams.engine.dca import Instrument, Problem

AnyDeal: TypeAlias = dca.Deal | grid.Deal


def problems(config: BotConfig, instrument: Instrument | None = None, interval: str = "1m") -> list[Problem]:
    """What stands in the way of `config` on base bars of `interval`; empty when it can be armed."""
    if config.kind == "grid":
        return grid.problems(config, instrument, interval)
    return [*_of_a_grid(config), *dca.problems(config, instrument, interval)]


def _of_a_grid(config: BotConfig) -> list[Problem]:
    if config.state == "deleted":
        return []
    found = []
    if config.grid is not None:
        found.append(Problem("grid", "belongs to grid bots: write kind: grid"))
    if config.side == "neutral":
        found.append(Problem("side", "only a grid may be neutral: long or short"))
    return found
