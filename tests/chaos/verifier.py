"""What must hold whatever was killed: none lost, none doubled. Judged from topics and tables alone.

It does not import the engine, nor anything else that decided what it judges: a mistake made there must not be
repeated here. Each check yields one sentence per thing that is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from typing import Any, Final

from tests.chaos.evidence import Evidence, Told

Check = Callable[[Evidence], Iterator[str]]
_DECIDED: Final = {"applied", "refused"}
_MOST: Final = 20
"""Complaints of one check that are kept."""


def verify(evidence: Evidence) -> list[str]:
    """Everything that is wrong; empty when all is well."""
    found: list[str] = []
    with localcontext() as context:
        context.prec = 200
        for check in CHECKS:
            complaints = [f"{check.__name__}: {complaint}" for complaint in check(evidence)]
            found += complaints[:_MOST]
            if len(complaints) > _MOST:
                found.append(f"{check.__name__}: and {len(complaints) - _MOST} more")
    return found


def repeats_are_identical(evidence: Evidence) -> Iterator[str]:
    """A trigger, a command, a snapshot or an event of the executor that is told again is the same, byte for byte.

    The evaluator stamps some events with the event time at which it told them: of those a repeat says the same of the
    same subject.
    """
    for short, identity in (("triggers", _trigger_id), ("alerts", _command_id), ("events", _event_id)):
        first: dict[str, Told] = {}
        for told in evidence.told[short]:
            name = identity(told.said)
            same = first.setdefault(name, told)
            if same._replace(offset=0) != told._replace(offset=0) and not _restamped(same, told):
                yield f"{short}[{told.partition}]@{told.offset}: {name} differs from @{same.offset}"


def _restamped(one: Told, other: Told) -> bool:
    if b"strikeline-evaluator" not in dict(one.headers).values():
        return False
    stamped = {"at_ms", "reason", "detail"}
    said = ({k: v for k, v in told.said.items() if k not in stamped} for told in (one, other))
    return one.key == other.key and one.said.get("type") == "event" and next(said) == next(said)


def no_record_is_lost(evidence: Evidence) -> Iterator[str]:
    """Every config and trigger has its row in the inbox, with a reason where it was not applied."""
    for short in ("configs", "triggers"):
        name = evidence.names[short]
        for told in evidence.told[short]:
            row = evidence.inbox.get((name, told.partition, told.offset))
            if row is None:
                yield f"{name}[{told.partition}]@{told.offset} was never applied"
            elif row["outcome"] in {"ignored", "refused", "rejected", "dead"} and not row["reason"]:
                yield f"{name}[{told.partition}]@{told.offset} was {row['outcome']} without a reason"
            elif row["outcome"] in {"dead", "rejected"}:
                yield f"{name}[{told.partition}]@{told.offset} was {row['outcome']}: {row['reason']}"


def offsets_are_at_the_end(evidence: Evidence) -> Iterator[str]:
    """The database stands where the topics end, and has no row of a record that is not there."""
    ends: dict[tuple[str, int], int] = {}
    for short in ("configs", "triggers"):
        for told in evidence.told[short]:
            ends[evidence.names[short], told.partition] = told.offset + 1
    for row in evidence.rows["offsets"]:
        end = ends.pop((row["topic"], row["partition"]), 0)
        if row["next_offset"] != end:
            yield f"{row['topic']}[{row['partition']}] is applied up to {row['next_offset']}, its end is {end}"
    for (topic, partition), end in ends.items():
        yield f"{topic}[{partition}] has {end} records and was never applied"


def each_trigger_counts_once(evidence: Evidence) -> Iterator[str]:
    """Each distinct trigger has exactly one row that counts; repeats are ignored as such."""
    told = {json["trigger_id"] for _, json in evidence.triggers}
    counted = Counter(row["trigger_id"] for row in evidence.rows["inbox"] if row["trigger_id"])
    for trigger_id in told - counted.keys():
        yield f"{trigger_id} was told and never counted"
    for trigger_id in counted.keys() - told:
        yield f"{trigger_id} counted and was never told"
    for trigger_id, times in counted.items():
        if times > 1:
            yield f"{trigger_id} counted {times} times"


def a_generation_fires_once(evidence: Evidence) -> Iterator[str]:
    """A group fires once per generation, then waits for its answer."""
    fired: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for _, json in evidence.triggers:
        fired[json["group_id"], json["generation"]].add(json["trigger_id"])
    for (group_id, generation), ids in fired.items():
        if len(ids) > 1:
            yield f"{group_id} generation {generation} fired {len(ids)} times: {sorted(ids)[:3]}"


def fills_are_not_doubled(evidence: Evidence) -> Iterator[str]:
    """One fill per level of a deal, numbered without a hole, each caused by a trigger that was applied."""
    seen = Counter((fill["deal_id"], fill["level"]) for fill in evidence.rows["fills"])
    for (deal_id, level), times in seen.items():
        if times > 1:
            yield f"{deal_id} {level} was filled {times} times"
    for fill in evidence.rows["fills"]:
        if evidence.outcomes.get(fill["trigger_id"]) != "applied":
            yield f"{fill['deal_id']} {fill['level']} was filled by {fill['trigger_id']}, which was not applied"
    by_deal = _by(evidence.rows["fills"], "deal_id")
    for deal in evidence.rows["deals"]:
        places = sorted(fill["position"] for fill in by_deal[deal["deal_id"]])
        if places != list(range(1, deal["fills"] + 1)):
            yield f"{deal['deal_id']} has {deal['fills']} fills at {places}"


def the_ledger_adds_up(evidence: Evidence) -> Iterator[str]:
    """Ledger = fills = deals: what a deal holds and earned is the sum of what was booked."""
    entries = _by(evidence.rows["ledger"], "deal_id")
    for fill in evidence.rows["fills"]:
        sign = 1 if fill["side"] == "buy" else -1
        base, quote = sign * Decimal(fill["quantity"]), -sign * Decimal(fill["quote"])
        expected = {"base": base, "quote": quote, "fee": -Decimal(fill["fee"])}
        key = (fill["level"], fill["generation"])
        booked = {
            entry["account"]: Decimal(entry["amount"])
            for entry in entries[fill["deal_id"]]
            if (entry["level"], entry["generation"]) == key
        }
        if booked != expected:
            yield f"{fill['deal_id']} {fill['level']}: booked {booked}, filled {expected}"
    for deal in evidence.rows["deals"]:
        yield from _deal_adds_up(deal, entries[deal["deal_id"]])


def _deal_adds_up(deal: dict[str, Any], entries: list[dict[str, Any]]) -> Iterator[str]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry["account"]] += Decimal(entry["amount"])
    held = abs(sums["base"])
    if held != Decimal(deal["quantity"]):
        yield f"{deal['deal_id']} says it holds {deal['quantity']}, its ledger {held}"
    if deal["state"] == "closed":
        if held:
            yield f"{deal['deal_id']} is closed and holds {held}"
        earned = sums["quote"] + sums["fee"]
        if earned != Decimal(deal["profit"]):
            yield f"{deal['deal_id']} says it earned {deal['profit']}, its ledger {earned}"


def bots_add_up(evidence: Evidence) -> Iterator[str]:
    """A bot's totals are those of its closed deals, and its last snapshot shows them."""
    deals = _by(evidence.rows["deals"], "bot_id")
    shown = {json["bot_id"]: json for told in evidence.told["positions"] if (json := told.said)}
    for bot in evidence.rows["bots"]:
        closed = [deal for deal in deals[bot["bot_id"]] if deal["state"] == "closed"]
        profit = sum((Decimal(deal["profit"]) for deal in closed), Decimal())
        if (len(closed), profit) != (bot["closed_deals"], Decimal(bot["realized_profit"])):
            yield f"{bot['bot_id']} counts {bot['closed_deals']} deals and {bot['realized_profit']}, not {profit}"
        last = shown.get(bot["bot_id"], {})
        open_ = sorted(deal["deal_id"] for deal in deals[bot["bot_id"]] if deal["state"] == "open")
        seen = sorted(deal["deal_id"] for deal in last.get("open_deals", []))
        told = (last.get("closed_deals", 0), Decimal(last.get("realized_profit", "0")), seen)
        if told != (len(closed), profit, open_):
            yield f"{bot['bot_id']}: its last snapshot shows {told}, not {(len(closed), profit, open_)}"


