"""`strikeline explain`: why an alert did or did not fire on a bar, every part of its condition with its values."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import Context, place
from streams.cli.output import JsonFlag, console, print_json
from streams.cli.times import parse_time, show_time

if TYPE_CHECKING:
    from streams.engine.explain.explanation import Explanation, Latch
    from streams.engine.explain.finding import Finding

_SHOWN = {True: "true", False: "false", None: "unknown"}
_STYLES = {True: "green", False: "red", None: "yellow"}


def explain(
    ctx: Context,
    alert_id: Annotated[
        str, typer.Argument(metavar="ALERT_ID", help="A user's alert, or a member such as bot_btc-dip_entry.")
    ],
    at: Annotated[
        str,
        typer.Option("--at", metavar="TIME", help="The bar: the first that closes at or after TIME (UTC)."),
    ],
    symbol: Annotated[str | None, typer.Option(help="Which, where alerts of several have that name.")] = None,
    json: JsonFlag = False,
) -> None:
    """Why an alert did or did not fire: each part of its condition with its values, and the answer in a sentence.

    The engine is run anew over the symbol's candles on the topic, with the command that was in force then.
    """
    from streams.cli.explaining import explained

    here = place(ctx)
    told = explained(here.cluster, here.topics, alert_id, parse_time(at, "--at"), symbol)
    if json:
        print_json(told)
        return
    _show(told)


def _show(told: "Explanation") -> None:
    from rich.text import Text
    from rich.tree import Tree

    shown = console()
    shown.print(Text(_head(told)), soft_wrap=True)
    if told.bar is not None:
        bar = told.bar
        prices = f"O {bar.open:g} H {bar.high:g} L {bar.low:g} C {bar.close:g} V {bar.volume:g}"
        stood_in = " (a tick stood in for it)" if bar.stale_price else ""
        shown.print(
            Text(f"bar that closed {show_time(bar.close_time_ms)}{stood_in}: {prices}"), soft_wrap=True
        )
    if told.seeded_from_ms is not None:
        shown.print(
            Text(f"candles before {show_time(told.seeded_from_ms)} are gone: values may differ a little")
        )
    if told.condition is not None:
        tree = Tree(_line(told.condition))
        _grow(tree, told.condition)
        shown.print(tree)
    if told.latch is not None:
        shown.print(Text(_latch(told.latch)), soft_wrap=True)
    shown.print(Text(told.answer, style="bold"), soft_wrap=True)


def _head(told: "Explanation") -> str:
    group = f" of group {told.group_id}" if told.group_id else ""
    since = "its first bar" if told.sees_from_ms == 0 else show_time(told.sees_from_ms)
    return (
        f"{told.alert_id}{group} on {told.symbol}, user {told.user_id}, generation {told.generation}, "
        f"sees bars from {since} on"
    )


def _grow(tree: Any, finding: "Finding") -> None:
    for part in finding.parts:
        _grow(tree.add(_line(part)), part)


def _line(finding: "Finding") -> Any:
    from rich.text import Text

    line = Text.assemble(
        (f"{_SHOWN[finding.truth]:<8}", _STYLES[finding.truth]), finding.text, (f"   {finding.reason}", "dim")
    )
    if finding.decided_at_ms is not None:
        line.append(f" (decided {show_time(finding.decided_at_ms)})", style="dim")
    return line


def _latch(latch: "Latch") -> str:
    words = [
        f"{latch.unit}",
        f"before: {_SHOWN[latch.known_before]}, {'armed' if latch.armed_before else 'not armed'}",
    ]
    words.append(f"after: {'armed' if latch.armed else 'not armed'}")
    if latch.true_since_ms is not None:
        words.append(f"true since {show_time(latch.true_since_ms)}")
    if latch.frequency is not None:
        words += [f"frequency {latch.frequency}", f"{latch.fires} fires"]
    if latch.last_fired_ms is not None:
        words.append(f"last {show_time(latch.last_fired_ms)}")
    if latch.debounce_bars > 1:
        words.append(f"debounce {latch.debounce_bars} bars, {latch.debounce_left} to go")
    if latch.rearms_ms is not None:
        words.append(f"may fire again from {show_time(latch.rearms_ms)} on")
    if latch.expires_at_ms is not None:
        words.append(f"expires {show_time(latch.expires_at_ms)}")
    return "; ".join(words)
