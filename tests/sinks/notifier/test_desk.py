"""From fired alerts to messages: rates, digests, retries, dead letters, and what counts as done."""

import asyncio
from typing import Any

import msgspec
import pytest

from schemas.events import BotEvent
from sinks.notifier.directory import Limits, User
from sinks.notifier.outlet import Retry
from tests.sinks.notifier.fakes import FakeChannel, Office, fired, settled
from topics.codec import decode, encode


async def test_an_alert_goes_to_every_channel_at_once() -> None:
    one, two = FakeChannel("one"), FakeChannel("two")
    office = Office({"alice": [one, two]})
    office.hear(fired())
    await office.pass_time()
    assert one.taken == two.taken == [("BTCUSDT btc-low", "message 1")]
    assert office.of("alice").offsets.next_offset == 1


async def test_tags_choose_channels() -> None:
    phone, mail, both = FakeChannel("phone"), FakeChannel("mail"), FakeChannel("both")
    office = Office({"alice": [(phone, ["urgent"]), mail, (both, ["urgent", "night"])]})
    office.hear(fired(1, tags=["urgent"]), fired(2, tags=["night", "day"]), fired(3), fired(4, tags=["none"]))
    await office.pass_time()
    assert phone.bodies == ["message 1", "message 3"]
    assert mail.bodies == ["message 3"]
    assert both.bodies == ["message 1", "message 2", "message 3"]
    assert office.dead() == [("NoChannel", "user alice has no channel with one of the tags none")]
    assert office.of("alice").offsets.next_offset == 4


async def test_more_than_the_limit_goes_as_one_digest() -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]}, Limits(messages_per_minute=2, digest_seconds=30))
    office.hear(*(fired(number) for number in range(1, 8)))
    await office.pass_time(29.9)
    assert channel.bodies == ["message 1", "message 2"]
    assert office.of("alice").offsets.next_offset == 2
    await office.pass_time(0.2)
    title, body = channel.taken[2]
    assert title == "5 alerts"
    assert [line.split(": ")[1] for line in body.splitlines()] == [
        f"message {number}" for number in range(3, 8)
    ]
    assert office.of("alice").offsets.next_offset == 7
    await office.pass_time(70)
    office.hear(fired(8))
    await office.pass_time()
    assert channel.bodies[3:] == ["message 8"]


async def test_one_users_limit_is_not_anothers() -> None:
    alice, bob = FakeChannel(), FakeChannel()
    office = Office({"alice": [alice], "bob": [bob]}, Limits(messages_per_minute=1))
    office.hear(*(fired(number, "alice") for number in range(1, 51)), fired(99, "bob"))
    await office.pass_time()
    assert (len(alice.taken), bob.bodies) == (1, ["message 99"])


async def test_a_long_digest_names_the_last_ones_and_counts_the_rest() -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]}, Limits(messages_per_minute=0))
    office.hear(*(fired(number, alert_id=f"a-{number % 2}") for number in range(1, 101)))
    await office.pass_time(60)
    ((title, body),) = channel.taken
    lines = body.splitlines()
    assert title == "100 alerts"
    assert lines[0] == "80 alerts before these: a-0 40×, a-1 40×"
    assert len(lines) == 21
    assert lines[-1].endswith("a-0: message 100")


@pytest.mark.parametrize("limit, after_s", [(1, 10), (0, 3_600)])
async def test_a_full_digest_waits_less_where_the_limit_has_room(limit: int, after_s: int) -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]}, Limits(messages_per_minute=limit, digest_seconds=3_600))
    office.hear(*(fired(number, age_minutes=300) for number in range(1, 1_001)))
    await office.pass_time(after_s - 0.1)
    assert channel.taken == []
    await office.pass_time(0.1)
    assert [title for title, _ in channel.taken] == ["1,000 alerts"]


@pytest.mark.parametrize(
    "policy, told",
    [
        (
            "summary",
            ["message 1", "2 older alerts, 2027-01-15 04:00 UTC to 2027-01-15 06:59 UTC: btc-low 2×"],
        ),
        ("drop", ["message 1"]),
        ("send", ["message 1", "message 2", "message 3"]),
    ],
)
async def test_old_alerts(policy: str, told: list[str]) -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]}, msgspec.convert({"old_alerts": policy}, Limits))
    office.hear(fired(1, age_minutes=60), fired(2, age_minutes=240), fired(3, age_minutes=61))
    await office.pass_time()
    await office.pass_time(60)
    assert channel.bodies == told
    assert office.of("alice").offsets.next_offset == 3
    assert office.counted("records", outcome="dropped_old") == (2 if policy == "drop" else 0)


