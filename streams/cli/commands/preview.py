"""`strikeline bots preview`: the ladder or the grid of a bot before anything is armed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.errors import Exit, Invalid
from streams.cli.output import JsonFlag, print_json

if TYPE_CHECKING:
    from schemas.bots import BotConfig


def preview(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML with the bot.")],
    price: Annotated[
        str | None,
        typer.Option(
            help="Price at which the base order is filled, or the grid starts; default: 100, or the middle of the grid."
        ),
    ] = None,
    tick: Annotated[str | None, typer.Option(help="Smallest step of the price; with --lot.")] = None,
    lot: Annotated[str | None, typer.Option(help="Smallest step of the quantity; with --tick.")] = None,
    min_notional: Annotated[
        str | None, typer.Option(help="Smallest order in quote; with --tick and --lot.")
    ] = None,
    instruments: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Tick, lot and minimum notional by symbol, as the executor's."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Which of the bot's pairs; with --instruments. Default: the first.")
    ] = None,
    bot: Annotated[str | None, typer.Option(help="Which bot, where the file has several.")] = None,
    json: JsonFlag = False,
) -> None:
    """The ladder or grid before anything is armed: prices, targets, capital; exit code 1 with problems."""
    from streams.cli.botfile import read_bots

    configs = [config for config in read_bots(file) if bot in (None, config.bot_id)]
    if len(configs) != 1:
        raise Invalid(
            f"{file}: {len(configs)} bots" + (f" called {bot}" if bot else "; choose one with --bot")
        )
    config, steps = configs[0], _instrument(tick, lot, min_notional)
    if symbol is not None and symbol not in config.pairs:
        raise Invalid(f"--symbol: {symbol} is none of the bot's pairs, {', '.join(config.pairs)}")
    if instruments is not None:
        if steps is not None:
            raise Invalid("--instruments has tick and lot already: leave --tick and --lot out")
        steps = _from_file(instruments, symbol, config.pairs)
    show = _show_grid if config.kind == "grid" else _show
    try:
        found = show(config, _price(config, price), steps, json)
    except ValueError as wrong:
        raise Invalid(str(wrong)) from None
    if found:
        raise typer.Exit(Exit.PROBLEM)


def _price(config: "BotConfig", given: str | None) -> Any:
    """A grid's range is in the prices of its market: at 100 most of them would only wait."""
    from decimal import Decimal

    if given is not None:
        return _decimal(given, "--price")
    middle = 0 if config.grid is None else (Decimal(config.grid.lower) + Decimal(config.grid.upper)) / 2
    return middle or Decimal(100)


def _show(config: "BotConfig", price: Any, steps: Any, json: bool) -> bool:
    from streams.cli.ladder import print_ladder
    from streams.engine import dca

    ladder = dca.preview(config, price, steps)
    if json:
        print_json(ladder.to_json())
    else:
        print_ladder(config, ladder)
    return bool(ladder.problems)


def _show_grid(config: "BotConfig", price: Any, steps: Any, json: bool) -> bool:
    from streams.cli.gridtable import print_grid
    from streams.engine import grid

    seen = grid.preview(config, price, steps)
    if json:
        print_json(seen.to_json())
    else:
        print_grid(config, seen)
    return bool(seen.problems)


def _decimal(text: str, option: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{option}: {text!r} is no decimal number") from None
    if not value.is_finite() or value <= 0:
        raise Invalid(f"{option}: {text} is not above 0")
    if not Decimal("1e-18") <= value < Decimal("1e17"):
        raise Invalid(f"{option}: {text} is none that a venue has: from 1e-18 to below 1e17")
    return value


def _instrument(tick: str | None, lot: str | None, min_notional: str | None) -> Any:
    from streams.engine.dca import Instrument

    if tick is None and lot is None:
        if min_notional is not None:
            raise Invalid("--min-notional goes together with --tick and --lot")
        return None
    if tick is None or lot is None:
        raise Invalid("--tick and --lot go together; without both nothing is rounded")
    least = {} if min_notional is None else {"min_notional": _decimal(min_notional, "--min-notional")}
    try:
        return Instrument(_decimal(tick, "--tick"), _decimal(lot, "--lot"), **least)
    except ValueError as wrong:
        raise Invalid(f"--tick, --lot: {wrong}") from None


def _from_file(path: Path, symbol: str | None, pairs: list[str]) -> Any:
    from sinks.errors import BadInstruments
    from sinks.instruments import load_instruments
    from streams.engine.dca import Instrument

    try:
        known = load_instruments(path)
    except BadInstruments as wrong:
        raise Invalid(str(wrong)) from None
    wanted = symbol or (pairs[0] if pairs else "")
    return known.get(wanted, Instrument())
