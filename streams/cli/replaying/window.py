"""The part of results that a time span asks for, where what was before it had to be replayed too. Pure."""

from collections.abc import Iterable, Sequence

from schemas.triggers import Fired
from streams.engine.backtest.result import BotResult


def within(results: Iterable[BotResult], from_ms: int) -> list[BotResult]:
    """Triggers of bars that open at or after `from_ms`, and the deals opened by them, with all their fills."""
    return [_within(result, from_ms) for result in results]


def _within(result: BotResult, from_ms: int) -> BotResult:
    told = [
        (trigger, outcome)
        for trigger, outcome in zip(result.triggers, result.outcomes, strict=True)
        if trigger.bar.open_time_ms >= from_ms
    ]
    deals = [deal for deal in result.deals if deal.opened_at_ms > from_ms]
    names = {deal.deal_id for deal in deals}
    return result._replace(
        triggers=[trigger for trigger, _ in told], outcomes=[outcome for _, outcome in told], deals=deals,
        fills=[fill for fill in result.fills if fill.deal_id in names],
    )  # fmt: skip


def carried(results: Iterable[BotResult], from_ms: int) -> Iterable[str]:
    """A line for each bot that had deals open when the span begins: they are not among its deals."""
    for result in results:
        before = [deal for deal in result.deals if deal.opened_at_ms <= from_ms]
        still = sum(1 for deal in before if deal.closed_at_ms is None or deal.closed_at_ms > from_ms)
        if still:
            yield (
                f"{result.bot_id}: {still:,} deals were open at --from: they were replayed, but neither they nor their "
                "fills are in the tables and figures; their triggers since then are"
            )


def fires_within(fires: Sequence[Fired], from_ms: int) -> list[Fired]:
    """Those of bars that open at or after `from_ms`."""
    return [fired for fired in fires if fired.bar.open_time_ms >= from_ms]
