"""Whose orders go where: one account per user, and the silence that a venue asked for."""

from collections.abc import Callable, Iterator, Mapping

from sinks.orders.exchange import Exchange


class Accounts:
    """Exchanges by user_id. A venue that asked for silence is left alone with all that the user has."""

    def __init__(self, exchanges: Mapping[str, Exchange], clock: Callable[[], int]) -> None:
        self._exchanges = exchanges
        self._clock = clock
        self._quiet_until: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[str, Exchange]]:
        """(user_id, account), by user."""
        return iter(sorted(self._exchanges.items()))

    def of(self, user_id: str) -> Exchange | None:
        """The user's account, None where no keys are known."""
        return self._exchanges.get(user_id)

    def quiet(self, user_id: str, wait_s: float) -> None:
        """Ask nothing of the user's venue for so long."""
        self._quiet_until[user_id] = self._clock() + int(wait_s * 1_000)

    def is_quiet(self, user_id: str) -> bool:
        """Must the venue be left alone now?"""
        return self._clock() < self._quiet_until.get(user_id, 0)
