"""What the bus refuses.

BusError
├── UnknownTopic       nobody created it: create it first
├── TopicDiffers       it exists with another partition count: stop
├── Refused            the record can never be appended: too large, or no key on a compacted topic
├── Unavailable        the bus was switched off by a test: the publisher fails, the process stops
├── OffsetOutOfRange   the records asked for were truncated, or are not written yet
└── NotOwner           a commit for a partition that another member owns by now: drop the work, poll again
"""


class BusError(Exception):
    """Every error of this package."""


class UnknownTopic(BusError):
    """No such topic."""


class TopicDiffers(BusError):
    """The topic exists, but not as it was asked for."""


class Refused(BusError):
    """The record breaks the topic's policy."""


class Unavailable(BusError):
    """The bus is switched off."""


class OffsetOutOfRange(BusError):
    """`offset` lies outside what is kept, which is begin to end."""

    def __init__(self, topic: str, partition: int, offset: int, begin: int, end: int) -> None:
        super().__init__(f"{topic}[{partition}]@{offset}: only {begin} to {end} is kept")
        self.begin = begin
        self.end = end


class NotOwner(BusError):
    """The consumer does not own the partition (any more)."""
