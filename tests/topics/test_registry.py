"""The registry is the design's table of topics, and Faust agrees with it about changelogs."""

import dataclasses

import faust
import msgspec
import pytest

from topics.registry import TABLES, Topics
from topics.spec import DAY_MS, TopicSpec

TOPICS = Topics()


def row(spec: TopicSpec) -> tuple[object, ...]:
    days = {
        name: int(value) / DAY_MS
        for name, value in spec.configs.items()
        if name.endswith(("retention.ms", "lag.ms"))
    }
    return spec.name, spec.key, [value.__name__ for value in spec.values], spec.cleanup, days


@pytest.mark.parametrize(
    "spec, expected",
    [
        (TOPICS.klines, ("market.klines.v1", "symbol", ["Kline", "Tick"], "delete", {"retention.ms": 30})),
        (
            TOPICS.configs,
            (
                "bots.configs.v1", "bot_id", ["BotConfig"], "compact",
                {"min.compaction.lag.ms": 90, "delete.retention.ms": 90},
            ),
        ),
        (TOPICS.alerts, ("bots.alerts.v1", "symbol", ["GroupCommand"], "delete", {"retention.ms": 30})),
        (
            TOPICS.triggers,
            ("bots.triggers.v1", "bot_id", ["Trigger", "StaleCommand"], "delete", {"retention.ms": 90}),
        ),
        (TOPICS.orders, ("bots.orders.v1", "bot_id", ["OrderReport"], "delete", {"retention.ms": 90})),
        (
            TOPICS.user_alerts,
            ("alerts.user.v1", "symbol", ["AlertCommand"], "delete", {"retention.ms": 30}),
        ),
        (TOPICS.fired, ("alerts.fired.v1", "user_id", ["Fired"], "delete", {"retention.ms": 90})),
        (TOPICS.events, ("bots.events.v1", "subject", ["BotEvent"], "delete", {"retention.ms": 90})),
        (TOPICS.positions, ("bots.positions.v1", "bot_id", ["Position"], "compact", {})),
        (
            TOPICS.dlq("market.klines.v1"),
            ("market.klines.v1.dlq", "as_received", [], "delete", {"retention.ms": 90}),
        ),
        (
            TOPICS.changelog("groups"),
            (
                "strikeline-evaluator-groups-changelog", "as_received", [], "compact",
                {"min.compaction.lag.ms": 7},
            ),
        ),
        (
            TOPICS.changelog("symbols"),
            (
                "strikeline-evaluator-symbols-changelog", "as_received", [], "compact",
                {"min.compaction.lag.ms": 1 / 24},
            ),
        ),
        (
            TOPICS.changelog("partitions"),
            (
                "strikeline-evaluator-partitions-changelog", "as_received", [], "compact",
                {"min.compaction.lag.ms": 1 / 24},
            ),
        ),
    ],
    ids=lambda value: value.name if isinstance(value, TopicSpec) else "",
)  # fmt: skip
def test_a_topic_is_as_designed(spec: TopicSpec, expected: tuple[object, ...]) -> None:
    assert row(spec) == expected
    assert spec.configs["cleanup.policy"] == spec.cleanup
    assert spec.partitions == 12


def test_every_topic_is_there_once() -> None:
    names = [spec.name for spec in TOPICS.all()]
    assert len(names) == len(set(names)) == 19
    assert {name for name in names if name.endswith(".dlq")} == {
        f"{topic}.dlq"
        for topic in (
            "market.klines.v1", "bots.configs.v1", "bots.alerts.v1", "bots.triggers.v1",
            "bots.orders.v1", "alerts.user.v1", "alerts.fired.v1",
        )
    }  # fmt: skip


def test_a_key_is_a_field_of_every_value() -> None:
    for spec in TOPICS.messages():
        for value in spec.values:
            required = {field.name for field in msgspec.structs.fields(value) if field.required}
            assert spec.key in required, (spec.name, value)


def test_every_message_is_on_one_topic_only() -> None:
    values = [value for spec in TOPICS.messages() for value in spec.values]
    assert len(values) == len(set(values))


def test_whoever_reads_a_topic_of_ours_may_write_its_dead_letters() -> None:
    assert TOPICS.dlq(TOPICS.klines.name).written_by == ("evaluator",)
    assert TOPICS.dlq(TOPICS.triggers.name).written_by == ("executor",)


def test_tombstones_are_for_configs_only() -> None:
    assert [spec.name for spec in TOPICS.messages() if spec.tombstones] == ["bots.configs.v1"]


def test_a_record_has_room_beside_a_value_at_its_limit() -> None:
    for spec in TOPICS.messages():
        assert int(spec.configs["max.message.bytes"]) >= spec.max_value_bytes + 64 * 1_024


def test_namespaces_never_meet() -> None:
    here, there = Topics("here"), Topics("there")
    assert here.klines.name == "here.market.klines.v1"
    assert here.group("executor") == "here.strikeline-executor"
    assert here.dlq(here.klines.name).name == "here.market.klines.v1.dlq"
    assert not {spec.name for spec in here.all()} & {spec.name for spec in there.all()}


@pytest.mark.parametrize("namespace", ["A", "a.b", "a_b", "-a", "a-", "a b", "é", "a\n", "x" * 65])
def test_what_is_no_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        Topics(namespace)


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_a_partition_count_is_positive(count: int) -> None:
    with pytest.raises(ValueError, match="partitions"):
        Topics("", count)


def test_all_topics_have_one_partition_count() -> None:
    assert {spec.partitions for spec in Topics("n", 3).all()} == {3}


def test_history_can_be_kept() -> None:
    topics = Topics(keep_history=True)
    assert topics.klines.configs["retention.ms"] == "-1"
    assert topics.configs.configs == TOPICS.configs.configs


def test_a_topic_is_found_by_its_name() -> None:
    assert TOPICS.named("market.klines.v1") is TOPICS.klines
    with pytest.raises(KeyError):
        TOPICS.named("market.klines.v2")


def test_the_registry_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TOPICS.namespace = "x"  # type: ignore[misc]


@pytest.mark.parametrize("namespace", ["", "paper"])
@pytest.mark.parametrize("table", TABLES)
def test_changelogs_have_the_names_that_faust_gives(namespace: str, table: str) -> None:
    topics = Topics(namespace)
    app = faust.App(topics.group("evaluator"), broker="kafka://localhost", autodiscover=False)
    theirs = app.Table(table, partitions=topics.partitions).changelog_topic.get_topic_name()
    assert theirs in {topics.changelog(name).name for name in TABLES}
    assert theirs.endswith(f"-{table}-changelog")
