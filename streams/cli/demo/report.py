"""What the demo brought: for people as tables, for programs as JSON."""

from typing import Any, Final

import msgspec

from streams.cli.amounts import money, short
from streams.cli.output import print_table
from streams.cli.times import show_span, show_time

_LAST: Final = 5


class Report(msgspec.Struct, frozen=True):
    """`mode` kafka or in-process. `averaged_with_profit`: deals that bought more and closed with a gain.

    `fired`: alerts that only notify.
    """

    mode: str
    broker: str
    simulated: bool
    klines: int
    triggers: int
    deals: list[dict[str, Any]]
    grids: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    fired: list[dict[str, Any]]
    profit: str
    averaged_with_profit: int
    dead_letters: int
    database: str
    seconds: float
    notes: list[str]


def print_report(report: Report) -> None:
    """Deals, the fills of the busiest one, grids, alerts, sums, and where to look further."""
    kind = "SIMULATED prices, made up" if report.simulated else "recorded prices"
    number = ("average", "invested", "safety orders", "profit")
    print_table(
        ("bot", "symbol", "side", "opened", "closed", "by", *number),
        [
            (d["bot_id"], d["symbol"], d["side"], show_time(d["opened_at_ms"]), show_time(d["closed_at_ms"]),
             d["close_reason"], short(d["average_price"]), money(d["invested"]),
             d["safety_orders_filled"] if d["kind"] == "dca" else None,
             money(d["profit"]) if d["state"] == "closed" else None)
            for d in report.deals
        ],
        title=f"deals ({kind})",
        right=number,
    )  # fmt: skip
    _print_busiest(report)
    _print_grids(report)
    _print_fired(report)
    _print_sums(report)


def _print_sums(report: Report) -> None:
    closed = sum(deal["state"] == "closed" for deal in report.deals)
    trips = sum(grid["round_trips"] for grid in report.grids)
    print(
        f"{report.klines:,} klines, {report.triggers} triggers, {len(report.deals)} deals ({closed} closed, "
        f"{report.averaged_with_profit} of them averaged down and won), {len(report.fills)} fills, "
        f"{trips} round trips of grids, {len(report.fired)} alerts fired, "
        f"profit {money(report.profit)}, {report.dead_letters} dead letters, "
        f"in {show_span(report.seconds * 1000)}"
    )
    for text in report.notes:
        print(text)


def _print_busiest(report: Report) -> None:
    busiest = max(report.deals, key=lambda deal: int(deal["safety_orders_filled"]), default=None)
    if busiest is None:
        return
    own = [fill for fill in report.fills if fill["deal_id"] == busiest["deal_id"]]
    _print_fills(own, f"fills of {busiest['bot_id']}'s deal of {show_time(busiest['opened_at_ms'])}")


def _print_fills(fills: list[dict[str, Any]], title: str) -> None:
    number = ("price", "quantity", "quote", "fee")
    print_table(
        ("at", "level", "side", *number),
        [
            (
                show_time(f["at_ms"]),
                f["level"],
                f["side"],
                short(f["price"]),
                short(f["quantity"]),
                money(f["quote"]),
                short(f["fee"]),
            )
            for f in fills
        ],
        title=title,
        right=number,
    )


def _print_grids(report: Report) -> None:
    if not report.grids:
        return
    number = ("buys waiting", "sells waiting", "holds", "round trips", "they brought")
    print_table(
        ("bot", "symbol", *number),
        [
            (g["bot_id"], g["symbol"], g["buys"], g["sells"], short(g["holds"]), g["round_trips"],
             money(g["round_trips_brought"]))
            for g in report.grids
        ],
        title="grids",
        right=number,
    )  # fmt: skip
    first = report.grids[0]
    own = [fill for fill in report.fills if fill["deal_id"] == first["deal_id"]]
    _print_fills(own[-_LAST:], f"last fills of {first['bot_id']}, of {len(own)}")


def _print_fired(report: Report) -> None:
    if not report.fired:
        return
    print_table(
        ("alert", "symbol", "at", "close", "values"),
        [
            (f["alert_id"], f["symbol"], show_time(f["at_ms"]), f["close"],
             ", ".join(f"{name} {short(str(value), 5)}" for name, value in f["values"].items()))
            for f in report.fired[-_LAST:]
        ],
        title=f"last alerts, of {len(report.fired)} (they only notify)",
        right=("close",),
    )  # fmt: skip
