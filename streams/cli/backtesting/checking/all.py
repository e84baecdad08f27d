"""All checks of one backtest, what they found as a part of the summary, and in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.bots import BotConfig
from streams.cli.backtesting.checking.lookahead import CUTS, Lookahead, Runner, lookahead
from streams.cli.backtesting.checking.policies import Sides, other_way, side_by_side
from streams.cli.backtesting.checking.warmup import WarmUp, warm_up
from streams.cli.times import show_time
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult

RunBots = Callable[[Sequence[BotConfig], Mapping[str, Candles]], list[BotResult]]


class Checks(NamedTuple):
    """What each found."""

    lookahead: Lookahead
    warm_up: WarmUp
    policies: list[Sides]

    def summary(self) -> dict[str, Any]:
        """For `summary.json`."""
        return {
            "lookahead": self.lookahead.summary(),
            "warm_up": self.warm_up.summary(),
            "intrabar": [one.summary() for one in self.policies],
        }

    def lines(self) -> list[str]:
        """For people: one for each check, and one for everything that it found."""
        return [*_lookahead(self.lookahead), *_warm_up(self.warm_up), *map(_policies, self.policies)]


def check(
    bots: Sequence[BotConfig], results: Sequence[BotResult], candles: Mapping[str, Candles], from_ms: int,
    run: RunBots, tell: Callable[[str], None], cuts: int = CUTS,
) -> Checks:  # fmt: skip
    """Run the bots of `results` again, `cuts` + 2 times. `tell` takes what is being done."""
    same: Runner = lambda some: run(bots, some)  # noqa: E731 - the bots stay, the candles change
    tell("check: lookahead")
    ahead = lookahead(results, candles, same, from_ms, cuts)
    tell("check: warm-up")
    warmed = warm_up(results, bots, candles, same, from_ms)
    tell("check: the other way along bars")
    return Checks(ahead, warmed, side_by_side(bots, results, run(other_way(bots), candles)))


def _lookahead(found: Lookahead) -> list[str]:
    times = len(found.cuts_ms)
    if not times:
        return ["lookahead: not compared: there are too few bars to cut one off"]
    if not found.differences:
        return [f"lookahead: none: with the future cut off at {times} times nothing before changed"]
    return [f"lookahead: {one}" for one in found.differences]


def _warm_up(found: WarmUp) -> list[str]:
    lines = [
        f"warm-up: {one.bot_id}: {one.operand} of {one.symbol} has no value at the beginning, "
        + ("and never gets one" if one.ready_ms is None else f"the first at {show_time(one.ready_ms)}")
        for one in found.unready
    ]
    if not found.compared:
        return [
            *lines,
            f"warm-up: not compared: {found.bars_before} bars before --from leave nothing to cut off",
        ]
    if not found.differences:
        return [*lines, "warm-up: with half of the past cut off nothing changed"]
    return lines + [f"warm-up: {one}" for one in found.differences]


def _policies(one: Sides) -> str:
    told = ", ".join(
        f"{name} {made.profit:,.8f}".rstrip("0").rstrip(".") for name, made in one.outcomes.items()
    )
    bars = one.outcomes[one.has].ambiguous_bars
    return f"intrabar: {one.bot_id}: {bars:,} ambiguous bars; profit {told} (it has {one.has})"
