"""`strikeline triggers`: what fired."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import Context, place
from streams.cli.output import JsonFlag, print_json_line
from streams.cli.times import show_time

if TYPE_CHECKING:
    from streams.cli.reading import Told

app = typer.Typer(help="What fired.", no_args_is_help=True)


@app.callback()
def family() -> None:
    """What fired."""


@app.command()
def tail(
    ctx: Context,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="Begin with the last N triggers.")] = 10,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, until interrupted.")
    ] = True,
    bot: Annotated[str | None, typer.Option(help="Only this bot's.")] = None,
    json: JsonFlag = False,
) -> None:
    """Triggers as they come, one a line; with --json the messages themselves."""
    from streams.cli.applying import ends
    from streams.cli.reading import decoded, last_records

    here = place(ctx)
    spec = here.topics.triggers
    since = ends(here.cluster, spec.name)
    key = None if bot is None else bot.encode()
    for record in last_records(here.cluster, spec.name, last):
        if key in (None, record.key) and (told := decoded(record, spec)):
            _show(told, json)
    if not follow:
        return
    for new in here.cluster.follow(spec.name, since):
        if new is not None and key in (None, new.key) and (told := decoded(new, spec)):
            _show(told, json)


def _show(told: "Told", json: bool) -> None:
    from schemas.triggers import Trigger

    message = told.message
    if json:
        print_json_line(message)
    elif isinstance(message, Trigger):
        fired = ", ".join(
            f"{_what(f.action.action_type, f.action.dca_index)} at {f.price:g}" for f in message.fired
        )
        line = f"{show_time(message.bar.close_time_ms)}  {message.symbol:<12} {message.bot_id:<20} {fired}"
        print(line, flush=True)
    else:
        print(f"{show_time(told.record.timestamp_ms)}  {told.record.address}  {message}", flush=True)


def _what(action: str, index: int | None) -> str:
    return action if index is None else f"{action} {index}"
