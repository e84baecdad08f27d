"""The verifier sees what it is there to see: each way of losing or doubling something is one complaint at least."""

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from tests.chaos import verifier
from tests.chaos.equality import differences
from tests.chaos.evidence import Evidence, Told

Books = dict[str, Any]

ENTRY, DEAL = "b/X/entry", "b/X/d1"


def trigger(group_id: str, generation: int, bar: int) -> dict[str, Any]:
    name = f"{group_id}:{generation}:{bar}:1"
    return {
        "type": "trigger",
        "trigger_id": name,
        "group_id": group_id,
        "generation": generation,
        "bot_id": "b",
        "symbol": "X",
    }


def command(group_id: str, generation: int, op: str = "arm") -> dict[str, Any]:
    return {
        "type": "group_command",
        "group_id": group_id,
        "generation": generation,
        "op": op,
        "bot_id": "b",
        "symbol": "X",
    }


def filled(level: str) -> dict[str, Any]:
    return {
        "type": "event", "event_id": f"d1:{level}", "event": "filled", "subject": "b", "deal_id": "d1",
        "detail": {"level": level},
    }  # fmt: skip


def fill(level: str, generation: int, position: int, side: str, quote: str) -> dict[str, Any]:
    cause = f"{ENTRY}:1:60:1" if level == "base" else f"{DEAL}:2:120:1"
    return {
        "deal_id": "d1", "level": level, "generation": generation, "position": position, "trigger_id": cause,
        "at_ms": 120, "side": side, "price": quote, "quantity": "1", "quote": quote, "fee": "0.1",
    }  # fmt: skip


def booked(level: str, generation: int, base: str, quote: str) -> list[dict[str, Any]]:
    amounts = {"base": base, "quote": quote, "fee": "-0.1"}
    key = {"deal_id": "d1", "level": level, "generation": generation}
    return [key | {"account": account, "amount": amount} for account, amount in amounts.items()]


def inbox(offset: int, group_id: str, generation: int, bar: int) -> dict[str, Any]:
    return {
        "topic": "triggers", "partition": 0, "source_offset": offset, "kind": "trigger", "outcome": "applied",
        "trigger_id": f"{group_id}:{generation}:{bar}:1", "reason": "",
    }  # fmt: skip


def sound() -> Books:
    """A bot that bought at 100 and sold at 102."""
    return {
        "configs": [{"type": "bot_config", "bot_id": "b"}],
        "alerts": [command(ENTRY, 1), command(DEAL, 2), command(DEAL, 3, "remove"), command(ENTRY, 4)],
        "triggers": [trigger(ENTRY, 1, 60), trigger(DEAL, 2, 120)],
        "events": [filled("base"), filled("tp_1")],
        "positions": [{"bot_id": "b", "closed_deals": 1, "realized_profit": "1.8", "open_deals": []}],
        "rows": {
            "bots": [{"bot_id": "b", "closed_deals": 1, "realized_profit": "1.8"}],
            "configs": [],
            "pairs": [{"bot_id": "b", "symbol": "X", "generation": 4}],
            "groups": [
                {"group_id": ENTRY, "generation": 4, "state": "armed"},
                {"group_id": DEAL, "generation": 3, "state": "removed"},
            ],
            "deals": [
                {
                    "deal_id": "d1", "bot_id": "b", "symbol": "X", "opened_at_ms": 60, "state": "closed",
                    "quantity": "0", "profit": "1.8", "fills": 2, "safety_orders_filled": 0, "close_at_ms": None,
                    "closed_at_ms": 120,
                }
            ],
            "fills": [fill("base", 1, 1, "buy", "100"), fill("tp_1", 2, 2, "sell", "102")],
            "ledger": [*booked("base", 1, "1", "-100"), *booked("tp_1", 2, "-1", "102")],
            "inbox": [
                {
                    "topic": "configs", "partition": 0, "source_offset": 0, "kind": "config", "outcome": "accepted",
                    "trigger_id": None, "reason": "",
                },
                inbox(0, ENTRY, 1, 60),
                inbox(1, DEAL, 2, 120),
            ],
            "outbox": [],
            "offsets": [
                {"topic": "configs", "partition": 0, "next_offset": 1},
                {"topic": "triggers", "partition": 0, "next_offset": 2},
            ],
        },
    }  # fmt: skip


def evidence(books: Books, dead: int = 0) -> Evidence:
    told = {
        short: [
            Told(0, offset, 1, b"b", msgspec.json.encode(said)) for offset, said in enumerate(books[short])
        ]
        for short in ("configs", "alerts", "triggers", "events", "positions")
    }
    return Evidence(told, books["rows"], dead={"configs.dlq": dead})


