"""Settings of the feed's process, read from STRIKELINE_* variables or given by name."""

from typing import Annotated, Literal

from pydantic import AnyUrl, Field, UrlConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.feeds.binance.connection import MAX_STREAMS, USUAL_STREAMS, Patience
from streams.feeds.binance.filling import Settled
from streams.feeds.binance.live import Manner
from streams.feeds.binance.venue import VENUES, Venue
from topics.connection import KafkaSettings
from topics.registry import Topics

_RestUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["http", "https"])]
_StreamUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["ws", "wss"])]


class BinanceSettings(BaseSettings):
    """One feed. `binance_rest_url` and `binance_stream_url`: another region's, or a double's, in place of the venue's.

    Seconds: `binance_settle`, how long a closed bar may take until it is asked for; `binance_absence`, until "there is
    none" is believed; `binance_stall`, without a kline until a connection is given up; `binance_renew`, its age.
    """

    model_config = SettingsConfigDict(
        env_prefix="STRIKELINE_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    keep_history: bool = False
    binance_venue: Literal["spot", "usdm"] = "spot"
    binance_rest_url: _RestUrl | None = None
    binance_stream_url: _StreamUrl | None = None
    binance_settle: Annotated[float, Field(ge=0, le=60)] = 5.0
    binance_absence: Annotated[float, Field(ge=0, le=600)] = 30.0
    binance_stall: Annotated[float, Field(gt=0, le=3_600)] = 90.0
    binance_renew: Annotated[float, Field(gt=0, le=86_400)] = 82_800.0
    binance_streams: Annotated[int, Field(ge=1, le=MAX_STREAMS)] = USUAL_STREAMS
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: str = "INFO"
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @property
    def topics(self) -> Topics:
        """The topics of its namespace."""
        return Topics(self.namespace, self.partitions, self.keep_history)

    @property
    def venue(self) -> Venue:
        """The market, at the addresses that were given."""
        rest, stream = self.binance_rest_url, self.binance_stream_url
        return VENUES[self.binance_venue].at(
            None if rest is None else str(rest), None if stream is None else str(stream)
        )

    def manner(self, *, forming: bool) -> Manner:
        """How the feed goes about it."""
        patience = Patience(self.binance_stall, self.binance_renew)
        settled = Settled(round(self.binance_settle * 1_000), round(self.binance_absence * 1_000))
        return Manner(forming, patience, settled, self.binance_streams)
