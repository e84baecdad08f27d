"""A grid as a table."""

from schemas.bots import BotConfig
from streams.cli.amounts import short
from streams.cli.output import print_table
from streams.engine.dca import decimal_text
from streams.engine.grid import Preview


def print_grid(config: BotConfig, seen: Preview) -> None:
    """Levels from the highest down, the start, capital, and what stands in the way."""
    columns = ("level", "price", "first order", "quantity", "volume", "round trip %")
    rows = [
        (
            row.level,
            short(row.price),
            row.side,
            short(row.quantity),
            short(row.volume),
            short(row.profit_percent, 5),
        )
        for row in reversed(seen.levels)
    ]
    right = ("level", "price", "quantity", "volume", "round trip %")
    print_table(columns, rows, title=f"{config.bot_id}, {config.side}", right=right)
    if seen.purchase:
        what = "buys" if seen.purchase > 0 else "sells"
        print(f"at the start it {what} {short(abs(seen.purchase))} at {short(seen.purchase_price)}")
    needed = [(seen.required_capital, "quote"), (seen.required_base, "base")]
    wanted = [f"{decimal_text(amount)} {unit}" for amount, unit in needed if amount]
    print(f"capital: {' and '.join(wanted) or 'none'} (fees not included)")
    for problem in seen.problems:
        print(f"problem: {problem.field}: {problem.reason}")
