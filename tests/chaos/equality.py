"""The interrupted run against the uninterrupted one: triggers that counted, deals, fills and ledger.

A bot that nobody changed on the way must be equal in everything, trigger by trigger and byte by byte. A config that
arrives while triggers are on their way costs a generation more or less, depending on who was first (law 7: a command
that no trigger caused arms the next generation), and ids contain generations. So bots that were changed are compared
with each trigger named by its bar and each deal by when it was opened.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from tests.chaos.evidence import Evidence

Row: TypeAlias = dict[str, Any]
Books: TypeAlias = dict[str, Counter[Hashable]]
_UNNAMED: Final = {"deal_id", "body", "trigger_id", "generation"}
_MOST: Final = 10


def differences(live: Evidence, reference: Evidence, changed: Collection[str]) -> list[str]:
    """What only one of the two runs has; empty when they are equal."""
    found: list[str] = []
    mine, theirs = _books(live, changed), _books(reference, changed)
    for name, rows in mine.items():
        found += _told(name, "only after the kills", rows - theirs[name])
        found += _told(name, "only without kills", theirs[name] - rows)
    return found


def counts(evidence: Evidence) -> dict[str, int]:
    """How much there was to compare."""
    rows = evidence.rows
    return {
        "triggers applied": sum(outcome == "applied" for outcome in evidence.outcomes.values()),
        "deals": len(rows["deals"]),
        "closed deals": sum(deal["state"] == "closed" for deal in rows["deals"]),
        "deals with three or more safety orders": sum(
            deal["safety_orders_filled"] >= 3 for deal in rows["deals"]
        ),
        "fills": len(rows["fills"]),
        "ledger entries": len(rows["ledger"]),
    }


def _told(name: str, where: str, rows: Counter[Hashable]) -> Iterator[str]:
    for row in list(rows)[:_MOST]:
        yield f"{name}, {where}: {row}"
    if len(rows) > _MOST:
        yield f"{name}, {where}: and {len(rows) - _MOST} more"


def _books(evidence: Evidence, changed: Collection[str]) -> Books:
    names = {
        deal["deal_id"]: f"{deal['bot_id']}/{deal['symbol']}@{deal['opened_at_ms']}"
        for deal in evidence.rows["deals"]
    }
    bots = {deal["deal_id"]: deal["bot_id"] for deal in evidence.rows["deals"]}
    books: Books = {"trigger": _triggers(evidence, names, changed)}
    for table, owner in (("deals", None), ("fills", bots), ("ledger", bots)):
        rows: Counter[Hashable] = Counter()
        for row in evidence.rows[table]:
            bot_id = row["bot_id"] if owner is None else owner[row["deal_id"]]
            rows[_frozen(_unnamed(row, names) if bot_id in changed else row)] += 1
        books[table] = rows
    totals = (
        {k: bot[k] for k in ("bot_id", "closed_deals", "realized_profit")} for bot in evidence.rows["bots"]
    )
    books["bots"] = Counter(_frozen(bot) for bot in totals)
    return books


def _triggers(evidence: Evidence, names: Mapping[str, str], changed: Collection[str]) -> Counter[Hashable]:
    """Of each bot that was not changed all distinct records as they stand, of the others those that counted."""
    found: dict[str, Hashable] = {}
    for told, json in evidence.triggers:
        trigger_id, outcome = json["trigger_id"], evidence.outcomes.get(json["trigger_id"])
        if json["bot_id"] not in changed:
            found[trigger_id] = (outcome, told.key, told.value, told.timestamp_ms)
        elif outcome in {"applied", "refused"}:
            group = json["group_id"].rpartition("/")
            plain = json | {"group_id": f"{group[0]}/{names.get(group[2], group[2])}", "outcome": outcome}
            found[trigger_id] = _frozen({k: v for k, v in plain.items() if k not in _UNNAMED})
    return Counter(found.values())


def _unnamed(row: Row, names: Mapping[str, str]) -> Row:
    plain = {k: v for k, v in row.items() if k not in _UNNAMED} | {"deal": names[row["deal_id"]]}
    if plain.get("close_at_ms") and (plain["closed_at_ms"] or plain["close_at_ms"]) < plain["close_at_ms"]:
        # Whether a deal was told to close at an instant that it did not live to see depends on who was first.
        plain["close_at_ms"] = None
    return plain


def _frozen(row: Row) -> str:
    return msgspec.json.encode(row, order="sorted").decode()
