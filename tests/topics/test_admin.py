"""Topics on a real broker: created once, never grown, and refused where they differ."""

import dataclasses
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.deadline import DEADLINE_S
from topics.admin import AdminFailed, Difference, TopicAdmin, TopicsDiffer
from topics.broker.choose import Broker
from topics.connection import KafkaSettings
from topics.registry import Topics

pytestmark = pytest.mark.e2e


@pytest.fixture
def topics() -> Topics:
    return Topics(f"t{uuid4().hex[:12]}", partitions=2)


@pytest.fixture
def admin(kafka: Broker) -> TopicAdmin:
    return TopicAdmin(KafkaSettings(bootstrap=kafka.bootstrap))


def ours(admin: TopicAdmin, topics: Topics) -> list[str]:
    return [name for name in admin.names() if name.startswith(f"{topics.namespace}.")]


def test_topics_are_created_as_the_registry_has_them(admin: TopicAdmin, topics: Topics) -> None:
    wanted = [spec.name for spec in topics.all()]
    assert sorted(admin.create(topics.all())) == sorted(wanted)
    assert ours(admin, topics) == sorted(wanted)
    assert admin.check(topics.all()) == []
    admin.require(topics.all())
    states = admin.describe(wanted)
    for spec in topics.all():
        assert (states[spec.name].partitions, states[spec.name].replicas) == (2, 1)
        assert states[spec.name].configs.items() >= spec.configs.items()


def test_creating_again_creates_nothing(admin: TopicAdmin, topics: Topics) -> None:
    admin.create([topics.klines])
    before = admin.describe([topics.klines.name])
    assert admin.create([topics.klines]) == []
    assert admin.describe([topics.klines.name]) == before


def test_missing_topics_are_differences(admin: TopicAdmin, topics: Topics) -> None:
    admin.create([topics.klines])
    (missing,) = admin.check([topics.klines, topics.alerts])
    assert missing == Difference(topics.alerts.name, "topic", "created", "missing")
    with pytest.raises(TopicsDiffer, match=f"{topics.alerts.name}: topic is missing, expected created"):
        admin.require([topics.klines, topics.alerts])


def test_every_difference_is_reported_and_creation_repairs_none(admin: TopicAdmin, topics: Topics) -> None:
    admin.create([topics.klines, topics.configs])
    klines = dataclasses.replace(
        topics.klines, partitions=3, configs=topics.klines.configs | {"retention.ms": "1"}
    )
    configs = dataclasses.replace(topics.configs, configs={"cleanup.policy": "delete", "segment.ms": "7"})
    expected = [
        Difference(klines.name, "partitions", "3", "2"),
        Difference(klines.name, "retention.ms", "1", "2592000000"),
        Difference(configs.name, "cleanup.policy", "delete", "compact"),
        Difference(configs.name, "segment.ms", "7", "604800000"),
    ]
    assert admin.check([klines, configs]) == expected
    assert admin.create([klines, configs]) == []
    with pytest.raises(TopicsDiffer) as refused:
        admin.require([klines, configs])
    assert list(refused.value.differences) == expected
    assert "partitions is 2, expected 3" in str(refused.value)


def test_an_order_of_policies_is_no_difference(kafka: Broker, admin: TopicAdmin, topics: Topics) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    both = NewTopic(topics.klines.name, 2, 1, config={"cleanup.policy": "delete,compact"})
    client.create_topics([both])[topics.klines.name].result(timeout=DEADLINE_S)
    spec = dataclasses.replace(topics.klines, configs={"cleanup.policy": "compact, delete"})
    assert admin.check([spec]) == []


def test_a_topic_created_anew_has_another_id(kafka: Broker, admin: TopicAdmin, topics: Topics) -> None:
    name = topics.klines.name
    admin.create([topics.klines])
    first = admin.describe([name])[name].topic_id
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    client.delete_topics([name])[name].result(timeout=DEADLINE_S)
    wait_until(lambda: name not in admin.names())
    admin.create([topics.klines])
    assert admin.describe([name])[name].topic_id != first


def test_a_topic_that_cannot_be_created_is_an_error(admin: TopicAdmin, topics: Topics) -> None:
    broken = dataclasses.replace(topics.klines, configs={"cleanup.policy": "burn"})
    with pytest.raises(AdminFailed, match=f"create {broken.name}"):
        admin.create([broken])
    assert ours(admin, topics) == []


def test_more_copies_than_brokers_are_refused(kafka: Broker, topics: Topics) -> None:
    three = TopicAdmin(KafkaSettings(bootstrap=kafka.bootstrap, replication_factor=3))
    with pytest.raises(AdminFailed, match=r"[Rr]eplication"):
        three.create([topics.klines])


def wait_until(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
