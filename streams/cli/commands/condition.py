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
    """Show the tree of a condition, or the column at which it is wrong (exit code 2)."""
    from schemas.conditions import condition_to_json
    from streams.engine.conditions.expression import ExpressionError, to_text
    from streams.engine.conditions.expression import parse as tree_of

    try:
        condition = tree_of(text)
    except ExpressionError as wrong:
        raise Invalid(f"{wrong}\n  {text}\n  {' ' * (wrong.column - 1)}^") from None
    tree = condition_to_json(condition)
    if json:
        print_json(tree)
        return
    print(to_text(condition))
    print_json(tree)
