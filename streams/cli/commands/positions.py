"""`strikeline positions`: where bots stand."""

from typing import Annotated

import typer

from streams.cli.amounts import money, short
from streams.cli.context import Context, place
from streams.cli.errors import Unreachable
from streams.cli.output import JsonFlag, print_json, print_table
from streams.cli.times import show_time

app = typer.Typer(help="Where bots stand.", no_args_is_help=True)


@app.callback()
def family() -> None:
    """Where bots stand."""


@app.command()
def balances(
    ctx: Context,
    user: Annotated[str | None, typer.Option(help="Only this user.")] = None,
    json: JsonFlag = False,
) -> None:
    """What users with a balance have on the paper venue: free, set aside for open deals, spent by them."""
    from sinks.queries import list_balances
    from streams.cli.database import asked

    database = place(ctx).database
    if database is None:
        raise Unreachable(
            "no database is known: start the stack, or name one with `strikeline --database URL`"
        )
    found = asked(database, lambda engine: list_balances(engine, user_id=user))
    if json:
        print_json(found)
        return
    print_table(
        ("user", "asset", "start", "realized", "held", "reserved", "free"),
        [
            (
                b.user_id,
                b.asset,
                *(short(amount) for amount in (b.start, b.realized, b.held, b.reserved, b.free)),
            )
            for b in found
        ],
        right=("start", "realized", "held", "reserved", "free"),
    )


@app.command("list")
def list_(
    ctx: Context,
    bot: Annotated[str | None, typer.Option(help="Only this bot.")] = None,
    json: JsonFlag = False,
) -> None:
    """The last snapshot of every bot: its open deals and what the closed ones brought."""
    from schemas.positions import Position
    from streams.cli.reading import latest

    here = place(ctx)
    found = latest(here.cluster, here.topics.positions, Position)
    positions = [position for name, position in found.items() if bot in (None, name)]
    if json:
        print_json(positions)
        return
    print_table(
        ("bot", "state", "closed deals", "profit", "open deals", "as of"),
        [
            (p.bot_id, p.state, p.closed_deals, money(p.realized_profit), len(p.open_deals), show_time(p.as_of_ms))
            for p in positions
        ],
        right=("closed deals", "profit", "open deals"),
    )  # fmt: skip
    deals = [(p.bot_id, deal) for p in positions for deal in p.open_deals]
    if deals:
        columns = (
            "bot",
            "symbol",
            "side",
            "since",
            "quantity",
            "average",
            "invested",
            "safety orders",
            "target",
            "stop",
        )
        print_table(
            columns,
            [
                (name, d.symbol, d.side, show_time(d.opened_at_ms), short(d.quantity), short(d.average_price),
                 money(d.invested),
                 d.safety_orders_filled, short(d.take_profit_price),
                 short(d.stop_loss_price))
                for name, d in deals
            ],
            title="open deals",
            right=columns[4:],
        )  # fmt: skip
    grids = [(name, deal, deal.grid) for name, deal in deals if deal.grid is not None]
    if grids:
        print_table(
            ("bot", "symbol", "buys waiting", "sells waiting", "round trips", "they brought"),
            [(n, d.symbol, g.buys, g.sells, g.round_trips, short(g.profit)) for n, d, g in grids],
            title="grids",
            right=("buys waiting", "sells waiting", "round trips", "they brought"),
        )
