"""Lookahead: with the future cut off, nothing before the cut may change.

The candles are cut right after bars on which something fired, where a glance at the next bar shows at once, and at
even times between.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from streams.cli.backtesting.checking.likeness import differences
from streams.cli.backtesting.cutting import until
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult

Runner = Callable[[Mapping[str, Candles]], list[BotResult]]
"""All bots over candles, in the same order each time."""
CUTS: Final = 6


class Lookahead(NamedTuple):
    """`cuts_ms`: where the candles ended; `differences`: what was otherwise before, in words."""

    cuts_ms: list[int]
    differences: list[str]

    def summary(self) -> dict[str, Any]:
        """For `summary.json`; `passed` is None where there was no time to cut at."""
        return {"passed": not self.differences if self.cuts_ms else None, **self._asdict()}


def lookahead(
    whole: Sequence[BotResult], candles: Mapping[str, Candles], run: Runner, from_ms: int, cuts: int = CUTS
) -> Lookahead:
    """Run the bots over candles that end earlier, `cuts` times."""
    chosen = _cuts(whole, candles, from_ms, cuts)
    found = []
    for cut_ms in chosen:
        short = until(candles, cut_ms)
        if len(short) == len(candles):
            found += differences(whole, run(short), ("with all candles", "with those before the cut"), cut_ms)
    return Lookahead(chosen, list(dict.fromkeys(found)))


def _cuts(whole: Sequence[BotResult], candles: Mapping[str, Candles], from_ms: int, count: int) -> list[int]:
    """Two thirds of them where something fired, the rest evenly spread. None at the end, where nothing is cut off."""
    end_ms = max(one.ticks_until_ms for one in candles.values())
    fired = sorted({t.bar.close_time_ms for result in whole for t in result.triggers} - {end_ms})
    begun_ms = max(from_ms, *(int(one.close_ms[0]) for one in candles.values()))
    step_ms = next(iter(candles.values())).step_ms
    after = min(len(fired), count - count // 3)
    places = {fired[len(fired) * (2 * k + 1) // (2 * after)] for k in range(after)}
    rest = count - after
    bars = (end_ms - begun_ms) // step_ms
    places |= {begun_ms + bars * (k + 1) // (rest + 1) * step_ms for k in range(rest)}
    return sorted(place for place in places if begun_ms <= place < end_ms)
