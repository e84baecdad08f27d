"""`strikeline feed binance`: the closed klines of a live market onto the topic."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.commands.processes import LogLevel, MetricsPort, asked, common, settings_of
from streams.cli.context import Context, place
from streams.cli.errors import Invalid
from streams.cli.logs import log_as_json
from streams.cli.output import JsonFlag
from streams.cli.symbols import symbols_of
from streams.cli.times import parse_time

if TYPE_CHECKING:
    from streams.feeds.binance.config import BinanceSettings
    from streams.feeds.binance.opening import Wish

SYMBOLS_VARIABLE = "STRIKELINE_BINANCE_SYMBOLS"


class VenueName(StrEnum):
    """Binance's markets that there is a feed for."""

    SPOT = "spot"
    USDM = "usdm"


def binance(
    ctx: Context,
    symbols: Annotated[
        list[str], typer.Argument(metavar="SYMBOL", envvar=SYMBOLS_VARIABLE, help="Such as BTCUSDT ETHUSDT.")
    ],
    venue: Annotated[VenueName | None, typer.Option(help="Market; default spot.")] = None,
    interval: Annotated[str, typer.Option(help="Length of the bars.")] = "1m",
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="First open time of symbols that the topic does not have."
        ),
    ] = None,
    history: Annotated[int, typer.Option(min=0, help="Without --from: so many minutes before now.")] = 1_440,
    forming: Annotated[
        bool, typer.Option("--forming", help="Updates of bars that are not closed too, for alerts on tick.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Go on with symbols that another feed sent before.")
    ] = False,
    rest_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another address for REST: a region, a test.")
    ] = None,
    stream_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another address for the websocket.")
    ] = None,
    log_level: LogLevel = None,
    metrics_port: MetricsPort = None,
    json: JsonFlag = False,
) -> None:
    """Publish the closed candles of Binance's market as they close, each once, with ticks; it goes on until stopped.

    It begins behind what the topic has of each symbol and fetches what is missing. One feed owns a symbol: run one.
    """
    from streams.cli.commands.feed import report
    from streams.cli.live_feeding import run_live
    from streams.feeds.binance.config import BinanceSettings

    here = place(ctx)
    given = {
        "binance_venue": venue and venue.value, "binance_rest_url": rest_url, "binance_stream_url": stream_url,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    settings = settings_of(BinanceSettings, common(here) | asked(log_level, metrics_port) | options)
    if json:
        log_as_json(settings.log_level)
    wish = _wish(settings, symbols, interval, from_, history, forming, take_over)
    fed = run_live(here.cluster, here.topics.klines, settings, wish)
    report(fed, json, {"feed": wish.venue.feed, "symbols": wish.symbols})


def _wish(
    settings: "BinanceSettings",
    symbols: list[str],
    interval: str,
    from_: str | None,
    history: int,
    forming: bool,
    take_over: bool,
) -> "Wish":
    from streams.feeds.binance.opening import Wish
    from streams.feeds.binance.venue import INTERVALS

    if interval not in INTERVALS:
        raise Invalid(f"--interval: {interval!r} is none of {', '.join(INTERVALS)}")
    names = list(dict.fromkeys(symbols_of(",".join(symbols), "SYMBOL")))
    if not names:
        raise Invalid("SYMBOL: at least one is needed")
    from_ms = parse_time(from_, "--from") if from_ else None
    return Wish(
        settings.venue, names, interval, from_ms, history, take_over, settings.manner(forming=forming)
    )
