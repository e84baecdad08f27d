"""Which bar stands at which time: runs of consecutive bars, set apart by gaps too long to fill."""

from bisect import bisect_right


class Timeline:
    """Bars are numbered without holes; a run (first index, its open time) says where time goes on in steps
    again.

    A short gap is filled and makes no run, so a market that never stood still has one.
    """

    def __init__(self, step_ms: int) -> None:
        self.step_ms = step_ms
        self._indices: list[int] = []
        self._opens: list[int] = []

    def begin_run(self, index: int, open_time_ms: int) -> None:
        """Bar `index` opens at `open_time_ms`, however long after the bar before it."""
        self._indices.append(index)
        self._opens.append(open_time_ms)

    def open_time_ms(self, index: int) -> int:
        """When bar `index` opened. IndexError before the first run."""
        run = bisect_right(self._indices, index) - 1
        if run < 0:
            raise IndexError(f"bar {index} lies before the first one known")
        return self._opens[run] + (index - self._indices[run]) * self.step_ms

    def index_at_or_after(self, time_ms: int, next_index: int) -> int:
        """Number of the first bar that opens at or after `time_ms`; `next_index` where there is none yet."""
        run = bisect_right(self._opens, time_ms) - 1
        if run < 0:
            return self._indices[0] if self._indices else next_index
        steps = -((self._opens[run] - time_ms) // self.step_ms)
        end = self._indices[run + 1] if run + 1 < len(self._indices) else next_index
        return min(self._indices[run] + steps, end)

    def runs(self, first: int, end: int) -> list[tuple[int, int]]:
        """(index, open time) of bar `first` and of every run that begins within (first, end)."""
        later = [(i, t) for i, t in zip(self._indices, self._opens, strict=True) if first < i < end]
        return [(first, self.open_time_ms(first)), *later]

    def forget_before(self, index: int) -> None:
        """Drop the runs that end before bar `index`."""
        run = max(bisect_right(self._indices, index) - 1, 0)
        del self._indices[:run], self._opens[:run]

    def prepend(self, runs: list[tuple[int, int]], first: int, end: int) -> None:
        """Put `runs` before bar `first`, the first one known until now; `end` is the number of the next
        bar.
        """
        own = self.runs(first, end)
        index, opened = runs[-1]
        if opened + (first - index) * self.step_ms == own[0][1]:
            del own[0]  # time goes on in steps across the seam
        merged = runs + own
        self._indices = [index for index, _ in merged]
        self._opens = [opened for _, opened in merged]
