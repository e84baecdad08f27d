"""The ladder of a bot as a table."""

from schemas.bots import BotConfig
from streams.cli.amounts import short
from streams.cli.output import print_table
from streams.engine.dca import Preview


def print_ladder(config: BotConfig, ladder: Preview) -> None:
    """Orders, capital, and what stands in the way."""
    columns = ("order", "deviation %", "price", "volume", "total", "average", "take profit", "rebound %")
    rows = [
        (
            "base" if row.order == 0 else row.order,
            short(row.deviation_percent),
            short(row.price),
            short(row.volume),
            short(row.total_volume),
            short(row.average_price),
            short(row.take_profit_price),
            short(row.rebound_percent),
        )
        for row in ladder.orders
    ]
    print_table(columns, rows, title=f"{config.bot_id}, {config.side}", right=columns)
    print(f"capital for one deal: {ladder.required_capital} (fees not included)")
    for problem in ladder.problems:
        print(f"problem: {problem.field}: {problem.reason}")
