"""The first way to a broker that works here: an address, a local one, a container."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from topics.broker import ready
from topics.broker.container import container
from topics.broker.errors import BrokerFailed, BrokerUnreachable, JarsMissing, NoBroker
from topics.broker.local import LocalKafka

ADDRESS_VARIABLE: Final = "STRIKELINE_KAFKA_BOOTSTRAP"

Kind = Literal["address", "local", "container"]
Start = Callable[[Path, ExitStack], str]
"""Starts a broker whose end is put on the stack; gives its address. Raises JarsMissing or BrokerFailed."""


@dataclass(frozen=True)
class Broker:
    """A broker to use. Closing it stops what was started for it and leaves alone what was there."""

    bootstrap: str
    kind: Kind
    _owned: ExitStack = field(default_factory=ExitStack, repr=False)

    def close(self) -> None:
        """Stops the broker if it was started for us."""
        self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_local(folder: Path, owned: ExitStack) -> str:
    """A broker process of ours in `folder`."""
    return owned.enter_context(LocalKafka(folder)).bootstrap


def start_container(_: Path, owned: ExitStack) -> str:
    """A broker in Docker."""
    return owned.enter_context(container())


WAYS: Final[tuple[tuple[Kind, Start], ...]] = (("local", start_local), ("container", start_container))


def choose(
    folder: Path,
    address: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    ways: tuple[tuple[Kind, Start], ...] = WAYS,
    deadline: float = 15.0,
) -> Broker:
    """A broker: at `address` or `STRIKELINE_KAFKA_BOOTSTRAP`, else local in `folder`, else in Docker.

    Raises BrokerUnreachable when the given address does not answer within `deadline` seconds (another
    broker would not be the one that was asked for), NoBroker when nothing was given and nothing starts.
    """
    address = address or environ.get(ADDRESS_VARIABLE)
    if address:
        if not ready.answers(address, deadline):
            raise BrokerUnreachable(f"no Kafka broker answers at {address}")
        return Broker(address, "address")
    tried = [("address", f"none given ({ADDRESS_VARIABLE} is not set)")]
    for kind, start in ways:
        owned = ExitStack()
        try:
            return Broker(start(folder, owned), kind, owned)
        except (JarsMissing, BrokerFailed) as error:
            owned.close()
            tried.append((kind, str(error)))
    raise NoBroker(tried)
