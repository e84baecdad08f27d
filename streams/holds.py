"""Groups whose trigger awaits its answer, oldest bar first."""

from heapq import heappop, heappush


class Holds:
    """Names and the open time of the bar they fired on. All calls are O(log n) amortised."""

    __slots__ = ("_heap", "_since", "oldest_ms")

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self.oldest_ms: int | None = None

    def hold(self, name: str, open_time_ms: int) -> None:
        """`name` fired on the bar that opened then."""
        self._since[name] = open_time_ms
        heappush(self._heap, (open_time_ms, name))
        self._settle()

    def answered(self, name: str) -> None:
        """The answer came, or the group is gone; unknown names are fine."""
        if self._since.pop(name, None) is not None:
            self._settle()

    def give_up(self) -> list[tuple[int, str]]:
        """Wait for none of these any more; they stay held. Which they are, (open time, name), oldest first."""
        waited = sorted({one for one in self._heap if self._since.get(one[1]) == one[0]})
        self._heap.clear()
        self.oldest_ms = None
        return waited

    def since(self, name: str) -> int | None:
        """Open time of the bar on which `name` fired; None when it is not held."""
        return self._since.get(name)

    def __len__(self) -> int:
        return len(self._since)

    def _settle(self) -> None:
        heap, since = self._heap, self._since
        while heap and since.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        self.oldest_ms = heap[0][0] if heap else None
