"""The committed contracts are what the code says, and say what the code does."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.conditions import Condition, ConditionError, condition_from_json, condition_to_json
from schemas.message import Message
from tests.schemas.examples import EXAMPLES
from tests.schemas.strategies import conditions
from tests.topics.json_schema import accepts, resolve
from topics.contracts import documents, write
from topics.contracts.__main__ import main
from topics.registry import Topics
from topics.spec import Process

COMMITTED = Path(__file__).parents[2] / "docs/contracts"
DOCUMENTS = documents(Topics())
ASYNCAPI = json.loads(DOCUMENTS["asyncapi.json"])
CONDITION = json.loads(DOCUMENTS["schemas/condition.schema.json"])

every_message = pytest.mark.parametrize("message", EXAMPLES.values(), ids=EXAMPLES)


def schema_of(message: Message) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(DOCUMENTS[f"schemas/{message.__struct_config__.tag}.schema.json"])
    return schema


def raw(message: Message) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(message))
    return decoded


def test_what_is_committed_is_what_is_generated() -> None:
    committed = {str(p.relative_to(COMMITTED)): p.read_text() for p in COMMITTED.rglob("*") if p.is_file()}
    assert sorted(committed) == sorted(DOCUMENTS), "run python -m topics.contracts"
    for name, text in DOCUMENTS.items():
        assert committed[name] == text, f"{name} drifted: run python -m topics.contracts"


def test_writing_removes_what_is_generated_no_more(tmp_path: Path) -> None:
    stale = [tmp_path / "schemas/old.schema.json", tmp_path / "acls/old.sh"]
    kept = tmp_path / "schemas/README.md"
    for path in (*stale, kept):
        path.parent.mkdir(exist_ok=True)
        path.write_text("old")
    written = write(tmp_path, Topics("n", 3))
    assert {str(path.relative_to(tmp_path)) for path in written} == set(documents(Topics("n", 3)))
    assert not any(path.exists() for path in stale)
    assert kept.exists()
    assert os.access(tmp_path / "acls/evaluator.sh", os.X_OK)


@every_message
def test_a_good_message_is_valid(message: Message) -> None:
    assert accepts(schema_of(message), raw(message))


@every_message
def test_a_message_with_unknown_fields_is_valid(message: Message) -> None:
    assert accepts(schema_of(message), raw(message) | {"later": 1})


WRONG: list[Any] = [{}, [], [[]], "", "\n", -1, 1.5, True, None, "x" * 2_000]


@every_message
def test_what_the_decoder_refuses_the_schema_refuses_too(message: Message) -> None:
    """Every field in turn with a value of another kind, and without it."""
    schema, good = schema_of(message), raw(message)
    refused = 0
    for field in good:
        for bad in WRONG:
            changed = good | {field: bad}
            try:
                msgspec.convert(changed, type(message), strict=True)
            except msgspec.ValidationError as error:
                if "`$" not in str(error):  # a relation between fields, which no schema can tell
                    continue
                refused += 1
                assert not accepts(schema, changed), (field, bad)
        partial = {name: value for name, value in good.items() if name != field}
        needed = field in schema["required"]
        assert accepts(schema, partial) is not needed
    assert refused > len(good)


@given(conditions)
def test_every_condition_is_valid(tree: Condition) -> None:
    assert accepts(CONDITION, condition_to_json(tree))


def nodes(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place of a JSON document with what stands there."""
    yield path, tree
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, value in inner:
        yield from nodes(value, (*path, step))


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """`tree` with `value` at `path`."""
    if not path:
        return value
    changed = tree.copy()
    changed[path[0]] = replaced(tree[path[0]], path[1:], value)
    return changed


VALUES: list[Any] = [
    None, True, -1, 0, 14, 5_001, 1.5, "", "close", "15m", "1m\n", "above", "crosses", "01", "1.5", "a b",
    [], {},
    {"at": 1}, {"price": "low"}, {"price": "low", "window": 3}, {"indicator": "ema", "window": 1.5},
    {"indicator": "ema", "window_dev": 1.5}, {"indicator": "ema", "price": 1},
    {"op": "+", "left": 1, "right": 2}, {"op": "lt", "left": 1, "right": 2},
    {"level": {"price": "1", "side": "above"}}, {"all": []}, {"not": 1}, {"schedule": "0 9 * * 1"}, "UTC",
    "0 9 * *", "0 9 * * MON", {"holds": {"at": 1}, "bars": 0}, {"sequence": [{"at": 1}], "within": 3}, "inside",
    "moves_up", {"op": "inside", "left": 1, "low": 2, "high": 3}, {"op": "moves_up", "left": 1, "right": 2, "bars": 3},
]  # fmt: skip
NAMES = [
    "at",
    "timeframe",
    "bars_ago",
    "window",
    "side",
    "seed",
    "x",
    "low",
    "bars",
    "within",
    "tz",
    "symbol",
]


def parses(raw: Any) -> bool | None:
    """Whether the parser takes it; None where it is only too large."""
    try:
        condition_from_json(raw)
    except ConditionError as refused:
        too_large = refused.reason.startswith(("deeper than", "more than"))
        return None if too_large else False
    return True


