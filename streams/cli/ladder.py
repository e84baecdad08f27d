"""The ladder of a bot as a table, and in words what no table shows."""

from collections.abc import Iterator
from decimal import Decimal

from schemas.bots import BotConfig
from streams.cli.amounts import short
from streams.cli.output import print_table
from streams.engine.dca import Preview, Row, accumulates, decimal_text


def print_ladder(config: BotConfig, ladder: Preview) -> None:
    """Orders, exits, capital, and what stands in the way."""
    columns = ["order", "deviation %", "price", "volume", "total", "average", *_exits(ladder), "rebound %"]
    print_table(
        columns, [_cells(row) for row in ladder.orders], f"{config.bot_id}, {config.side}", right=columns
    )
    for line in _words(config):
        print(line)
    print(f"capital for one deal: {decimal_text(ladder.required_capital)} (fees not included)")
    if ladder.capital_of_all_deals != ladder.required_capital:
        print(
            f"capital for {config.max_active_deals} deals at a time: {decimal_text(ladder.capital_of_all_deals)}"
        )
    for warning in ladder.warnings:
        print(f"warning: {warning.field}: {warning.reason}")
    for problem in ladder.problems:
        print(f"problem: {problem.field}: {problem.reason}")


def _exits(ladder: Preview) -> list[str]:
    """The columns of targets and stops that the bot has."""
    if not ladder.orders:
        return ["take profit"]
    first = ladder.orders[0]
    targets = len(first.take_profit_prices)
    names = ["take profit"] if targets < 2 else [f"target {n}" for n in range(1, targets + 1)]
    names += [] if first.stop_loss_price is None else ["stop"]
    return names + ([] if first.break_even_price is None else ["break even"])


def _cells(row: Row) -> list[object]:
    targets: list[Decimal | None] = [*row.take_profit_prices] or [None]
    stops = [price for price in (row.stop_loss_price, row.break_even_price) if price is not None]
    return [
        "base" if row.order == 0 else row.order,
        short(row.deviation_percent),
        *map(short, (row.price, row.volume, row.total_volume, row.average_price)),
        *map(short, targets),
        *map(short, stops),
        short(row.rebound_percent),
    ]


def _words(config: BotConfig) -> Iterator[str]:
    """Settings that decide when, not where."""
    profit, stop, back = config.take_profit, config.stop_loss, "back from its best"
    if profit is not None and profit.steps:
        shares = ", ".join(step.amount for step in profit.steps)
        yield f"the targets sell {shares} % of all that was bought"
    if profit is not None and profit.trailing is not None:
        yield f"from the last target on the price is followed: it closes {profit.trailing} % {back}"
    if stop is not None and stop.trailing:
        yield f"the stop follows the price from the base order on, {stop.percent} % {back}"
    if stop is not None and stop.break_even:
        yield "after the first target the stop moves to break even"
    if stop is not None and stop.timeout_s:
        yield f"the stop waits until closes are beyond it for {stop.timeout_s} s"
    yield from _ladder_words(config)
    if config.close is not None:
        least = config.close.min_profit
        enough = "" if least is None else f", if that brings {least} % at least"
        yield f"closed when {_shown(config.close.when)}{enough}"
    if accumulates(config):
        yield "each entry adds a base order to the one deal of its pair"


def _ladder_words(config: BotConfig) -> Iterator[str]:
    if config.anchor != "base_fill":
        anchor = "the order before" if config.anchor == "previous_order" else "the average"
        yield f"safety orders are counted from {anchor}: where they stand depends on what is filled at which price"
    if config.safety_condition not in ("", {}):
        yield f"a safety order is bought when {_shown(config.safety_condition)}, its deviation at least"
    if config.max_active_safety_orders is not None:
        yield f"{config.max_active_safety_orders} of the safety orders wait at a time"
    if config.gap_through == "one_per_bar":
        yield "one safety order a bar"
    if config.gap_through == "merge":
        yield "what one movement passes is bought together at the last level"


def _shown(condition: object) -> str:
    return condition if isinstance(condition, str) else "its condition is true"