def generations_only_grow(evidence: Evidence) -> Iterator[str]:
    """First tellings of a pair's commands come in order of generation, up to the database's counter."""
    newest: dict[tuple[str, str], int] = {}
    told_before: set[str] = set()
    for told in evidence.told["alerts"]:
        json = told.said
        name = _command_id(json)
        if name in told_before:
            continue
        told_before.add(name)
        pair = (json["bot_id"], json["symbol"])
        if json["generation"] <= newest.get(pair, 0):
            yield f"{name} came after generation {newest[pair]} of its pair"
        newest[pair] = json["generation"]
    for row in evidence.rows["pairs"]:
        if newest.get((row["bot_id"], row["symbol"]), 0) != row["generation"]:
            yield f"{row['bot_id']}/{row['symbol']}: the counter is {row['generation']}, told {newest}"


def every_trigger_is_answered(evidence: Evidence) -> Iterator[str]:
    """Behind each trigger that was decided stands a newer command; what the database armed was told."""
    newest: defaultdict[str, int] = defaultdict(int)
    told: dict[tuple[str, int], str] = {}
    for record in evidence.told["alerts"]:
        json = record.said
        newest[json["group_id"]] = max(newest[json["group_id"]], json["generation"])
        told[json["group_id"], json["generation"]] = json["op"]
    for _, json in evidence.triggers:
        decided = evidence.outcomes.get(json["trigger_id"]) in _DECIDED
        if decided and newest[json["group_id"]] <= json["generation"]:
            yield f"{json['trigger_id']} was never answered"
    for row in evidence.rows["groups"]:
        op = "arm" if row["state"] == "armed" else "remove"
        if told.get((row["group_id"], row["generation"])) != op:
            yield f"{row['group_id']} generation {row['generation']} is {row['state']} and was not told so"


