"""The gateway of one owned partition: brings intents to the venue and tells what became of them.

    intended ──recorded──▶ sending ──the venue has it──▶ working ──filled, cancelled──▶ done
        ▲                     │ └──refused──────────────────────────────────────────────▲
        └──not there, and too late to arrive

Nothing leaves that is not recorded as `sending` before; nothing is sent again before the venue was asked for the
client id and so much time has passed that the first request is too old for it (`settle_ms`, longer than the
venue's receive window). Starting and recovering are this same path.

Every step is one transaction under the partition's epoch: the phase and, in the outbox, the reports.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Engine

from schemas.orders import OrderReport, ReportStatus
from sinks.database.engine import reading
from sinks.executor import outbox, owned
from sinks.executor.draft import Told
from sinks.executor.edge import storable
from sinks.executor.owned import Claim
from sinks.orders import telling
from sinks.orders.accounts import Accounts
from sinks.orders.exchange import Exchange, Placed, Refused, Unclear
from sinks.orders.store import Underway, save_progress, underway
from sinks.patience import Patience
from topics.failpoints import failpoint
from topics.registry import Topics

_log = logging.getLogger("strikeline.gateway")


class Timing(NamedTuple):
    """Milliseconds. `settle_ms`: after so long a request that was not found will not arrive any more. `hold_ms`: a
    process that stood still for longer between recording and sending sends nothing. `entry_ms`: an entry older than
    that is not sent at all.
    """

    settle_ms: int = 15_000
    poll_ms: int = 1_000
    hold_ms: int = 2_000
    entry_ms: int = 120_000
    attempts: int = 5


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Gateway:
    """`run_once` sees to every order of the claimed partition that is due. Blocking. Raises Fenced."""

    def __init__(
        self,
        engine: Engine,
        claim: Claim,
        topics: Topics,
        accounts: Accounts,
        timing: Timing | None = None,
        clock: Callable[[], int] = wall_clock,
        patience: Patience | None = None,
    ) -> None:
        self.claim = claim
        self._engine = engine
        self._topics = topics
        self._accounts = accounts
        self._timing = timing or Timing()
        self._clock = clock
        # Each transaction on its own: a venue that takes its time is no database that hangs.
        self._patience = patience or Patience(0.0)
        self._due: dict[str, int] = {}

    def run_once(self) -> int:
        """How many steps were taken."""
        items = self._patience.run(self._underway)
        self._due = {item.intent.client_id: self._due.get(item.intent.client_id, 0) for item in items}
        return sum(self._step(item) for item in items if self._is_due(item))

    def _underway(self) -> list[Underway]:
        with reading(self._engine).begin() as connection:
            owned.check_epoch(connection, self.claim.partition, self.claim.epoch, lock=False)
            return underway(connection, self.claim.partition)

    def _is_due(self, item: Underway) -> bool:
        intent = item.intent
        return self._due[intent.client_id] <= self._clock() and not self._accounts.is_quiet(intent.user_id)

    def _step(self, item: Underway) -> int:
        exchange = self._accounts.of(item.intent.user_id)
        if item.phase == "intended":
            return self._begin(item, exchange)
        if exchange is None:
            # It was sent once, so there were keys: they are to be given back, or nobody knows what it became.
            _log.error("order %s of %s: no API keys", item.intent.client_id, item.intent.user_id)
            return self._wait(item, "no API keys for its user", self._timing.settle_ms)
        try:
            if item.phase == "working" and item.intent.withdrawn:
                exchange.cancel(item.intent)
            return self._look(item, exchange)
        except Unclear as unclear:
            return self._unclear(item, unclear)

    def _begin(self, item: Underway, exchange: Exchange | None) -> int:
        intent, now = item.intent, self._clock()
        if intent.withdrawn:
            return self._end(item, "cancelled", "withdrawn before it was sent")
        if exchange is None:
            return self._end(item, "rejected", f"no API keys for user {intent.user_id}")
        if intent.entry and now - intent.at_ms > self._timing.entry_ms:
            age_s = (now - intent.at_ms) // 1_000
            return self._end(item, "rejected", f"too late: what caused it is {age_s} s old")
        if item.attempts >= self._timing.attempts:
            return self._end(item, "rejected", f"given up after {item.attempts} attempts: {item.note}")
        return self._send(item, exchange)

    def _send(self, item: Underway, exchange: Exchange) -> int:
        sent_at_ms = self._clock()
        item = replace(item, phase="sending", attempts=item.attempts + 1, sent_at_ms=sent_at_ms)
        self._save(item)
        failpoint("gateway.recorded")
        try:
            if self._clock() - sent_at_ms > self._timing.hold_ms:
                raise Unclear("the process stood still before it could send")
            exchange.place(item.intent, sent_at_ms)
            failpoint("gateway.answered")
            item = replace(item, phase="working", note="")
            self._save(item, [telling.accepted(item.intent, self._clock())])
            return self._look(item, exchange)
        except Refused as refused:
            return self._refused(item, exchange, refused)
        except Unclear as unclear:
            return self._unclear(item, unclear)

    def _refused(self, item: Underway, exchange: Exchange, refused: Refused) -> int:
        """A no counts when the venue has nothing under that id. One to a repeated request does not count at once: it
        may be for the first one's sake, which the venue does not show yet.
        """
        try:
            placed = exchange.find(item.intent)
        except Unclear as unclear:
            return self._unclear(item, unclear)
        if placed is not None:
            return self._progress(item, placed)
        if refused.known:
            self._save(replace(item, phase="working"), [telling.accepted(item.intent, self._clock())])
            return self._wait(replace(item, phase="working"), str(refused), self._timing.poll_ms)
        if item.attempts > 1:
            return self._wait(item, str(refused), self._timing.poll_ms)
        return self._end(item, "rejected", str(refused))

    def _look(self, item: Underway, exchange: Exchange) -> int:
        placed = exchange.find(item.intent)
        if placed is not None:
            return self._progress(item, placed)
        if item.phase == "working":
            return self._wait(item, "the venue does not show it yet", self._timing.poll_ms)
        left_ms = (item.sent_at_ms or 0) + self._timing.settle_ms - self._clock()
        if left_ms > 0:
            return self._wait(item, item.note, min(left_ms, self._timing.poll_ms))
        self._save(replace(item, phase="intended"))
        return 1

    def _progress(self, item: Underway, placed: Placed) -> int:
        reports = telling.told_by(item, placed)
        over = telling.is_over(item, placed)
        if reports or over or item.phase == "sending":
            self._save(
                replace(
                    item,
                    phase="done" if over else "working",
                    venue_order_id=placed.venue_order_id,
                    reported=len(placed.trades),
                    note=placed.reason,
                ),
                reports,
            )
        self._due[item.intent.client_id] = self._clock() + self._timing.poll_ms
        return len(reports)

    def _end(self, item: Underway, status: ReportStatus, reason: str) -> int:
        report = telling.ended(item.intent, status, self._clock(), storable(reason, 500))
        self._save(replace(item, phase="done", note=report.reason), [report])
        return 1

    def _unclear(self, item: Underway, unclear: Unclear) -> int:
        if unclear.wait_s:
            self._accounts.quiet(item.intent.user_id, unclear.wait_s)
        _log.warning("order %s: %s", item.intent.client_id, unclear)
        return self._wait(item, str(unclear), self._timing.poll_ms)

    def _wait(self, item: Underway, note: str, wait_ms: int) -> int:
        if note != item.note:
            self._save(replace(item, note=storable(note, 500)))
        self._due[item.intent.client_id] = self._clock() + wait_ms
        return 0

    def _save(self, item: Underway, reports: Sequence[OrderReport] = ()) -> None:
        self._patience.run(lambda: self._write(item, reports))
        failpoint("gateway.committed")

    def _write(self, item: Underway, reports: Sequence[OrderReport]) -> None:
        told = [Told("orders", report, report.report_id, report.at_ms) for report in reports]
        with self._engine.begin() as connection:
            owned.check_epoch(connection, self.claim.partition, self.claim.epoch)
            save_progress(connection, item)
            outbox.store(
                connection, self.claim.partition, [outbox.message(one, self._topics) for one in told]
            )
            failpoint("gateway.saved")
