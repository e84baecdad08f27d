"""Settings of the archive's process, read from STRIKELINE_* variables or given by name."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from topics.connection import KafkaSettings
from topics.registry import Topics


class ArchiveSettings(BaseSettings):
    """`archive` is the folder. A row is in a file at most `archive_seconds` after it was read, a file has at most
    about `archive_rows` rows before it is merged.
    """

    model_config = SettingsConfigDict(env_prefix="STRIKELINE_", frozen=True, hide_input_in_errors=True)

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    keep_history: bool = False
    archive: Path = Path("archive")
    archive_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    archive_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    watchdog_seconds: Annotated[float, Field(ge=10)] = 60.0
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: str = "INFO"
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @property
    def topics(self) -> Topics:
        """The topics of its namespace."""
        return Topics(self.namespace, self.partitions, self.keep_history)
