"""The publisher of the in-process bus: the same promises as Kafka's, kept in memory."""

from topics.bus.errors import BusError
from topics.bus.memory import MemoryBus
from topics.records import DeliveryFailed, Outgoing


class MemoryPublisher:
    """Buffers until `flush`, or, `eager`, appends at once: a real producer does either, as its buffer fills.

    A record that cannot be delivered makes `send` and `flush` raise DeliveryFailed, then and ever after: what
    comes behind it must not be persisted, so the process has to stop.
    """

    def __init__(self, bus: MemoryBus, *, eager: bool = False) -> None:
        self._bus = bus
        self._eager = eager
        self._buffer: list[Outgoing] = []
        self._failure: str | None = None

    def send(self, outgoing: Outgoing) -> None:
        """Hand one record over. Raises DeliveryFailed where one before it failed."""
        self._check()
        self._buffer.append(outgoing)
        if self._eager:
            self._deliver(1)

    async def flush(self) -> None:
        """Return when everything sent so far is on the bus. Raises DeliveryFailed."""
        self._deliver(len(self._buffer))
        self._check()

    def crash(self, delivered: int = 0) -> None:
        """The process dies: of what is buffered, only the first `delivered` records still reach the bus."""
        self._deliver(delivered)
        self._buffer.clear()

    async def close(self) -> None:
        """Flush; for the sake of one interface with Kafka's publisher."""
        await self.flush()

    def _check(self) -> None:
        if self._failure is not None:
            raise DeliveryFailed(self._failure)

    def _deliver(self, count: int) -> None:
        batch, self._buffer = self._buffer[:count], self._buffer[count:]
        for outgoing in batch:
            if self._failure is not None:
                return
            try:
                self._bus.append(outgoing)
            except BusError as error:
                self._failure = f"{outgoing.topic}: {error}"
