"""The form of an entry in the registry."""

from dataclasses import dataclass
from typing import Final, Literal

from schemas.message import Message

KIB: Final = 1_024
MIB: Final = 1_024 * KIB
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

KeyField = Literal["symbol", "bot_id", "user_id", "alert_id", "subject", "as_received"]
Cleanup = Literal["delete", "compact"]
Process = Literal[
    "feed", "user", "evaluator", "executor", "reconciler", "notifier", "archive", "console", "operator"
]


@dataclass(frozen=True)
class TopicSpec:
    """One topic. `key` is the field of the message that its key must equal; `configs` are Kafka's own names.

    `values` are the messages it carries (none: raw bytes). A null value is refused unless `tombstones`.
    """

    name: str
    key: KeyField
    values: tuple[type[Message], ...]
    cleanup: Cleanup
    configs: dict[str, str]
    partitions: int
    written_by: tuple[Process, ...]
    read_by: tuple[Process, ...]
    max_value_bytes: int = MIB
    tombstones: bool = False


def policy(cleanup: Cleanup, keep_ms: int = 0, max_message_bytes: int = MIB + 64 * KIB) -> dict[str, str]:
    """Kafka's settings for a policy. `keep_ms`: how long records (delete) or tombstones and doublets live.

    `max_message_bytes` is for the whole record: room for key and headers beside a value at its limit.
    """
    common = {
        "cleanup.policy": cleanup,
        "max.message.bytes": str(max_message_bytes),
        "message.timestamp.type": "CreateTime",
    }
    if cleanup == "delete":
        return common | {"retention.ms": str(keep_ms)}
    if not keep_ms:
        return common
    return common | {"min.compaction.lag.ms": str(keep_ms), "delete.retention.ms": str(keep_ms)}
