"""What is done to the processes while they work. Everything random comes from the seed; the moments are the clock's."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from tests.chaos.children import STOPPED, Child
from tests.chaos.cluster import Cluster, Stuck
from tests.chaos.databases import Outage
from tests.chaos.sight import Work
from tests.chaos.vitals import cpu_s, metric
from tests.deadline import DEADLINE_S

_WORKING_S: Final = 300.0
_UNHIT_S: Final = 45.0
SETTLE_S: Final = 15.0
STOP_S: Final = 15.0


class Blow(NamedTuple):
    """One kill or stop, and the work in progress at that moment."""

    kind: str
    name: str
    work: Work


class Absence(NamedTuple):
    """One time that the database was away: for how long, and how long the executor's own metric said so at the end, how
    much CPU the executor took meanwhile, and after how long it went on. All in seconds.
    """

    name: str
    seconds: float
    told: float
    cpu: float
    resumed: float


@dataclass
class Tally:
    """What was done, and how long joins and leaves took to settle, in seconds."""

    blows: list[Blow] = field(default_factory=list)
    joins: list[float] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)


class Trouble:
    """Makes trouble for `cluster`, and writes down what it did. Several may run in threads on one tally."""

    def __init__(self, cluster: Cluster, tally: Tally, seed: int, say: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._tally = tally
        self._random = Random(seed)
        self._say = say

    def kill(self, victims: Sequence[Child], times: int, patience: float) -> None:
        """kill -9 one of `victims` at a time, at a random moment up to `patience` seconds after it got to work."""
        for number in range(1, times + 1):
            child = self._random.choice(victims)
            work = self._until_busy_still(child, patience)
            if child.signal(signal.SIGKILL, "kill -9"):
                self._note("kill", child, work)
                self._say(f"kill -9 of {child.name}, {number} of {times}; {_told(work)}")

    def hit(self, victims: Sequence[Child], points: Iterable[str], times: int) -> None:
        """Let `victims` die by SIGKILL at each of the fail-points, `times` each, at a random passage."""
        names = [name for name in points for _ in range(times)]
        if not names:
            return
        self._random.shuffle(names)
        for index, child in enumerate(victims):
            child.points.extend(self._armed(name) for name in names[index :: len(victims)])
            child.signal(signal.SIGKILL, "to arm it")
        while any(child.points or child.armed for child in victims):
            time.sleep(0.1)
            for child in victims:
                self._move_on(child)
        self._say(f"{len(names)} deaths at fail-points of {', '.join(child.name for child in victims)}")

    def stop(self, victims: Sequence[Child], times: int, seconds: float = STOP_S) -> None:
        """Suspend one of `victims` for `seconds`, then let it go on."""
        for number in range(1, times + 1):
            child = self._random.choice(victims)
            work = self._until_busy(child)
            if child.signal(signal.SIGSTOP, STOPPED):
                self._note("stop", child, work)
                self._say(f"stop of {child.name} for {seconds:.0f} s, {number} of {times}; {_told(work)}")
                time.sleep(seconds)
                child.signal(signal.SIGCONT, STOPPED)
                time.sleep(1.0)

    def take_away(self, outages: Sequence[Outage], times: int, seconds: float) -> None:
        """Let the database be away while the executor works, in every way in turn. Raises Stuck where it ends of it."""
        for number in range(1, times + 1):
            work = self._until_busy(self._cluster.executor)
            self._note("outage", self._cluster.executor, work)
            absence = self._away(outages[(number - 1) % len(outages)], seconds)
            self._tally.absences.append(absence)
            self._say(
                f"database {absence.name} for {absence.seconds:.0f} s, {number} of {times}: told {absence.told:.0f} s, "
                f"{absence.cpu:.1f} s of CPU, went on after {absence.resumed:.1f} s; {_told(work)}"
            )

    def _away(self, outage: Outage, seconds: float) -> Absence:
        executor = self._cluster.executor
        pid, began = executor.pid or 0, time.monotonic()
        took = cpu_s(pid)
        outage.begin()
        time.sleep(seconds)
        if executor.pid != pid:
            raise Stuck(f"the executor ended while the database was {outage.name}")
        told = metric(self._cluster.metrics_port, "strikeline_executor_database_away_seconds")
        took = cpu_s(pid) - took
        outage.end()
        away, applied = time.monotonic() - began, self._done(executor)
        resumed = self._cluster.wait("the executor to go on", 60, lambda: self._done(executor) > applied)
        return Absence(outage.name, away, told, took, resumed)

    def join_and_leave(self, child: Child, times: int) -> None:
        """Let a second worker leave and join under load; note how long the group takes each time."""
        child.leave()
        self._settled(1)
        for number in range(1, times + 1):
            child.start()
            joined = self._settled(2)
            work = self._cluster.sight.work()
            child.leave()
            left = self._settled(1)
            self._tally.joins.append(joined)
            self._tally.leaves.append(left)
            self._say(f"join {joined:.1f} s, leave {left:.1f} s, {number} of {times}; {_told(work)}")
        child.start()

    def _settled(self, members: int) -> float:
        """Seconds until the group is stable with `members` and every partition that has work goes on. Raises Stuck."""
        sight, began = self._cluster.sight, time.monotonic()
        self._cluster.wait(f"a stable group of {members}", DEADLINE_S, lambda: sight.members() == members)
        before = sight.acked()
        behind = {at[1] for at, lag in sight.lag().items() if lag}

        def going_on() -> bool:
            now, lag = sight.acked(), sight.lag()
            moved = {at[1] for at, offset in now.items() if offset > before.get(at, 0)}
            return behind <= moved | {p for p in behind if not any(lag.get(at) for at in lag if at[1] == p)}

        self._cluster.wait("progress on all partitions", DEADLINE_S, going_on)
        return time.monotonic() - began

    def _until_busy_still(self, child: Child, patience: float) -> Work:
        """Wait until it is busy, then a random time up to `patience` seconds, at the end of which it still is."""
        while True:
            self._until_busy(child)
            time.sleep(self._random.uniform(0.0, patience))
            if self._has_work(child, work := self._cluster.sight.work()):
                return work

    def _until_busy(self, child: Child) -> Work:
        """Wait until the child has its partitions, its kind got something done, and there is more to do for it."""
        deadline = time.monotonic() + _WORKING_S
        mark: tuple[float, int] | None = None
        while time.monotonic() < deadline:
            if child.working:
                life, done = child.started_at, self._done(child)
                if mark is None or mark[0] != life:
                    mark = life, done
                work = self._cluster.sight.work()
                if done != mark[1] and self._has_work(child, work):
                    return work
            time.sleep(0.05)
        raise Stuck(f"{child.name} did not get to work in {_WORKING_S:.0f} s; {self._cluster.sight.work()}")

    def _done(self, child: Child) -> int:
        sight = self._cluster.sight
        return sum((sight.applied() if child is self._cluster.executor else sight.acked()).values())

    def _has_work(self, child: Child, work: Work) -> bool:
        return bool(work.unapplied or work.untold) if child is self._cluster.executor else bool(work.unacked)

    def _armed(self, name: str) -> str:
        """With the passage at which to die: late enough for a life to get something done, soon enough to be met."""
        most = 30 if name.endswith(("_row", "relay.sent")) else 3 if name.startswith("checkpoint") else 10
        return f"{name}:{self._random.randint(1, most)}"

    def _move_on(self, child: Child) -> None:
        """A fail-point that is not met in time is armed again for its first passage."""
        with child.lock:
            if child.armed is None or time.monotonic() - child.started_at < _UNHIT_S or child.pid is None:
                return
            name = child.armed.partition(":")[0]
            self._tally.missed[name] += 1
            if self._tally.missed[name] > 5:
                raise Stuck(f"{child.name} never came to fail-point {name}")
            child.points.append(f"{name}:1")
            child.signal(signal.SIGKILL, "fail-point not met")

    def _note(self, kind: str, child: Child, work: Work) -> None:
        self._tally.blows.append(Blow(kind, child.name, work))


def _told(work: Work) -> str:
    return f"{work.unacked} records not acked, {work.unapplied} not applied, {work.untold} not told"
