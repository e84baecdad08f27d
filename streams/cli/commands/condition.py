"""`strikeline condition`: the one-line form of conditions."""

from typing import Annotated

import typer

from streams.cli.errors import Invalid
from streams.cli.output import JsonFlag, print_json

app = typer.Typer(help="Conditions in their one-line form.", no_args_is_help=True)


@app.callback()
def family() -> None:
    """Conditions in their one-line form."""


@app.command()
def parse(
    text: Annotated[str, typer.Argument(help='Such as "rsi(14) < 30 and close > ema(200)".')],
    json: JsonFlag = False,
) -> None:
    """Show the tree of a condition, or where it is wrong, or why it says nothing (exit code 2).

    Comparisons (<, <=, >, >=, crosses_above(a, b) …) of prices, indicators and arithmetic; channels such as
    enters(close, 90, 110); moves such as moves_up_percent(close, 5, 10); holds(rsi(14) < 30, 3);
    sequence(rsi(14) < 30, close > open, within=10); schedule("0 9 * * MON", "Europe/Berlin"); at("2026-01-05T09:00Z");
    level("95.25", "below"); and, or, not. All of them, with examples: docs/conditions.md.
    """
    from schemas.conditions import ConditionError, condition_to_json
    from streams.engine.conditions.expression import ExpressionError, to_text
    from streams.engine.conditions.expression import parse as tree_of
    from streams.engine.conditions.resolve import resolve

    try:
        condition = tree_of(text)
    except ExpressionError as wrong:
        raise Invalid(f"{wrong}\n  {text}\n  {' ' * (wrong.column - 1)}^") from None
    try:
        resolve(condition, "1m")
    except ConditionError as wrong:
        raise Invalid(f"{wrong}\n  {text}") from None
    tree = condition_to_json(condition)
    if json:
        print_json(tree)
        return
    print(to_text(condition))
    print_json(tree)
