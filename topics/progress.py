"""Who has something to do and gets nowhere: the arithmetic of a watchdog, without a clock or a client."""

from collections.abc import Mapping


class Progress:
    """Remembers since when each address stands still.

    `see` is given, by address, a mark of everyone who is behind: it changes with any progress. Who is not behind
    is not named.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._seen: dict[str, tuple[object, float]] = {}

    def see(self, at_s: float, behind: Mapping[str, object]) -> dict[str, float]:
        """The addresses whose mark has been the same for the limit or longer, with the seconds."""
        old = self._seen
        self._seen = {
            address: known if (known := old.get(address)) and known[0] == mark else (mark, at_s)
            for address, mark in behind.items()
        }
        waited = {address: at_s - since for address, (_, since) in self._seen.items()}
        return {address: seconds for address, seconds in waited.items() if seconds >= self._limit_s}
