"""What users' alerts fire over candles, told their commands as they were recorded."""

from collections.abc import Mapping

from schemas.triggers import Fired
from streams.cli.backtesting.bot import feed
from streams.cli.replaying.alerts import Scripts
from streams.cli.replaying.engines import Engines
from streams.engine.backtest.candles import Candles


def fires_over(alerts: Scripts, candles: Mapping[str, Candles]) -> list[Fired]:
    """Everything fired, in order of event time. Bars are closed ones: an alert on tick fires at closes alone."""
    own = [candles[symbol] for symbol in sorted(alerts.by_symbol) if symbol in candles]
    if not own:
        return []
    engines = Engines(due=alerts.due, fill_up_to=own[0].fill_up_to)
    for boundary in feed(own):
        engines.boundary(boundary, own[0].interval)
    engines.finish()
    return sorted(engines.fired, key=_order)


def _order(fired: Fired) -> tuple[int, str, str]:
    return fired.bar.close_time_ms, fired.symbol, fired.alert_id
