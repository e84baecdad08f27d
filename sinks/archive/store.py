"""The archive's folder: which offsets it holds, writing a segment whole or not at all, merging small ones.

One process at a time writes to a folder: it holds a lock on it. Everything else is in the names (see `names`).
"""

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, TypeAlias

import polars as pl

from sinks.archive.frames import Kind, merged
from sinks.archive.names import Segment, segment_of, split
from sinks.errors import Stop
from topics.failpoints import failpoint

_IDENTITY: Final = "archive.json"
_LOCK: Final = ".lock"
_UNFINISHED: Final = ".unfinished"

Fill: TypeAlias = Callable[[str], object]


class WrongArchive(Stop):
    """The folder is used by another process, or was filled from other topics."""


class Store:
    """A folder of segments, locked while it is open. Raises WrongArchive where another process has it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._lock: IO[bytes] = (root / _LOCK).open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise WrongArchive(f"{root}: another archive writes to this folder") from None

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()

    def settle(self, topic_ids: Mapping[str, str]) -> None:
        """Make sure that the folder was filled from these topics (name to id). Raises WrongArchive.

        Offsets of a topic that was deleted and created again begin anew: they must not follow the old ones.
        """
        path = self.root / _IDENTITY
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        for name, topic_id in topic_ids.items():
            if known.setdefault(name, topic_id) != topic_id:
                raise WrongArchive(
                    f"{self.root}: {name} has id {topic_id}, but the folder holds records of the topic with id "
                    f"{known[name]}: it was created anew. Use another folder."
                )
        if not path.exists() and any(self.root.glob("*/date=*/*.parquet")):
            raise WrongArchive(f"{self.root}: holds parquet files but no {_IDENTITY}: not an archive of ours")
        self._write(path, lambda file: Path(file).write_text(json.dumps(known, indent=1)))

    def clean(self) -> None:
        """Remove what a death left behind: unfinished files, and segments whose rows a merged one has."""
        for path in self.root.glob(f"**/*{_UNFINISHED}"):
            path.unlink()
        for kind in (path.name for path in self.root.iterdir() if path.is_dir()):
            for segment in split(self._all(kind))[1]:
                (self.root / kind / segment.path).unlink()

    def segments(self, kind: str, partition: int | None = None) -> list[Segment]:
        """What there is of a kind, in order of partition and offset."""
        kept, _ = split(self._all(kind))
        return kept if partition is None else [one for one in kept if one.partition == partition]

    def next_offset(self, kind: str, partition: int) -> int:
        """The first offset that is not in the archive yet."""
        return max((segment.last + 1 for segment in self.segments(kind, partition)), default=0)

    def write(self, kind: Kind, segment: Segment, rows: pl.DataFrame) -> Path:
        """Add a segment: it is there when this returns, and not in part before. Power may fail after that."""
        path = self.root / kind / segment.path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, lambda file: rows.write_parquet(file, compression="zstd", statistics=True))
        return path

    def merge(self, kind: Kind, segments: Sequence[Segment]) -> Segment:
        """Put neighbouring segments of one partition and day into one. The parts go when the whole is there."""
        whole = Segment(segments[0].partition, segments[0].first, segments[-1].last, segments[-1].day)
        paths = [self.root / kind / segment.path for segment in segments]
        self.write(
            kind, whole, merged(kind, [pl.read_parquet(path, hive_partitioning=False) for path in paths])
        )
        for path in paths:
            failpoint("archive.merged")
            path.unlink()
            with suppress(OSError):  # other segments of the day are in it still
                path.parent.rmdir()
        return whole

    def _all(self, kind: str) -> list[Segment]:
        found = (segment_of(path) for path in (self.root / kind).glob("date=*/*.parquet"))
        return [segment for segment in found if segment is not None]

    def _write(self, path: Path, fill: Fill) -> None:
        unfinished = path.with_name(f"{path.name}{_UNFINISHED}")
        failpoint("archive.begun")
        fill(str(unfinished))
        _sync(unfinished)
        failpoint("archive.filled")
        unfinished.replace(path)
        failpoint("archive.renamed")
        _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
