"""Settings of the executor's process, read from STRIKELINE_* variables or given by name."""

from collections.abc import Mapping
from pathlib import Path
from socket import gethostname
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.interval import interval_ms
from schemas.limits import Limits
from sinks.executor.decision import Rules
from sinks.instruments import load_instruments
from sinks.orders.gateway import Timing
from sinks.venues import Venue
from sinks.venues.paper import Paper
from streams.engine.dca import Instrument
from topics.connection import KafkaSettings
from topics.registry import Topics
from topics.spec import DAY_MS
from topics.tiers import Tiers, load_tiers

DEFAULT_DATABASE: Final = "sqlite:///strikeline.db"


def _owner() -> str:
    return f"{gethostname()}-{uuid4().hex[:8]}"


class ExecutorSettings(BaseSettings):
    """One executor. Times are seconds, `batch` and `outbox_batch` count records per transaction.

    `database_url` is an SQLAlchemy URL (`postgresql://…` uses psycopg 3) or the path of an SQLite file.
    `lost_records`: what to do when retention removed records that were never applied. `database_patience`: how long a
    database that is away is waited for before the process ends (30 at most at the start). `executor_delay_max`: wait a
    random time up to this before each fetch is applied, to try out how the pipeline takes a slow executor.
    `reconcile_seconds`: how often what should agree is compared; 0: never.
    `watchdog_seconds`: how long a partition may stand still while there is something to do. `retention_days`: how
    long the inbox and what is over (removed groups, superseded configs) are kept, counted in event time; never
    shorter than the triggers topic keeps its records. `limits`: file of tiers; without it `max_bots_per_user` holds.
    `balances`: YAML file of what users begin with on paper, by asset; it stands until another one is given.
    `venue`: paper, or an exchange that ccxt knows; its test network unless `venue_real_money`. Keys come from the YAML
    file `venue_secrets` (user_id: {api_key, secret}) or, for one user, from the other three. `venue_receive_window`:
    the venue refuses requests older than so many seconds. `venue_entry_age`: an older entry is not sent.
    `venue_urls`: other addresses of its API, by ccxt's names.
    """

    model_config = SettingsConfigDict(env_prefix="STRIKELINE_", frozen=True, hide_input_in_errors=True)

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    keep_history: bool = False
    database_url: SecretStr = SecretStr(DEFAULT_DATABASE)
    database_patience: Annotated[float, Field(ge=0, le=600)] = 180.0
    instruments: Path | None = None
    base_interval: str = "1m"
    max_bots_per_user: Annotated[int, Field(ge=1)] = 1_000
    limits: Path | None = None
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    outbox_batch: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    lost_records: Literal["stop", "rearm"] = "stop"
    executor_delay_max: Annotated[float, Field(ge=0, le=60)] = 0.0
    owner: str = Field(default_factory=_owner)
    session_timeout: Annotated[float, Field(ge=6, le=60)] = 10.0
    heartbeat_interval: Annotated[float, Field(gt=0, le=20)] = 1.0
    reconcile_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    watchdog_seconds: Annotated[float, Field(ge=10)] = 60.0
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    balances: Path | None = None
    venue: str = "paper"
    venue_real_money: bool = False
    venue_secrets: Path | None = None
    venue_user_id: str = ""
    venue_api_key: SecretStr = SecretStr("")
    venue_api_secret: SecretStr = SecretStr("")
    venue_receive_window: Annotated[float, Field(ge=0.5, le=60)] = 5.0
    venue_timeout: Annotated[float, Field(ge=0.5, le=120)] = 10.0
    venue_entry_age: Annotated[float, Field(ge=1, le=86_400)] = 120.0
    venue_urls: dict[str, str] = Field(default_factory=dict)
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: str = "INFO"
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @field_validator("base_interval")
    @classmethod
    def _is_an_interval(cls, interval: str) -> str:
        interval_ms(interval)
        return interval

    @field_validator("retention_days")
    @classmethod
    def _keeps_what_may_come_again(cls, days: int) -> int:
        kept_days = int(Topics().triggers.configs["retention.ms"]) // DAY_MS
        if days < kept_days:
            raise ValueError(f"the triggers topic keeps its records for {kept_days} days, keep at least that")
        return days

    @property
    def topics(self) -> Topics:
        """The topics of its namespace."""
        return Topics(self.namespace, self.partitions, self.keep_history)

    @property
    def keep_ms(self) -> int | None:
        """How long the database keeps what is over; None: for ever, as the topics of such a namespace do."""
        return None if self.keep_history else self.retention_days * DAY_MS

    @property
    def timing(self) -> Timing:
        """The pace of the gateways. What was not found after three receive windows will not arrive any more."""
        return Timing(
            settle_ms=int(self.venue_receive_window * 3_000), entry_ms=int(self.venue_entry_age * 1_000)
        )

    def rules(self) -> Rules:
        """What decisions depend on, on paper. Raises BadInstruments, BadTiers."""
        instruments = {} if self.instruments is None else load_instruments(self.instruments)
        return self.rules_on(Paper(), instruments)

    def rules_on(self, venue: Venue, instruments: Mapping[str, Instrument]) -> Rules:
        """What decisions depend on, on that venue. Raises BadTiers."""
        tiers = Tiers(Limits(bots=self.max_bots_per_user)) if self.limits is None else load_tiers(self.limits)
        return Rules(venue, instruments, self.base_interval, tiers)
