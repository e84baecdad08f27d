"""`strikeline bots preview`: the ladder of a bot before anything is armed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.errors import Exit, Invalid
from streams.cli.output import JsonFlag, print_json


def preview(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML with the bot.")],
    price: Annotated[str, typer.Option(help="Price at which the base order is filled.")] = "100",
    tick: Annotated[str | None, typer.Option(help="Smallest step of the price; with --lot.")] = None,
    lot: Annotated[str | None, typer.Option(help="Smallest step of the quantity; with --tick.")] = None,
    bot: Annotated[str | None, typer.Option(help="Which bot, where the file has several.")] = None,
    json: JsonFlag = False,
) -> None:
    """The ladder before anything is armed: prices, averages, targets, capital; exit code 1 with problems."""
    from streams.cli.botfile import read_bots
    from streams.engine import dca

    configs = [config for config in read_bots(file) if bot in (None, config.bot_id)]
    if len(configs) != 1:
        raise Invalid(
            f"{file}: {len(configs)} bots" + (f" called {bot}" if bot else "; choose one with --bot")
        )
    try:
        ladder = dca.preview(configs[0], _decimal(price, "--price"), _instrument(tick, lot))
    except ValueError as wrong:
        raise Invalid(str(wrong)) from None
    if json:
        print_json(ladder.to_json())
    else:
        from streams.cli.ladder import print_ladder

        print_ladder(configs[0], ladder)
    if ladder.problems:
        raise typer.Exit(Exit.PROBLEM)


def _decimal(text: str, option: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{option}: {text!r} is no decimal number") from None
    if not value.is_finite() or value <= 0:
        raise Invalid(f"{option}: {text} is not above 0")
    return value


def _instrument(tick: str | None, lot: str | None) -> Any:
    from streams.engine.dca import Instrument

    if tick is None and lot is None:
        return None
    if tick is None or lot is None:
        raise Invalid("--tick and --lot go together; without both nothing is rounded")
    return Instrument(_decimal(tick, "--tick"), _decimal(lot, "--lot"))
