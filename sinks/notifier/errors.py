"""Errors of the notifier, named for what happens next.

Exception
├── BadDirectory     the file of users and channels cannot be used: the process ends with the place and the reason
└── ChannelFailed    one message was not taken: try again later, or give it up with the reason
"""


class BadDirectory(Exception):
    """`notifier.yaml` says something that cannot be meant."""


class ChannelFailed(Exception):
    """A channel did not take a message. `again`: another try may succeed. `reason` holds no secrets."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
