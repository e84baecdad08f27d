"""The local broker as its users see it: it starts, keeps data, and refuses what would harm."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.deadline import DEADLINE_S
from topics.broker.choose import Broker
from topics.broker.errors import AlreadyRunning, BrokerFailed, PortInUse
from topics.broker.local import LocalKafka

pytestmark = pytest.mark.e2e


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalKafka]:
    broker = LocalKafka(tmp_path / "broker")
    yield broker
    broker.stop()


def create_topic(bootstrap: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})  # must outlive its answer
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(timeout=DEADLINE_S)


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value=value)
    assert producer.flush(DEADLINE_S) == 0


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    settings = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    try:
        return [message.value() for message in consumer.consume(count, timeout=DEADLINE_S)]
    finally:
        consumer.close()


def test_a_record_goes_in_and_comes_out(kafka: Broker) -> None:
    create_topic(kafka.bootstrap, "round-trip")
    produce(kafka.bootstrap, "round-trip", b"hello")
    assert consume(kafka.bootstrap, "round-trip", 1) == [b"hello"]


def test_data_and_address_survive_a_crash(local: LocalKafka) -> None:
    address = local.start().bootstrap
    create_topic(address, "kept")
    produce(address, "kept", b"before")
    local.kill()
    assert local.pid is None
    assert local.restart().bootstrap == address
    produce(address, "kept", b"after")
    assert consume(address, "kept", 2) == [b"before", b"after"]


def test_a_second_start_is_refused_while_the_first_runs(local: LocalKafka) -> None:
    local.start()
    other = LocalKafka(local.folder.path)
    assert other.bootstrap == local.bootstrap
    with pytest.raises(AlreadyRunning, match=str(local.pid)):
        other.start()


def test_a_detached_broker_is_found_and_stopped_by_another_object(local: LocalKafka) -> None:
    local.start(detached=True)
    other = LocalKafka(local.folder.path)
    assert other.pid == local.pid
    other.stop()
    assert local.pid is None
    assert not local.folder.pid.exists()


def test_a_port_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            LocalKafka(tmp_path, port=port).start()


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(BrokerFailed, match=r"num\.io\.threads"):
        LocalKafka(tmp_path, settings={"num.io.threads": "none"}).start()


def test_a_missed_deadline_ends_the_process(tmp_path: Path) -> None:
    local = LocalKafka(tmp_path)
    local.start()
    local.kill()
    with pytest.raises(BrokerFailed, match="not ready in time"):
        local.start(deadline=0.1)
    assert local.pid is None


def test_it_listens_on_loopback_only(local: LocalKafka) -> None:
    local.start()
    port = int(local.bootstrap.rpartition(":")[2])
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", port))  # taken, had the broker listened on every address


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(local: LocalKafka) -> None:
    local.start()
    local.kill()
    local.folder.pid.write_text("1\n")
    assert local.pid is None
    local.stop()
