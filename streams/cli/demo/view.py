"""The running demo on the screen: a live view on a terminal, a line now and then otherwise."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, Protocol

from streams.cli.demo.glance import Glance
from streams.cli.output import console, note, table
from streams.cli.times import show_time

_LINE_EVERY_S: Final = 3.0


class View(Protocol):
    """Shows what goes on."""

    def say(self, text: str) -> None:
        """One remark."""

    def show(self, glance: Glance, fraction: float) -> None:
        """The state of things; `fraction` of the feed is done."""


class Lines:
    """For logs and pipes: a line every few seconds, on standard error."""

    def __init__(self) -> None:
        self._last = 0.0

    def say(self, text: str) -> None:
        note(text)

    def show(self, glance: Glance, fraction: float) -> None:
        if time.monotonic() - self._last < _LINE_EVERY_S:
            return
        self._last = time.monotonic()
        open_ = sum(state == "open" for _, _, state, _, _ in glance.deals)
        note(
            f"{show_time(glance.now_ms)}  {fraction:4.0%}  lag {sum(glance.lag.values()):,}  "
            f"groups {glance.armed} armed, {glance.held} held  triggers {glance.triggers}  "
            f"deals {open_} open, {len(glance.deals) - open_} closed"
        )


class Screen:
    """For a terminal: everything at once, redrawn in place."""

    def __init__(self, live: Any, title: str) -> None:
        self._live = live
        self._title = title
        self._said: list[str] = []
        self._draw([])

    def say(self, text: str) -> None:
        self._said = [*self._said[-5:], text]
        self._draw([])

    def show(self, glance: Glance, fraction: float) -> None:
        self._said = []
        self._draw([_line(glance, fraction), _market(glance), _lag(glance), _triggers(glance)])

    def _draw(self, parts: list[Any]) -> None:
        from rich.console import Group
        from rich.text import Text

        said = [Text(text) for text in self._said]
        self._live.update(
            Group(Text(f"strikeline demo · {self._title}", style="bold"), *said, *parts), refresh=True
        )


@contextmanager
def open_view(title: str, *, quiet: bool) -> Iterator[View]:
    """The view that suits where standard error goes."""
    if quiet or not sys.stderr.isatty():
        lines = Lines()
        lines.say(title)
        yield lines
        return
    from rich.live import Live

    with Live(console=console(stderr=True), auto_refresh=False, transient=True) as live:
        yield Screen(live, title)


def _line(glance: Glance, fraction: float) -> Any:
    from rich.text import Text

    open_ = sum(state == "open" for _, _, state, _, _ in glance.deals)
    profit = sum((Decimal(p) for _, _, state, _, p in glance.deals if state == "closed"), Decimal(0))
    return Text(
        f"{fraction:.0%} of the feed · {show_time(glance.now_ms)} · "
        f"groups {glance.armed} armed, {glance.held} held · "
        f"deals {open_} open, {len(glance.deals) - open_} closed · profit {profit:.2f}"
    )


def _market(glance: Glance) -> Any:
    rows = [(k.symbol, show_time(k.close_time_ms), k.low, k.high, k.close) for k in glance.candles.values()]
    return table(("symbol", "last candle", "low", "high", "close"), rows, right=("low", "high", "close"))


def _lag(glance: Glance) -> Any:
    return table(("topic", "lag"), [(topic, f"{lag:,}") for topic, lag in glance.lag.items()], right=("lag",))


def _triggers(glance: Glance) -> Any:
    rows = [
        (
            show_time(t.bar.close_time_ms),
            t.bot_id,
            t.symbol,
            " + ".join(f.action.action_type for f in t.fired),
        )
        for t in reversed(glance.last_triggers)
    ]
    return table(("last triggers", "bot", "symbol", "fired"), rows)
