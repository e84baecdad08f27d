"""Settings of the evaluator's process, read from STRIKELINE_* variables or given by name."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.interval import interval_ms
from topics.connection import KafkaSettings
from topics.registry import Topics
from topics.tiers import Tiers, load_tiers

_EXACTLY_ONCE: Final = (
    "exactly_once is refused: Faust's unit is a transaction per partition and commit interval, outputs to "
    "topics that the app does not consume are sent outside any transaction, recovery can start empty, and "
    "kill -9 loses results. Here at_least_once is exact, because the id of a result derives from its cause"
)
_RING: Final = 5_000
"""Bars that a market keeps."""


class WorkerSettings(BaseSettings):
    """One worker. Times are seconds. `hold_bars`: how far klines may run beyond a trigger that awaits its
    answer. `fill_up_to`: missing bars that are filled flat rather than taint (law 4); for symbols seen from now on.
    `history`: kline file, or folder of such, with bars from before the kline topic's first. `limits`: file of tiers.
    """

    model_config = SettingsConfigDict(env_prefix="STRIKELINE_", frozen=True)

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    keep_history: bool = False
    processing_guarantee: str = "at_least_once"
    checkpoint_interval: Annotated[float, Field(gt=0, le=60)] = 1.0
    hold_bars: Annotated[int, Field(ge=1, le=_RING // 2)] = 500
    fill_up_to: Annotated[int, Field(ge=0, le=1_440)] = 5
    hold_seconds: Annotated[float, Field(ge=0, le=50)] = 30.0
    session_timeout: Annotated[float, Field(ge=6, le=60)] = 10.0
    heartbeat_interval: Annotated[float, Field(gt=0, le=20)] = 1.0
    request_timeout: Annotated[float, Field(ge=15, le=120)] = 30.0
    watchdog_seconds: Annotated[float, Field(ge=10)] = 60.0
    max_poll_records: Annotated[int, Field(ge=1)] = 500
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    history: Path | None = None
    history_interval: str = "1m"
    limits: Path | None = None
    log_level: str = "INFO"
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @field_validator("processing_guarantee")
    @classmethod
    def _at_least_once(cls, guarantee: str) -> str:
        if guarantee != "at_least_once":
            raise ValueError(_EXACTLY_ONCE if guarantee == "exactly_once" else "expected at_least_once")
        return guarantee

    @field_validator("history_interval")
    @classmethod
    def _is_an_interval(cls, interval: str) -> str:
        interval_ms(interval)
        return interval

    @field_validator("heartbeat_interval")
    @classmethod
    def _several_a_session(cls, interval: float, info: object) -> float:
        timeout = getattr(info, "data", {}).get("session_timeout", 10.0)
        if interval * 3 > timeout:
            raise ValueError("expected at most a third of session_timeout")
        return interval

    @field_validator("watchdog_seconds")
    @classmethod
    def _more_patient_than_holds(cls, seconds: float, info: object) -> float:
        # A partition that waits for an answer makes no progress either.
        if seconds <= getattr(info, "data", {}).get("hold_seconds", 30.0):
            raise ValueError("expected more than hold_seconds")
        return seconds

    def tiers(self) -> Tiers:
        """What users may have. Raises BadTiers."""
        return Tiers() if self.limits is None else load_tiers(self.limits)

    @property
    def topics(self) -> Topics:
        """The topics of its namespace."""
        return Topics(self.namespace, self.partitions, self.keep_history)
