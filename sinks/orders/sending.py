"""From a deal's commands to intents: what is to be sent, what is to be withdrawn."""

from typing import Final

from msgspec.structs import replace

from sinks.executor.draft import Draft
from sinks.orders.cause import Cause
from sinks.orders.intent import Intent, IntentKind, client_id
from streams.engine.dca import Deal, PlaceOrder, Settlement
from streams.engine.dca.money import text
from streams.engine.kinds import AnySettlement

_KINDS: Final[dict[str, IntentKind]] = {"market": "market", "stop": "market", "limit": "limit"}


def send(draft: Draft, settlement: AnySettlement, cause: Cause) -> None:
    """Record every command of `settlement`. On paper, where grids trade, there is none."""
    if not isinstance(settlement, Settlement):
        return
    deal = settlement.deal
    for command in settlement.commands:
        if isinstance(command, PlaceOrder):
            draft.put_intent(_intent(draft, deal, command, cause))
        else:
            for intent in _open_orders(draft, deal, command.level):
                draft.put_intent(replace(intent, withdrawn=True))


def _open_orders(draft: Draft, deal: Deal, level: str) -> list[Intent]:
    return [
        intent
        for intent in draft.bot.intents.values()
        if intent.open and intent.deal_id == deal.deal_id and intent.level == level
    ]


def _intent(draft: Draft, deal: Deal, command: PlaceOrder, cause: Cause) -> Intent:
    entry = command.side == deal.entry_side
    kind = _KINDS[command.kind]
    if kind == "limit" and not entry:
        kind = "ioc"  # a target that rests would be out of the stop's sight
    return Intent(
        client_id=client_id(f"{deal.deal_id}/{cause.trigger_id}", command.level),
        bot_id=deal.bot_id,
        user_id=deal.user_id,
        partition=draft.bot.partition,
        deal_id=deal.deal_id,
        level=command.level,
        generation=cause.generation,
        cause=cause.trigger_id,
        symbol=deal.symbol,
        side=command.side,
        kind=kind,
        quantity=text(command.quantity),
        price=None if kind == "market" or command.price is None else text(command.price),
        entry=entry,
        at_ms=draft.at_ms,
    )
