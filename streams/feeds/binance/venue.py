"""Binance's markets: where they are, what a request for klines costs, and which intervals they have."""

from dataclasses import dataclass, replace
from typing import Final

INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w")
"""Those whose bars open on our grid: not 3d, not 1M; seconds are no interval here."""


@dataclass(frozen=True)
class Venue:
    """One market. `feed` names it in klines and ticks; `page` is how many bars are asked for at once.

    `rest_url` and `stream_url` have no slash at their end; `api` is the path of REST before `/klines`.
    """

    name: str
    feed: str
    rest_url: str
    stream_url: str
    api: str
    page: int
    page_weight: int
    weight_limit: int
    """A minute's weight where the exchange does not say what it is."""

    def at(self, rest_url: str | None, stream_url: str | None) -> "Venue":
        """The same market at other addresses, where such are given: another region, a test."""
        return replace(
            self,
            rest_url=(rest_url or self.rest_url).rstrip("/"),
            stream_url=(stream_url or self.stream_url).rstrip("/"),
        )


VENUES: Final = {
    venue.name: venue
    for venue in (
        Venue(
            "spot", "binance", "https://api.binance.com", "wss://stream.binance.com:9443", "/api/v3",
            page=1_000, page_weight=2, weight_limit=6_000,
        ),
        # On futures the weight grows with the page: 499 bars for 2 is the cheapest bar. Klines have moved to /market.
        Venue(
            "usdm", "binance-usdm", "https://fapi.binance.com", "wss://fstream.binance.com/market", "/fapi/v1",
            page=499, page_weight=2, weight_limit=2_400,
        ),
    )
}  # fmt: skip
