"""What the reconciler finds: one difference, named so that it is the same whoever finds it, and whenever."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from schemas.events import BotEvent
from sinks.executor.draft import Told

Kind = Literal[
    "group_missing", "group_unexpected", "entry_differs", "generation_behind", "config_missing",
    "snapshot_missing", "ledger_differs", "deal_differs", "bot_differs",
    "outbox_stuck", "records_unread", "trigger_without_row", "offset_ahead",
]  # fmt: skip

MEANINGS: Final[Mapping[Kind, str]] = {
    "group_missing": "an open deal waits for something, and no group of it is armed",
    "group_unexpected": "a group of a deal is armed, and the deal is not open",
    "entry_differs": "a pair's entry group is not the one that its configs want",
    "generation_behind": "a group has a higher generation than its pair's counter",
    "config_missing": "a bot has no config that may govern a bar",
    "snapshot_missing": "a bot's newest position was never published, and does not wait to be",
    "ledger_differs": "what was booked in a deal's ledger is not what its fills say",
    "deal_differs": "a deal's own figures are not the sums of its fills and its ledger",
    "bot_differs": "a bot's totals are not those of its closed deals",
    "outbox_stuck": "the first row of an outbox has waited for too long",
    "records_unread": "records wait to be applied, and none was for too long",
    "trigger_without_row": "a trigger's offset counts as applied, and the inbox has no row of it",
    "offset_ahead": "the database has applied more records than the topic has",
}


class Finding(msgspec.Struct, frozen=True):
    """One difference about `subject` (a bot_id, or `partition/N`). `what` names it among those of its kind and subject.

    `detail` holds the figures that differ; they may change while the difference stays the same.
    """

    kind: Kind
    subject: str
    what: str
    reason: str
    detail: dict[str, str | int | float | None] = {}
    user_id: str | None = None
    symbol: str | None = None
    group_id: str | None = None
    deal_id: str | None = None

    @property
    def event_id(self) -> str:
        """The same for the same difference, after a restart too."""
        return f"difference:{self.kind}:{self.subject}:{self.what}"


def told(finding: Finding, at_ms: int, *, gone: bool = False) -> Told:
    """The event that tells it, or that it is over. `at_ms`: event time of the partition's newest record."""
    event_id = finding.event_id + (":gone" if gone else "")
    message = BotEvent(
        event_id=event_id,
        event="difference_gone" if gone else "difference",
        subject=finding.subject,
        at_ms=at_ms,
        bot_id=None if finding.subject.startswith("partition/") else finding.subject,
        user_id=finding.user_id,
        symbol=finding.symbol,
        group_id=finding.group_id,
        deal_id=finding.deal_id,
        reason=f"{finding.kind}: {finding.reason}",
        detail=dict(finding.detail),
    )
    return Told("events", message, event_id, at_ms)
