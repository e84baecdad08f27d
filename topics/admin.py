"""Creating topics, and refusing to run on ones that differ from the registry.

Topics are only ever created: partitions never grow in place, and a policy that differs is reported, not
changed.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import TopicMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from topics.connection import KafkaSettings
from topics.spec import TopicSpec

_TIMEOUT_S: Final = 30.0
_LEADERS_S: Final = 120.0
"""Hundreds of partitions take a busy broker their time."""
_LOOK_AGAIN_S: Final = 0.05
_log = logging.getLogger("strikeline.kafka")


class Difference(NamedTuple):
    """How a topic differs from the registry. `setting`: `topic`, `partitions` or a Kafka name."""

    topic: str
    setting: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.actual}, expected {self.expected}"


class TopicsDiffer(Exception):
    """The broker's topics are not the registry's: the process must not start."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        super().__init__("\n".join(map(str, differences)))
        self.differences = tuple(differences)


class AdminFailed(Exception):
    """The broker refused, or did not answer in time."""


class TopicState(NamedTuple):
    """A topic as the broker has it. `topic_id` changes when it is deleted and created again."""

    name: str
    topic_id: str
    partitions: int
    replicas: int
    configs: dict[str, str]


class TopicAdmin:
    """Blocking calls, for start-up and the command line; an event loop runs them in a thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._client = AdminClient(settings.for_confluent(), logger=_log)
        self._replicas = settings.replication_factor

    def names(self) -> list[str]:
        """Names of all topics the broker shows us, internal ones left out, sorted."""
        return sorted(name for name in self._metadata() if not name.startswith("__"))

    def create(self, specs: Iterable[TopicSpec]) -> list[str]:
        """Create the missing ones and wait for their leaders; returns their names. Others stay as is."""
        present = set(self.names())
        missing = [spec for spec in specs if spec.name not in present]
        if not missing:
            return []
        asked = self._client.create_topics([self._new(spec) for spec in missing], request_timeout=_TIMEOUT_S)
        created = [name for name, future in asked.items() if _created(name, future)]
        self._wait_for_leaders([spec.name for spec in missing])
        return created

    def describe(self, names: Sequence[str]) -> dict[str, TopicState]:
        """Those of `names` that exist, with id, partitions, replicas and their topic settings."""
        present = set(self.names())
        names = [name for name in names if name in present]
        if not names:
            return {}
        configs = self._configs(names)
        asked = self._client.describe_topics(TopicCollection(list(names)), request_timeout=_TIMEOUT_S)
        states = {}
        for name, future in asked.items():
            found = _answer(future, f"describe {name}")
            replicas = min(len(partition.replicas) for partition in found.partitions)
            topic_id = str(found.topic_id)
            states[name] = TopicState(name, topic_id, len(found.partitions), replicas, configs[name])
        return states

    def check(self, specs: Iterable[TopicSpec]) -> list[Difference]:
        """Every difference between registry and broker, in the registry's order; none when all is well."""
        specs = list(specs)
        states = self.describe([spec.name for spec in specs])
        return [difference for spec in specs for difference in _differences(spec, states.get(spec.name))]

    def require(self, specs: Iterable[TopicSpec]) -> None:
        """Raise TopicsDiffer unless all of `specs` exist as the registry has them."""
        if differences := self.check(specs):
            raise TopicsDiffer(differences)

    def _new(self, spec: TopicSpec) -> NewTopic:
        configs = dict(spec.configs)
        if self._replicas >= 3:  # one copy may be down, and what was acknowledged is still on two
            configs["min.insync.replicas"] = "2"
        return NewTopic(spec.name, spec.partitions, self._replicas, config=configs)

    def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        found = {}
        for resource, future in self._client.describe_configs(resources).items():
            entries = _answer(future, f"describe {resource.name}")
            found[resource.name] = {name: str(entry.value) for name, entry in entries.items()}
        return found

    def _wait_for_leaders(self, names: Sequence[str]) -> None:
        deadline = time.monotonic() + _LEADERS_S
        while time.monotonic() < deadline:
            found = self._metadata()
            if all(name in found and _has_leaders(found[name]) for name in names):
                return
            time.sleep(_LOOK_AGAIN_S)
        raise AdminFailed(f"no leaders after {_LEADERS_S:.0f} s: {', '.join(names)}")

    def _metadata(self) -> dict[str, TopicMetadata]:
        try:
            return self._client.list_topics(timeout=_TIMEOUT_S).topics
        except KafkaException as error:
            raise AdminFailed(f"list topics: {error.args[0].str()}") from error


def _answer(future: "Future[Any]", what: str) -> Any:
    try:
        return future.result(timeout=_TIMEOUT_S)
    except KafkaException as error:
        raise AdminFailed(f"{what}: {error.args[0].str()}") from error
    except FutureTimeout as error:
        raise AdminFailed(f"{what}: no answer in {_TIMEOUT_S:.0f} s") from error


def _created(name: str, future: "Future[Any]") -> bool:
    try:
        _answer(future, f"create {name}")
    except AdminFailed as failed:
        cause = failed.__cause__
        if isinstance(cause, KafkaException) and cause.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False  # another process was faster
        raise
    return True


def _has_leaders(topic: TopicMetadata) -> bool:
    return bool(topic.partitions) and all(partition.leader >= 0 for partition in topic.partitions.values())


def _differences(spec: TopicSpec, state: TopicState | None) -> list[Difference]:
    if state is None:
        return [Difference(spec.name, "topic", "created", "missing")]
    expected = {"partitions": str(spec.partitions)} | spec.configs
    actual = {"partitions": str(state.partitions)} | state.configs
    return [
        Difference(spec.name, setting, value, actual.get(setting, "not set"))
        for setting, value in expected.items()
        if _canonical(actual.get(setting)) != _canonical(value)
    ]


def _canonical(value: str | None) -> list[str] | None:
    """`delete,compact` and `compact, delete` are one policy."""
    return None if value is None else sorted(item.strip() for item in value.split(","))
