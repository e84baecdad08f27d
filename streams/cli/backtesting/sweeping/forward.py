"""What walk-forward windows say: of each the best in-sample, and how that one and all others did out-of-sample."""

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import msgspec

from streams.cli.backtesting.sweeping.figures import Figures
from streams.cli.backtesting.sweeping.space import Setting
from streams.cli.backtesting.sweeping.walkforward import Window


class Chosen(NamedTuple):
    """One window: the configuration (its place among those tried) that was best in-sample; None: none had a value."""

    window: Window
    best: int | None
    inside: float | None
    outside: float | None
    median_outside: float | None
    profit_outside: float | None
    rank_outside: int | None


class Forward(NamedTuple):
    """`chosen` by window; `figures` by window: of every configuration in-sample and out-of-sample."""

    objective: str
    settings: Sequence[Setting]
    chosen: list[Chosen]
    figures: list[tuple[list[Figures], list[Figures]]]

    def summary(self, names: Sequence[str]) -> dict[str, Any]:
        """For people and programs."""
        return {
            "windows": [
                {
                    "in_sample_from_ms": one.window.inside.from_ms,
                    "in_sample_to_ms": one.window.inside.to_ms,
                    "out_of_sample_to_ms": one.window.outside.to_ms,
                    "best": None
                    if one.best is None
                    else dict(zip(names, self.settings[one.best], strict=True)),
                    "in_sample": one.inside,
                    "out_of_sample": one.outside,
                    "median_out_of_sample": one.median_outside,
                    "rank_out_of_sample": one.rank_outside,
                    "profit_out_of_sample": one.profit_outside,
                }
                for one in self.chosen
            ],
            "profit_out_of_sample": sum(one.profit_outside or 0.0 for one in self.chosen),
            "compared": len(self.settings),
        }


def walk_forward(
    objective: str, settings: Sequence[Setting], cuts: Sequence[Window], by_span: Sequence[list[Figures]]
) -> Forward:
    """`by_span`: the figures of every configuration inside the first window, outside it, inside the second, …"""
    pairs = [(by_span[2 * place], by_span[2 * place + 1]) for place in range(len(cuts))]
    chosen = [_chosen(objective, window, *pair) for window, pair in zip(cuts, pairs, strict=True)]
    return Forward(objective, settings, chosen, pairs)


def _chosen(objective: str, window: Window, inside: list[Figures], outside: list[Figures]) -> Chosen:
    before, after = (_values(objective, some) for some in (inside, outside))
    known = [place for place, found in enumerate(before) if found is not None]
    if not known:
        return Chosen(window, None, None, None, None, None, None)
    best = max(known, key=lambda place: (before[place] or 0.0, -place))
    others = [found for found in after if found is not None]
    reached = after[best]
    return Chosen(
        window, best, before[best], reached, median(others) if others else None, float(outside[best].profit),
        None if reached is None else 1 + sum(found > reached for found in others),
    )  # fmt: skip


def _values(objective: str, some: Sequence[Figures]) -> list[float | None]:
    found = [msgspec.structs.asdict(one)[objective] for one in some]
    return [None if one is None else float(one) for one in found]
