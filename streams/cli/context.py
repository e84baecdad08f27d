"""Where a command works: namespace, broker, database, state folder; given, or those of a running stack."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import typer

from streams.cli.errors import Invalid

if TYPE_CHECKING:
    from streams.cli.cluster import Cluster
    from topics.registry import Topics

NAMESPACE_VARIABLE: Final = "STRIKELINE_NAMESPACE"
PARTITIONS_VARIABLE: Final = "STRIKELINE_PARTITIONS"
BOOTSTRAP_VARIABLE: Final = "STRIKELINE_KAFKA_BOOTSTRAP"
DATABASE_VARIABLE: Final = "STRIKELINE_DATABASE_URL"
KEEP_VARIABLE: Final = "STRIKELINE_KEEP_HISTORY"
FOLDER_VARIABLE: Final = "STRIKELINE_STATE_DIR"
DEFAULT_PARTITIONS: Final = 12


def default_folder() -> Path:
    """`strikeline` in the user's state folder."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "strikeline"


def open_kafka(bootstrap: str | None) -> "Cluster":
    """The real broker; settings that are not given come from the environment."""
    from streams.cli.kafka import KafkaCluster, settings_for

    return KafkaCluster(settings_for(bootstrap))


@dataclass(frozen=True)
class Place:
    """A command's surroundings. Options win over the environment, that over a running stack. `asked_bootstrap`: the
    address without what a stack remembers.
    """

    namespace: str = ""
    partitions: int | None = None
    keep_history: bool = False
    bootstrap: str | None = None
    asked_bootstrap: str | None = None
    database: str | None = None
    folder: Path = Path()
    open_cluster: Callable[[str | None], "Cluster"] = open_kafka

    @cached_property
    def topics(self) -> "Topics":
        """The registry of this namespace. Raises Invalid for a namespace that is no name."""
        return self.registry()

    def registry(self, *, keep_history: bool = False) -> "Topics":
        """The registry, where `keep_history` with topics that never delete by age. Raises Invalid."""
        from topics.registry import Topics

        try:
            return Topics(
                self.namespace, self.partitions or DEFAULT_PARTITIONS, keep_history or self.keep_history
            )
        except ValueError as wrong:
            raise Invalid(str(wrong)) from None

    @cached_property
    def cluster(self) -> "Cluster":
        """The broker. Nothing is connected until it is asked something."""
        return self.open_cluster(self.bootstrap)


Context: TypeAlias = typer.Context


def place(context: typer.Context) -> Place:
    """The surroundings that the root command resolved."""
    found = context.find_object(Place)
    if found is None:
        raise RuntimeError("a command runs below the root command, which resolves its surroundings")
    return found
