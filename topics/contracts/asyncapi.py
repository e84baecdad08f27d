"""One AsyncAPI 3 document of all topics: channels, messages, and which process sends or receives what."""

from importlib.metadata import version
from typing import Any, Final

from schemas.message import Message
from topics.contracts.schemas import components, message_types, tag_of
from topics.registry import DLQ_SUFFIX, Topics
from topics.spec import TopicSpec

_KAFKA_BINDING: Final = "0.5.0"
_LISTED: Final = ("cleanup.policy",)
_NUMBERS: Final = ("retention.ms", "delete.retention.ms", "max.message.bytes")
_DLQ_FIELDS: Final = ("topic", "partition", "offset", "timestamp", "error_class", "reason")
_TEXT: Final = {"type": "string"}
_INFO: Final = {
    "title": "Strikeline",
    "description": "Market klines and bot configurations in, bot triggers and positions out. Keys are raw "
    "UTF-8; partition by murmur2 as Java's default partitioner does.",
    "license": {"name": "Apache-2.0"},
}
_HEADERS: Final[dict[str, Any]] = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode",
    "properties": {
        "ce_id": _TEXT, "ce_type": _TEXT, "ce_source": _TEXT, "ce_specversion": {"const": "1.0"},
        "ce_time": _TEXT | {"format": "date-time"}, "content-type": {"const": "application/json"},
        "traceparent": _TEXT,
    },
}  # fmt: skip


def asyncapi(topics: Topics) -> dict[str, Any]:
    """The document, self-contained. Changelogs are the evaluator's own affair and stand in no contract."""
    specs = [spec for spec in topics.all() if spec.values or spec.name.endswith(DLQ_SUFFIX)]
    types = message_types(topics)
    messages = {tag_of(message): _message(message) for message in types} | {"dead_letter": _DEAD_LETTER}
    return {
        "asyncapi": "3.0.0",
        "info": _INFO | {"version": version("strikeline")},
        "defaultContentType": "application/json",
        "channels": {spec.name: _channel(spec) for spec in specs},
        "operations": dict(operation for spec in specs for operation in _operations(spec)),
        "components": {
            "messages": messages,
            "schemas": components(types, "#/components/schemas/{name}"),
        },
    }


_DEAD_LETTER: Final[dict[str, Any]] = {
    "title": "DeadLetter",
    "description": "A record as it was received, with its address and the reason in headers; the original "
    "headers stand behind the prefix `dlq.header.`. A value beyond 1 MiB is cut, and the headers "
    "`dlq.value.length` and `dlq.value.sha256` tell what it was.",
    "contentType": "application/octet-stream",
    "headers": {
        "type": "object",
        "properties": {f"dlq.{name}": _TEXT for name in _DLQ_FIELDS},
        "required": [f"dlq.{name}" for name in _DLQ_FIELDS],
    },
}


def _message(message: type[Message]) -> dict[str, Any]:
    return {
        "name": tag_of(message),
        "title": message.__name__,
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
        "bindings": {"kafka": {"key": _TEXT, "bindingVersion": _KAFKA_BINDING}},
    }


def _tags(spec: TopicSpec) -> list[str]:
    return [tag_of(value) for value in spec.values] or ["dead_letter"]


def _channel(spec: TopicSpec) -> dict[str, Any]:
    numbers = {name: int(spec.configs[name]) for name in _NUMBERS if name in spec.configs}
    lists = {name: spec.configs[name].split(",") for name in _LISTED}
    key = "The key is as received." if spec.key == "as_received" else f"The key is the value's `{spec.key}`."
    null = " A null value deletes it." if spec.tombstones else ""
    return {
        "address": spec.name,
        "description": f"{key}{null} A value has at most {spec.max_value_bytes} bytes.",
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in _tags(spec)},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": lists | numbers,
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "x-kafka-configs": spec.configs,
    }


def _operations(spec: TopicSpec) -> list[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{spec.name}"}
    acts = [("send", process) for process in spec.written_by] + [
        ("receive", process) for process in spec.read_by
    ]
    return [
        (
            f"{process}.{action}.{spec.name}",
            {"action": action, "channel": channel, "tags": [{"name": process}]},
        )
        for action, process in acts
    ]
