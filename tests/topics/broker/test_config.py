"""The text that a local broker reads."""

from pathlib import Path

from topics.broker.config import server_properties


def parsed(extra: dict[str, str] | None = None) -> dict[str, str]:
    text = server_properties(Path("/data"), 20_001, 20_002, extra)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_address_is_loopback() -> None:
    addresses = [value for value in parsed().values() if "://" in value or "@" in value]
    assert len(addresses) == 3
    for value in addresses:
        for address in value.split(","):
            assert address.split("//")[-1].split("@")[-1].startswith("127.0.0.1:2000")


def test_topics_are_never_made_by_accident() -> None:
    assert parsed()["auto.create.topics.enable"] == "false"


def test_internal_topics_need_one_broker() -> None:
    factors = {name: value for name, value in parsed().items() if name.endswith("replication.factor")}
    assert len(factors) == 4
    assert set(factors.values()) == {"1"}


def test_a_setting_can_be_overridden_but_not_the_address() -> None:
    changed = parsed({"offsets.topic.num.partitions": "7", "listeners": "PLAINTEXT://0.0.0.0:9092"})
    assert changed["offsets.topic.num.partitions"] == "7"
    assert changed["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
