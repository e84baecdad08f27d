"""What a decision takes and gives: everything a record changes, with no database in sight."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from schemas.conditions import MAX_MS
from schemas.interval import interval_ms
from sinks.executor.draft import Draft, Told
from sinks.executor.state import Accepted, Bot, Entry, Fill
from sinks.venues import Venue
from streams.engine.dca import Instrument
from topics.records import Record
from topics.tiers import Tiers

Kind = Literal["config", "tombstone", "trigger", "stale_command", "report", "undecodable"]
Outcome = Literal["accepted", "repeated", "rejected", "applied", "refused", "ignored", "dead"]


LATEST_MS: Final = 221_845_392_000_000
"""The year 9000: instants counted from here on (a cooldown's end, a bar's close) are still ones that messages can
carry.
"""


class Rules(NamedTuple):
    """What decisions depend on beside the bot and the record."""

    venue: Venue
    instruments: Mapping[str, Instrument] = MappingProxyType({})
    base_interval: str = "1m"
    tiers: Tiers = Tiers()

    @property
    def base_ms(self) -> int:
        """Length of a base bar."""
        return interval_ms(self.base_interval)

    def instrument(self, symbol: str) -> Instrument:
        """The symbol's steps; 1e-8 where nothing is known."""
        return self.instruments.get(symbol, Instrument())


class Noted(NamedTuple):
    """What the inbox says about a record. `trigger_id` only for what may block a repeat."""

    kind: Kind
    bot_id: str | None
    outcome: Outcome
    reason: str = ""
    trigger_id: str | None = None
    config_seq: int | None = None


class DeadReason(NamedTuple):
    """Why a record goes to the dead letters."""

    error_class: str
    reason: str


class Decision(NamedTuple):
    """The changed bot (None: there is none), the inbox's note, and everything to be written and told, in
    order.
    """

    bot: Bot | None
    noted: Noted
    told: tuple[Told, ...] = ()
    fills: tuple[Fill, ...] = ()
    ledger: tuple[Entry, ...] = ()
    dead: DeadReason | None = None
    accepted: Accepted | None = None


def decided(draft: Draft, noted: Noted, accepted: Accepted | None = None) -> Decision:
    """The decision that `draft` has come to."""
    return Decision(
        draft.bot, noted, tuple(draft.told), tuple(draft.fills), tuple(draft.ledger), accepted=accepted
    )


def event_time_ms(record: Record) -> int:
    """The record's timestamp; one without (-1) counts as the epoch, one that no calendar has as its last instant."""
    return min(max(record.timestamp_ms, 0), MAX_MS)
