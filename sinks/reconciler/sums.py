"""Fills, ledger, deals and bots add up, exactly. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from sinks.reconciler.books import Booked, Books, DealFigures
from sinks.reconciler.findings import Finding
from streams.engine import kinds
from streams.engine.dca.money import EXACT, text

Key = tuple[str, int, int, str]
"""Level, generation, number, account."""

_WITHOUT_FILL: Final = frozenset({"dust", "kept"})
"""Levels under which a rest is booked off: nothing was traded."""


def add_up(books: Books) -> Iterator[Finding]:
    """Differences among the deals and bots that were looked at closely."""
    filled, booked = _by_deal(books.filled), _by_deal(books.ledger)
    for deal in books.deals:
        bot = books.bots.get(deal.bot_id)
        user_id = None if bot is None else bot.user_id
        yield from _deal(deal, filled[deal.deal_id], booked[deal.deal_id], user_id)
    for bot_id, profits in books.closed.items():
        bot = books.bots[bot_id]
        total = _sum(map(EXACT.create_decimal, profits))
        if (len(profits), total) != (bot.closed_deals, EXACT.create_decimal(bot.realized_profit)):
            reason = (
                f"it counts {bot.closed_deals} closed deals and {bot.realized_profit}, "
                f"its deals are {len(profits)} and {text(total)}"
            )
            yield Finding(
                "bot_differs", bot_id, "totals", reason,
                {"closed_deals": bot.closed_deals, "realized_profit": bot.realized_profit, "found": text(total)},
                user_id=bot.user_id,
            )  # fmt: skip


def _deal(
    deal: DealFigures, filled: list[Booked], booked: list[Booked], user_id: str | None
) -> Iterator[Finding]:
    expected, found = _by_key(filled), _by_key(row for row in booked if row.level not in _WITHOUT_FILL)
    wrong = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    if wrong:
        level, generation, _, account = wrong[0]
        says, has = (text(side[wrong[0]]) if wrong[0] in side else "nothing" for side in (expected, found))
        yield Finding(
            "ledger_differs", deal.bot_id, deal.deal_id,
            f"level {level} of generation {generation}: the fill says {account} {says}, booked is {has}"
            + (f"; {len(wrong) - 1} more" if len(wrong) > 1 else ""),
            {"level": level, "generation": generation, "account": account, "filled": says, "booked": has},
            user_id=user_id, symbol=deal.symbol, deal_id=deal.deal_id,
        )  # fmt: skip
    if reason := _figures_differ(deal, filled, booked):
        yield Finding(
            "deal_differs", deal.bot_id, deal.deal_id, reason,
            user_id=user_id, symbol=deal.symbol, deal_id=deal.deal_id,
        )  # fmt: skip


def _figures_differ(deal: DealFigures, filled: list[Booked], booked: list[Booked]) -> str:
    count = len({(row.level, row.generation, row.number) for row in filled})
    if count != deal.fills:
        return f"it counts {deal.fills} fills, there are {count}"
    base = _sum(EXACT.create_decimal(row.amount) for row in booked if row.account == "base")
    held = base.copy_negate() if deal.side == "short" else base
    over = EXACT.subtract(held, EXACT.create_decimal(deal.quantity))
    if over and not _part_of_a_lot(deal, over):
        return f"it holds {deal.quantity}, its ledger {text(held)}"
    money = _sum(EXACT.create_decimal(row.amount) for row in booked if row.account != "base")
    if money != EXACT.create_decimal(deal.profit):
        return f"its profit is {deal.profit}, its ledger has {text(money)}"
    if deal.state == "closed" and held:
        return f"it is closed and holds {text(held)}"
    return ""


def _part_of_a_lot(deal: DealFigures, over: Decimal) -> bool:
    """An open deal holds whole lots; what fees in base leave beside them is booked off with its last one."""
    return deal.state == "open" and 0 < over < kinds.from_json(deal.body).terms.instrument.lot


def _by_deal(rows: Iterable[Booked]) -> defaultdict[str, list[Booked]]:
    found: defaultdict[str, list[Booked]] = defaultdict(list)
    for row in rows:
        found[row.deal_id].append(row)
    return found


def _by_key(rows: Iterable[Booked]) -> Mapping[Key, Decimal]:
    return {
        (row.level, row.generation, row.number, row.account): EXACT.create_decimal(row.amount) for row in rows
    }


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = EXACT.create_decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
