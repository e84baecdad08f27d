"""What can go wrong with a broker of our own.

BrokerError
├── NoBroker           nothing on this machine can be a broker: use the in-process bus
├── BrokerUnreachable  an address was asked for and nobody answers there: stop
├── BrokerFailed       our broker did not start or did not stop: stop and show its log
├── AlreadyRunning     the folder has a live broker: use it or stop it
├── PortInUse          somebody else listens there: choose another port
└── JarsMissing        Kafka's jars are not there and cannot be fetched: install what is missing
"""

from collections.abc import Sequence


class BrokerError(Exception):
    """Every error of this package."""


class NoBroker(BrokerError):
    """No way to a broker worked; the message lists each way with its reason."""

    def __init__(self, tried: Sequence[tuple[str, str]]) -> None:
        self.tried = tuple(tried)
        super().__init__("no Kafka broker: " + "; ".join(f"{way}: {why}" for way, why in self.tried))


class BrokerUnreachable(BrokerError):
    """Nobody answered at the address that was asked for."""


class BrokerFailed(BrokerError):
    """The broker's process ended or missed its deadline."""


class AlreadyRunning(BrokerError):
    """A broker runs on this folder already."""


class PortInUse(BrokerError):
    """The port is taken by another process."""


class JarsMissing(BrokerError):
    """Java or Maven is missing, or Maven failed."""