def fills_were_told(evidence: Evidence) -> Iterator[str]:
    """Fills and the events about them are one to one."""
    told = {
        (json["deal_id"], json["detail"]["level"])
        for record in evidence.told["events"]
        if (json := record.said).get("event") == "filled"
    }
    booked = {(fill["deal_id"], fill["level"]) for fill in evidence.rows["fills"]}
    for deal_id, level in sorted(booked ^ told):
        yield f"{deal_id} {level} was {'booked and not told' if (deal_id, level) in booked else 'told and not booked'}"


def nothing_is_left(evidence: Evidence) -> Iterator[str]:
    """No dead letters, no outbox, no bars that a group could not see any more, nothing that the reconciler found."""
    for name, count in evidence.dead.items():
        if count:
            yield f"{name} holds {count} records"
    if evidence.rows["outbox"]:
        yield f"the outbox holds {len(evidence.rows['outbox'])} rows"
    for record in evidence.told["events"]:
        json = record.said
        if json["event"] in {"armed_late", "rejected", "late", "restated", "difference"}:
            yield f"event {json['event']} of {json['subject']}: {json.get('reason')} {json.get('detail')}"


CHECKS: Final[tuple[Check, ...]] = (
    repeats_are_identical, no_record_is_lost, offsets_are_at_the_end, each_trigger_counts_once,
    a_generation_fires_once, fills_are_not_doubled, the_ledger_adds_up, bots_add_up, generations_only_grow,
    every_trigger_is_answered, fills_were_told, nothing_is_left,
)  # fmt: skip


def _trigger_id(json: dict[str, Any]) -> str:
    if json.get("type") == "trigger":
        return str(json["trigger_id"])
    return f"stale {json['group_id']}:{json['stale_generation']}:{json['generation']}"


def _command_id(json: dict[str, Any]) -> str:
    return f"{json['group_id']}:{json['generation']}"


def _event_id(json: dict[str, Any]) -> str:
    return str(json["event_id"])


def _by(rows: list[dict[str, Any]], column: str) -> defaultdict[Any, list[dict[str, Any]]]:
    found: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found