@given(conditions, st.data())
def test_the_schema_and_the_parser_agree_on_a_damaged_condition(tree: Condition, data: st.DataObject) -> None:
    good = condition_to_json(tree)
    path, inner = data.draw(st.sampled_from(list(nodes(good))))
    value = data.draw(st.sampled_from(VALUES))
    if isinstance(inner, dict) and data.draw(st.booleans()):
        value = inner | {data.draw(st.sampled_from(NAMES)): value}
    damaged = replaced(good, path, value)
    assert parses(damaged) in (None, accepts(CONDITION, damaged))


def references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(reference := document.get("$ref"), str):
            yield reference
        for value in document.values():
            yield from references(value)
    if isinstance(document, list):
        for item in document:
            yield from references(item)


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.endswith(".json")])
def test_every_reference_leads_somewhere(name: str) -> None:
    document = json.loads(DOCUMENTS[name])
    for reference in references(document):
        assert resolve(reference, document) is not None


@pytest.mark.parametrize(
    "name, place",
    [
        ("group_command", "#/$defs/Member/properties/condition"),
        ("bot_config", "#/properties/entry"),
        ("alert_command", "#/properties/condition"),
    ],
)
def test_a_condition_is_no_mere_object(name: str, place: str) -> None:
    field = resolve(place, json.loads(DOCUMENTS[f"schemas/{name}.schema.json"]))
    assert {"$ref": "#/$defs/Condition"} in [field, *field.get("anyOf", [])]
    assert {"type": "object"} not in [field, *field.get("anyOf", [])]


def test_asyncapi_names_every_topic_that_others_may_touch() -> None:
    named = [spec for spec in Topics().all() if "changelog" not in spec.name]
    assert sorted(ASYNCAPI["channels"]) == sorted(spec.name for spec in named)
    for spec in named:
        channel = ASYNCAPI["channels"][spec.name]
        assert channel["bindings"]["kafka"]["partitions"] == 12
        assert channel["x-kafka-configs"] == spec.configs
        tags = [value.__struct_config__.tag for value in spec.values] or ["dead_letter"]
        assert list(channel["messages"]) == tags


def test_asyncapi_says_who_sends_and_who_receives() -> None:
    said = {
        (o["action"], o["tags"][0]["name"], o["channel"]["$ref"]) for o in ASYNCAPI["operations"].values()
    }
    assert ("send", "evaluator", "#/channels/bots.triggers.v1") in said
    assert ("receive", "executor", "#/channels/bots.triggers.v1") in said
    assert ("send", "executor", "#/channels/bots.triggers.v1") not in said
    sent = {channel for action, _, channel in said if action == "send"}
    assert sent == {f"#/channels/{name}" for name in ASYNCAPI["channels"]}


@pytest.fixture
def granted(tmp_path: Path) -> Any:
    """Runs a process's script with a `kafka-acls` that only notes its arguments; what was granted."""
    tool = tmp_path / "kafka-acls"
    tool.write_text('#!/bin/sh\necho "$@"\n')
    tool.chmod(0o755)

    def run(process: str, topics: Topics) -> set[tuple[str, str, str]]:
        write(tmp_path / "out", topics)
        script = tmp_path / f"out/acls/{process}.sh"
        environment = os.environ | {"KAFKA_ACLS": str(tool)}
        done = subprocess.run(
            [script, "kafka:9093", "User:me"], env=environment, check=True, capture_output=True, text=True
        )
        found = set()
        for line in done.stdout.splitlines():
            words = line.split()
            assert words[:6] == [
                "--bootstrap-server",
                "kafka:9093",
                "--add",
                "--force",
                "--allow-principal",
                "User:me",
            ]
            kind = "--topic" if "--topic" in words else "--group"
            name = words[words.index(kind) + 1]
            found |= {(op, kind, name) for at, op in enumerate(words) if words[at - 1] == "--operation"}
        return found

    return run


def test_a_process_may_read_what_it_reads_and_write_what_it_writes(granted: Any) -> None:
    topics = Topics("paper")
    for process in set(get_args(Process)) - {"operator"}:
        rights = granted(process, topics)
        for spec in topics.all():
            assert (("Read", "--topic", spec.name) in rights) == (process in spec.read_by)
            assert (("Write", "--topic", spec.name) in rights) == (process in spec.written_by)
        assert (("Read", "--group", f"paper.strikeline-{process}") in rights) == (process != "feed")
        assert {operation for operation, _, _ in rights} <= {"Read", "Write", "Describe", "DescribeConfigs"}


def test_only_the_operator_may_create_topics(granted: Any) -> None:
    topics = Topics()
    rights = granted("operator", topics)
    assert {("Create", "--topic", spec.name) for spec in topics.all()} <= rights


def test_a_script_without_arguments_explains_itself() -> None:
    done = subprocess.run([COMMITTED / "acls/feed.sh"], check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "bootstrap servers" in done.stderr


def test_the_module_writes_where_it_is_told(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--namespace", "paper", "--partitions", "3"])
    document = json.loads((tmp_path / "asyncapi.json").read_text())
    assert "paper.market.klines.v1" in document["channels"]
