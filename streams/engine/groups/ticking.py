"""Alerts `on: tick`: updates of the bar that is still forming, outside the parity of closed bars.

A symbol without such an alert pays nothing for its feed's updates but their decoding.
"""

from collections import Counter
from itertools import chain

from schemas.market import Kline
from schemas.triggers import Bar
from streams.engine.groups.firing import Firing
from streams.engine.groups.notify import Alert
from streams.engine.groups.reports import Output
from streams.engine.groups.watching import Watching
from streams.engine.market.market import Market
from streams.engine.network.glance import Glance
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network


class Ticking:
    """`update` takes each forming kline. Only that of the bar after the newest closed one counts: before it there is no
    state to look on from, and an older one is over.
    """

    def __init__(
        self,
        market: Market,
        moments: Moments,
        network: Network,
        watching: Watching,
        firing: Firing,
        counters: Counter[str],
    ) -> None:
        self._market = market
        self._moments = moments
        self._network = network
        self._watching = watching
        self._firing = firing
        self._counters = counters

    def update(self, kline: Kline) -> list[Output]:
        """What fires on an update of the forming bar."""
        self._counters["forming"] += 1
        market, last = self._market, self._network.moment
        is_next = kline.open_time_ms == market.tape.expected_ms and kline.interval == market.interval
        if last is None or not is_next:
            self._counters["forming_passed_over"] += 1
            return []
        close_ms = kline.close_time_ms
        asking = [
            alert for alert in self._watching.on_tick if self._sees(alert, kline.open_time_ms, close_ms)
        ]
        if not asking:
            return []
        nodes = [alert.node for alert in asking if alert.node is not None]
        messages = [alert.message for alert in asking if alert.message is not None]
        asked = (slot for node in nodes for one in node.comparisons() for slot in one.slots)
        market.glance(kline, chain(asked, *(message.slots for message in messages)))
        glance = Glance(market, kline, last)
        fired: list[tuple[Alert, dict[str, float]]] = []
        for alert, node in zip(asking, nodes, strict=True):
            if alert.notice_forming(glance.decide(node), close_ms):
                told = {} if alert.message is None else glance.readings(alert.message.readers)
                fired.append((alert, told | glance.values(node)))
            self._watching.noticed(alert)
        bar = _bar(kline)
        return [self._firing.provisional(alert, bar, seen) for alert, seen in sorted(fired, key=_name)]

    def _sees(self, alert: Alert, open_time_ms: int, close_ms: int) -> bool:
        expires_ms = alert.command.expires_at_ms
        is_over = expires_ms is not None and expires_ms <= self._moments.now_ms
        return alert.armed_from_ms <= open_time_ms and not is_over and not alert.spent(close_ms)


def _name(fired: tuple[Alert, dict[str, float]]) -> str:
    return fired[0].key


def _bar(kline: Kline) -> Bar:
    return Bar(
        interval=kline.interval, open_time_ms=kline.open_time_ms, close_time_ms=kline.close_time_ms,
        open=kline.open, high=kline.high, low=kline.low, close=kline.close, volume=kline.volume,
    )  # fmt: skip
