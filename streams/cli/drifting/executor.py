"""The executor's statement: the same configs and triggers, in the order of the inbox, give the same deals and fills.

What the database holds is compared with what the executor's own decisions make of the records. Nothing is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sinks.executor.decide import Known
from sinks.executor.decision import Rules
from sinks.executor.edge import read
from streams.cli.backtesting.desk import Desk
from topics.records import Record
from topics.spec import TopicSpec

Row = Mapping[str, Any]


class Executor:
    """Give it the inbox's records in order; `deals` and `fills` are then rows to compare with the database's."""

    def __init__(self, rules: Rules, specs: Mapping[str, TopicSpec]) -> None:
        self._desk = Desk(rules, remembers=True)
        self._specs = specs
        self._trigger_ids: set[str] = set()
        self._bots_of: dict[str, int] = {}

    def apply(self, records: Iterable[Record]) -> None:
        """Decide each record."""
        for record in records:
            incoming = read(record, self._specs[record.topic])
            is_new = incoming.bot_id not in self._desk.bots
            decision = self._desk.apply(incoming, Known(self._trigger_ids, self._bots_of))
            if decision.noted.trigger_id is not None:
                self._trigger_ids.add(decision.noted.trigger_id)
            if is_new and decision.bot is not None:
                user = decision.bot.user_id
                self._bots_of[user] = self._bots_of.get(user, 0) + 1

    @property
    def fills(self) -> dict[tuple[str, str, int], Row]:
        """By deal, level and generation: what the database says of a fill too."""
        return {(fill.deal_id, fill.level, fill.generation): fill._asdict() for fill in self._desk.fills}

    def opened_ms(self, deal_id: str) -> int:
        """When a deal was opened."""
        return self._desk.deals[deal_id].deal.opened_at_ms

    def bot_of(self, deal_id: str) -> str:
        """Whose deal it is."""
        return self._desk.deals[deal_id].deal.bot_id

    @property
    def deals(self) -> dict[str, Row]:
        """By deal_id: what the database says of a deal too."""
        return {
            name: {
                "state": "open" if held.open else "closed", "closed_at_ms": held.closed_at_ms,
                "close_reason": held.close_reason, "fills": held.fills, "ambiguous_bars": held.ambiguous_bars,
            }
            for name, held in self._desk.deals.items()
        }  # fmt: skip
