"""A broker in a container, for machines with Docker and without Java."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from topics.broker.errors import BrokerFailed
from topics.broker.ports import HOST

IMAGE: Final = "confluentinc/cp-kafka:7.9.1"
"""testcontainers' start script fits Confluent's images, not apache/kafka."""


@contextmanager
def container(image: str = IMAGE, deadline: int = 120) -> Iterator[str]:
    """Runs one KRaft broker, published on loopback only; gives its address. Raises BrokerFailed."""
    try:
        from docker.errors import DockerException
        from testcontainers.community.kafka import KafkaContainer
    except ImportError as error:
        raise BrokerFailed("testcontainers is not installed") from error
    try:
        kafka: Any = KafkaContainer(image).with_kraft()
    except DockerException as error:
        raise BrokerFailed(f"no Docker daemon answers ({error})") from error
    kafka.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    kafka.ports[str(kafka.port)] = (HOST,)  # a tuple without a port: any free one of this host
    try:
        kafka.start(timeout=deadline)
        yield kafka.get_bootstrap_server()
    except (DockerException, TimeoutError) as error:
        raise BrokerFailed(f"the container did not start: {error}") from error
    finally:
        kafka.stop()
