"""`bots.events.v1`: what happened to a bot or an alert, and why. Nothing is refused or suppressed in silence."""

from typing import Literal

from schemas.message import Message, Millis

EventName = Literal[
    "accepted", "rejected", "paused", "deleted",
    "armed", "armed_late", "warming", "removed", "held", "expired", "stale_command",
    "ignored", "suppressed", "entry_refused", "entry_delayed", "disabled", "duplicate_command",
    "merged", "stop_timer",
    "deal_opened", "order_accepted", "filled", "order_cancelled", "order_rejected", "closed", "dust",
    "round_trip", "kept",
    "restated", "late", "gap_filled", "tainted", "history_read", "history_refused", "undelivered",
    "difference", "difference_gone",
]  # fmt: skip


class BotEvent(Message, frozen=True, tag="event"):
    """One event about `subject` (a bot_id or an alert_id). `event_id` is the same whenever the event is told again.

    `at_ms` is event time. `detail` holds numbers and texts by name (prices and amounts as decimal strings); `field`
    names the offending field of a refused config.
    """

    event_id: str
    event: EventName
    subject: str
    at_ms: Millis
    bot_id: str | None = None
    user_id: str | None = None
    symbol: str | None = None
    group_id: str | None = None
    deal_id: str | None = None
    alert_id: str | None = None
    reason: str = ""
    field: str | None = None
    detail: dict[str, str | int | float | None] = {}
