"""The working copy of a bot while one record is decided, and what is to be told about it."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from msgspec.structs import replace

from schemas.alerts import GroupCommand
from schemas.events import BotEvent, EventName
from schemas.message import Message
from sinks.executor.state import Bot, Entry, Fill, Group, HeldDeal, Pair
from sinks.executor.timeline import Standing
from sinks.orders.intent import Intent

Detail = Mapping[str, str | int | float | None]


class Told(NamedTuple):
    """A message to be published, by the topic it goes to; `event_id` is the same when told again."""

    to: Literal["alerts", "events", "positions", "orders"]
    message: Message
    event_id: str
    at_ms: int


class Draft:
    """Collects the changes to one bot. `at_ms`: event time of the record that is decided; `interval`: a base
    bar's.
    """

    def __init__(self, bot: Bot, at_ms: int, interval: str) -> None:
        self.bot = bot
        self.at_ms = at_ms
        self.interval = interval
        self.told: list[Told] = []
        self.fills: list[Fill] = []
        self.ledger: list[Entry] = []

    def open_deals_on(self, symbol: str) -> list[HeldDeal]:
        """The bot's open deals on `symbol`, oldest first."""
        found = [held for held in self.bot.deals.values() if held.open and held.deal.symbol == symbol]
        return sorted(found, key=lambda held: (held.deal.opened_at_ms, held.deal.deal_id))

    def sharing(self, symbol: str) -> list[HeldDeal]:
        """Those whose alerts are in the pair's entry group."""
        return [held for held in self.open_deals_on(symbol) if held.deal.terms.shared]

    def standing(self, symbol: str) -> Standing:
        """What decides whether the pair wants an entry."""
        here = self.open_deals_on(symbol)
        return Standing(
            opened=self.bot.closed_deals + sum(1 for held in self.bot.deals.values() if held.open),
            here=len(here),
            alone=any(not held.deal.terms.shared for held in here),
            adds_to=any(held.deal.terms.accumulate for held in here),
        )

    def put_pair(self, pair: Pair) -> None:
        """Replace what is known about a pair."""
        self.bot = replace(self.bot, pairs={**self.bot.pairs, pair.symbol: pair})

    def put_deal(self, held: HeldDeal) -> None:
        """Replace a deal."""
        self.bot = replace(self.bot, deals={**self.bot.deals, held.deal.deal_id: held})

    def put_intent(self, intent: Intent) -> None:
        """Add an order to be sent, or replace what is known of one."""
        self.bot = replace(self.bot, intents={**self.bot.intents, intent.client_id: intent})

    def next_generation(self, symbol: str) -> int:
        """Count the pair's generations up by one."""
        pair = self.bot.pairs[symbol]
        self.put_pair(replace(pair, generation=pair.generation + 1))
        return pair.generation + 1

    def arm(self, symbol: str, build: Callable[[int], GroupCommand], end_at_ms: int | None = None) -> None:
        """Command what `build` makes of the pair's next generation."""
        self._command(Group(build(self.next_generation(symbol)), end_at_ms))

    def remove(self, group_id: str, symbol: str) -> None:
        """Command that the group goes."""

        def build(generation: int) -> GroupCommand:
            return GroupCommand(
                op="remove",
                group_id=group_id,
                generation=generation,
                bot_id=self.bot.bot_id,
                user_id=self.bot.user_id,
                symbol=symbol,
            )

        self.arm(symbol, build)

    def tell(self, event_id: str, event: EventName, *, symbol: str | None = None, group_id: str | None = None,
             deal_id: str | None = None, reason: str = "", detail: Detail | None = None) -> None:  # fmt: skip
        """Report an event of this bot."""
        message = BotEvent(
            event_id=event_id,
            event=event,
            subject=self.bot.bot_id,
            at_ms=self.at_ms,
            bot_id=self.bot.bot_id,
            user_id=self.bot.user_id,
            symbol=symbol,
            group_id=group_id,
            deal_id=deal_id,
            reason=reason,
            detail=dict(detail or {}),
        )
        self.told.append(Told("events", message, event_id, self.at_ms))

    def _command(self, group: Group) -> None:
        command = group.command
        self.bot = replace(self.bot, groups={**self.bot.groups, command.group_id: group})
        event_id = f"{command.group_id}:{command.generation}"
        self.told.append(Told("alerts", command, event_id, self.at_ms))
