"""`strikeline status`: is it running, is it keeping up, is anything wrong."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import Context, place
from streams.cli.errors import Exit
from streams.cli.output import JsonFlag, print_json, print_table
from streams.cli.times import show_span, show_time

if TYPE_CHECKING:
    from streams.cli.health import Health


def status(
    ctx: Context,
    max_age: Annotated[
        float, typer.Option(min=0.0, help="Minutes after which a symbol is stale; 0: never.")
    ] = 5.0,
    watch: Annotated[
        float, typer.Option(min=0.0, help="Seconds to watch a lag before it counts as stuck.")
    ] = 3.0,
    json: JsonFlag = False,
) -> None:
    """Broker, topics, lag, newest candles, processes, deals, dead letters; exit code 1 with a problem."""
    from streams.cli.health import as_json, look

    health = look(place(ctx), watch, max_age)
    if json:
        print_json(as_json(health))
    else:
        _show(health)
    if health.problems:
        raise typer.Exit(Exit.PROBLEM)


def _show(health: "Health") -> None:
    print(f"broker     {health.broker}" + (f", namespace {health.namespace}" if health.namespace else ""))
    for name, pid in health.processes.items():
        print(f"{name:<10} {'pid ' + str(pid) if pid else 'not running'}")
    if health.groups is not None:
        print(f"groups     {_counts(health.groups)}")
    if health.deals is not None:
        print(f"deals      {_counts(health.deals)}")
    now = time.time() * 1_000
    rows = [(symbol, show_time(at), show_span(now - at)) for symbol, at in health.newest_ms.items()]
    print_table(("symbol", "newest close or tick", "age"), rows, right=("age",))
    print_table(
        ("group", "topic", "processed", "lag"),
        [(r.group, r.topic, f"{r.done:,}", f"{r.lag:,}") for r in health.readers],
        right=("processed", "lag"),
    )
    for problem in health.problems:
        print(f"problem: {problem}")
    if not health.problems:
        print("all is well")


def _counts(by_state: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(by_state.items())) or "none"