def lose_a_trigger(books: Books) -> None:
    del books["rows"]["inbox"][1]


def lose_a_config(books: Books) -> None:
    del books["rows"]["inbox"][0]


def count_a_trigger_twice(books: Books) -> None:
    books["rows"]["inbox"].append(books["rows"]["inbox"][1] | {"source_offset": 7})


def repeat_a_trigger_with_a_difference(books: Books) -> None:
    books["triggers"].append(books["triggers"][0] | {"values": {"close": 1.0}})
    books["rows"]["inbox"].append(
        inbox(2, "-", 1, 1) | {"trigger_id": None, "outcome": "ignored", "reason": "again"}
    )
    books["rows"]["offsets"][1]["next_offset"] = 3


def fire_a_generation_twice(books: Books) -> None:
    books["triggers"].append(trigger(ENTRY, 1, 180))
    books["rows"]["inbox"].append(inbox(2, ENTRY, 1, 180))
    books["rows"]["offsets"][1]["next_offset"] = 3


def ignore_without_a_reason(books: Books) -> None:
    books["rows"]["inbox"][1]["outcome"] = "ignored"


def stand_before_the_end(books: Books) -> None:
    books["rows"]["offsets"][1]["next_offset"] = 1


def double_a_fill(books: Books) -> None:
    books["rows"]["fills"].append(fill("base", 2, 3, "buy", "100"))


def book_another_amount(books: Books) -> None:
    books["rows"]["ledger"][1]["amount"] = "-101"


def hold_something_when_closed(books: Books) -> None:
    books["rows"]["deals"][0]["quantity"] = "1"


def earn_another_profit(books: Books) -> None:
    books["rows"]["deals"][0]["profit"] = "2"


def show_another_position(books: Books) -> None:
    books["positions"][0]["closed_deals"] = 0


def go_back_a_generation(books: Books) -> None:
    books["alerts"].insert(0, command(ENTRY, 3))


def leave_a_trigger_unanswered(books: Books) -> None:
    books["alerts"] = [c for c in books["alerts"] if c["group_id"] != DEAL or c["generation"] != 3]


def arm_and_not_tell(books: Books) -> None:
    books["alerts"].pop()


def fill_and_not_tell(books: Books) -> None:
    books["events"].pop()


def leave_something_in_the_outbox(books: Books) -> None:
    books["rows"]["outbox"].append({"id": 1})


WRONGS = [
    lose_a_trigger, lose_a_config, count_a_trigger_twice, repeat_a_trigger_with_a_difference, fire_a_generation_twice,
    ignore_without_a_reason, stand_before_the_end, double_a_fill, book_another_amount, hold_something_when_closed,
    earn_another_profit, show_another_position, go_back_a_generation, leave_a_trigger_unanswered, arm_and_not_tell,
    fill_and_not_tell, leave_something_in_the_outbox,
]  # fmt: skip


def test_a_sound_run_has_no_complaints() -> None:
    assert verifier.verify(evidence(sound())) == []


@pytest.mark.parametrize("spoil", WRONGS, ids=lambda spoil: spoil.__name__)
def test_each_wrong_is_seen(spoil: Callable[[Books], None]) -> None:
    books = sound()
    spoil(books)
    assert verifier.verify(evidence(books)) != []


def test_a_dead_letter_is_seen() -> None:
    assert verifier.verify(evidence(sound(), dead=1)) == ["nothing_is_left: configs.dlq holds 1 records"]


def test_runs_are_equal_to_themselves_and_to_nothing_else() -> None:
    one, other = sound(), deepcopy(sound())
    assert differences(evidence(one), evidence(other), {}) == []
    other["rows"]["fills"][1]["price"] = "101"
    assert len(differences(evidence(one), evidence(other), {})) == 2
    missing = deepcopy(one)
    missing["triggers"].pop()
    assert len(differences(evidence(missing), evidence(one), {})) == 1


def test_generations_are_compared_only_of_bots_that_nobody_changed() -> None:
    one, other = sound(), deepcopy(sound())
    shifted = f"{DEAL}:5:120:1"
    other["triggers"][1] |= {"generation": 5, "trigger_id": shifted}
    other["rows"]["inbox"][2]["trigger_id"] = shifted
    for row in (other["rows"]["fills"][1], *other["rows"]["ledger"][3:]):
        row["generation"] = 5
    other["rows"]["fills"][1]["trigger_id"] = shifted
    assert differences(evidence(one), evidence(other), {}) != []
    assert differences(evidence(one), evidence(other), {"b"}) == []


def test_it_judges_without_the_engine() -> None:
    rooms = "{'streams', 'sinks'}"
    look = f"import sys, tests.chaos.verifier; print(*(m for m in sys.modules if m.split('.')[0] in {rooms}))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
