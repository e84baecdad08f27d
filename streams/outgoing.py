"""What the engine says, as records: which topic, which key, which event time."""

from typing import Final

from schemas.events import BotEvent
from schemas.message import Message
from schemas.triggers import Fired, StaleCommand, Trigger
from topics.codec import cloud_headers, encode
from topics.records import Outgoing
from topics.registry import Topics

SOURCE: Final = "strikeline-evaluator"


class Addresses:
    """Turns outputs into records of one namespace. An equal output gives an equal record, byte for byte."""

    def __init__(self, topics: Topics) -> None:
        self._triggers = topics.triggers.name
        self._fired = topics.fired.name
        self._events = topics.events.name

    def of(self, output: Message, now_ms: int) -> Outgoing:
        """The record for `output`; `now_ms` (event time) stamps what has no time of its own."""
        if isinstance(output, Trigger):
            close = output.bar.close_time_ms
            return _record(self._triggers, output.bot_id, output, output.trigger_id, close)
        if isinstance(output, Fired):
            close = output.bar.close_time_ms
            return _record(self._fired, output.user_id, output, output.fired_id, close)
        if isinstance(output, BotEvent):
            return _record(self._events, output.subject, output, output.event_id, output.at_ms)
        if isinstance(output, StaleCommand):
            event_id = f"{output.group_id}:{output.stale_generation}:stale"
            return _record(self._triggers, output.bot_id, output, event_id, now_ms)
        raise TypeError(f"the engine has no output {type(output).__name__}")


def _record(topic: str, key: str, message: Message, event_id: str, time_ms: int) -> Outgoing:
    headers = cloud_headers(message, SOURCE, event_id, time_ms)
    return Outgoing(topic, key.encode(), encode(message), time_ms, headers)
