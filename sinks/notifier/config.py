"""Settings of the notifier's process, read from STRIKELINE_* variables or given by name."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sinks.notifier.outlet import Retry
from topics.connection import KafkaSettings
from topics.registry import Topics


class NotifierSettings(BaseSettings):
    """One notifier. Times are seconds. `notifier_config`: the file of users and channels.

    `notifier_allow_private`: channels may be on loopback and in private networks, for those who host their own.
    `notifier_deadline`: how long one attempt may take; `notifier_attempts` of them, `notifier_backoff` before the
    second and four times as long before each further one, a minute at most. `notifier_in_flight`: so many alerts may
    be under way before reading pauses.
    """

    model_config = SettingsConfigDict(env_prefix="STRIKELINE_", frozen=True, hide_input_in_errors=True)

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    keep_history: bool = False
    notifier_config: Path
    notifier_allow_private: bool = False
    notifier_deadline: Annotated[float, Field(gt=0, le=120)] = 20.0
    notifier_attempts: Annotated[int, Field(ge=1, le=20)] = 5
    notifier_backoff: Annotated[float, Field(gt=0, le=60)] = 1.0
    notifier_in_flight: Annotated[int, Field(ge=1)] = 20_000
    session_timeout: Annotated[float, Field(ge=6, le=60)] = 10.0
    heartbeat_interval: Annotated[float, Field(gt=0, le=20)] = 1.0
    watchdog_seconds: Annotated[float, Field(ge=10)] = 60.0
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: str = "INFO"
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @property
    def topics(self) -> Topics:
        """The topics of its namespace."""
        return Topics(self.namespace, self.partitions, self.keep_history)

    @property
    def retry(self) -> Retry:
        """How often a channel is tried."""
        return Retry(self.notifier_attempts, self.notifier_backoff)