async def test_after_an_outage_there_is_no_flood() -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]})
    for second in range(60):
        office.hear(*(fired(second * 200 + number, age_minutes=500) for number in range(1, 201)))
        await office.pass_time(1)
    assert len(channel.taken) <= 6
    assert sum(int(title.split()[0].replace(",", "")) for title, _ in channel.taken) > 9_000


async def test_a_failure_is_tried_again() -> None:
    channel = FakeChannel(fails=2)
    office = Office({"alice": [channel]})
    office.hear(fired())
    await office.pass_time()
    assert (channel.attempts, channel.bodies) == (3, ["message 1"])
    assert office.dead() == []
    assert office.counted("retries", scheme="fake") == 2


async def test_what_fails_for_good_is_a_dead_letter_and_an_event() -> None:
    broken, works = FakeChannel("broken", fails=99), FakeChannel("works")
    office = Office({"alice": [broken, works]})
    office.hear(fired())
    await office.pass_time()
    assert works.bodies == ["message 1"]
    assert broken.attempts == 3
    assert office.dead() == [("Undelivered", "channel broken: out of order (3 attempts)")]
    (record,) = office.bus.records(office.topics.events.name)
    event = decode(record, office.topics.events)
    assert isinstance(event, BotEvent)
    assert (event.event, event.alert_id, event.user_id) == ("undelivered", "btc-low", "alice")
    assert (event.event_id, event.reason) == (
        "btc-low:7:1:undelivered:broken",
        "channel broken: out of order (3 attempts)",
    )
    assert office.of("alice").offsets.next_offset == 1


async def test_what_cannot_succeed_is_not_tried_again() -> None:
    channel = FakeChannel(fails=1, again=False)
    office = Office({"alice": [channel]})
    office.hear(fired())
    await office.pass_time()
    assert (channel.attempts, len(office.dead())) == (1, 1)


async def test_a_channel_that_hangs_holds_up_nobody() -> None:
    hangs, works, bobs = FakeChannel("hangs"), FakeChannel("works"), FakeChannel("bobs")
    hangs.blocked = asyncio.Event()
    office = Office({"alice": [hangs, works], "bob": [bobs]}, Limits(messages_per_minute=100))
    office.hear(
        *(fired(number, "alice") for number in range(1, 11)),
        *(fired(number, "bob") for number in range(1, 11)),
    )
    await settled(lambda: len(works.taken) + len(bobs.taken) == 20)
    assert office.of("alice").offsets.open >= 10
    hangs.blocked.set()
    await office.pass_time()
    assert hangs.bodies == [f"message {number}" for number in range(1, 11)]
    assert office.of("alice").offsets.open == 0


async def test_what_piles_up_behind_a_failure_is_one_digest() -> None:
    fails, works = FakeChannel("fails", fails=2), FakeChannel("works")
    office = Office({"alice": [fails, works]}, Limits(messages_per_minute=100))
    office.hear(*(fired(number) for number in range(1, 11)))
    await office.pass_time()
    assert [title for title, _ in fails.taken] == ["BTCUSDT btc-low", *["BTCUSDT btc-low"] * 9]
    assert len(works.taken) == 10
    fails.fails = 3
    office.hear(*(fired(number) for number in range(11, 16)))
    await office.pass_time()
    assert [title for title, _ in fails.taken[10:]] == ["4 alerts"]
    assert [reason for _, reason in office.dead()] == ["channel fails: out of order (3 attempts)"]


async def test_what_piles_up_has_an_end() -> None:
    hangs = FakeChannel()
    hangs.blocked = asyncio.Event()
    office = Office({"alice": [hangs]}, Limits(messages_per_minute=600), Retry(1, 0.0, most=5))
    office.hear(*(fired(number) for number in range(1, 10)))
    assert office.dead() == [("Undelivered", "channel one: 5 alerts wait for it already")] * 4
    hangs.blocked.set()
    await office.pass_time()


async def test_a_repeat_is_told_once() -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]})
    office.hear(fired(), fired())
    await office.pass_time()
    office.hear(fired())
    await office.pass_time()
    assert channel.bodies == ["message 1"]
    assert office.of("alice").offsets.next_offset == 3
    assert office.counted("records", outcome="repeated") == 2


async def test_the_same_id_may_be_of_two_users_and_of_two_symbols() -> None:
    frank, heidi = FakeChannel(), FakeChannel()
    office = Office({"frank": [frank], "heidi": [heidi]})
    assert office.of("frank") is office.of("heidi"), "one partition"
    office.hear(fired(user="frank"), fired(user="heidi"), fired(user="frank", symbol="ETHUSDT"))
    await office.pass_time()
    assert (len(frank.taken), len(heidi.taken)) == (2, 1)


async def test_a_resent_dead_letter_goes_only_where_it_failed() -> None:
    failed, works = FakeChannel("failed", fails=3), FakeChannel("works")
    office = Office({"alice": [failed, works]})
    office.hear(fired())
    await office.pass_time()
    office.hear(fired())
    await office.pass_time()
    assert (failed.bodies, works.bodies) == (["message 1"], ["message 1"])


async def test_users_without_channels_are_counted() -> None:
    office = Office({"alice": [FakeChannel()]})
    office.hear(fired(user="carol"))
    await office.pass_time()
    assert office.counted("records", outcome="no_channel") == 1
    assert (office.dead(), office.of("carol").offsets.next_offset) == ([], 1)


@pytest.mark.parametrize(
    "key, value, error_class",
    [
        (b"alice", b"{", "NotJson"), (b"alice", None, "NullValue"), (b"alice", b'{"type":"trigger"}', "Invalid"),
        (b"alice", b"\xff", "NotUtf8"), (b"bob", encode(fired()), "BadKey"), (None, encode(fired()), "BadKey"),
        (b"alice", b'"' + b"x" * 2_000_000, "TooLarge"),
    ],
)  # fmt: skip
async def test_garbage_is_dead_lettered(key: bytes | None, value: bytes | None, error_class: str) -> None:
    channel = FakeChannel()
    office = Office({"alice": [channel]})
    record = office.receive(key, value)
    await office.pass_time()
    assert [found for found, _ in office.dead()] == [error_class]
    assert office.desk(record.partition).offsets.next_offset == 1
    assert channel.taken == []


async def test_a_record_on_which_something_unforeseen_happens_is_set_aside() -> None:
    class Broken(dict[str, User]):
        def get(self, key: object, default: object = None) -> Any:
            raise KeyError(key)

    office = Office({"alice": [FakeChannel()]})
    office.setting = office.setting._replace(directory=Broken())
    office.hear(fired())
    assert office.dead() == [("Poison", "KeyError: 'alice'")]
    assert office.of("alice").offsets.next_offset == 1


async def test_another_partitioners_record_is_refused() -> None:
    office = Office({"alice": [channel := FakeChannel()]})
    home = office.of("alice").partition
    office.receive(b"alice", encode(fired()), (home + 1) % 4)
    await office.pass_time()
    assert [found for found, _ in office.dead()] == ["WrongPartition"]
    assert channel.taken == []


async def test_a_partition_that_goes_finishes_what_is_being_sent_and_begins_nothing() -> None:
    channel, broken = FakeChannel("one"), FakeChannel("two", fails=9)
    channel.blocked = asyncio.Event()
    broken.blocked = channel.blocked
    office = Office({"alice": [channel, broken]}, Limits(messages_per_minute=2))
    office.hear(fired(1), fired(2), fired(3))
    desk = office.of("alice")
    await settled(lambda: channel.attempts == broken.attempts == 1)
    ending = asyncio.ensure_future(desk.end(5.0))
    await asyncio.sleep(0)
    channel.blocked.set()
    await ending
    await office.pass_time(120)
    assert (channel.bodies, broken.attempts) == (["message 1"], 1)
    assert desk.offsets.next_offset == 0
    assert office.dead() == []


async def test_a_partition_that_goes_waits_for_no_channel_that_hangs() -> None:
    channel = FakeChannel()
    channel.blocked = asyncio.Event()
    office = Office({"alice": [channel]})
    office.hear(fired(1))
    await settled(lambda: channel.attempts == 1)
    await office.of("alice").end(0.01)
    channel.blocked.set()
    await office.pass_time()
    assert channel.bodies == []
