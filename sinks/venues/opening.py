"""From settings to a venue: rules, and an account for each user whose keys there are."""

import logging
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import SecretStr

from sinks.config import ExecutorSettings
from sinks.errors import BadVenue
from sinks.executor.decision import Rules
from sinks.instruments import load_instruments
from sinks.orders.accounts import Accounts
from sinks.orders.exchange import Refused, Unclear
from sinks.orders.gateway import wall_clock
from sinks.venues.ccxt_exchange import CcxtExchange, Credentials
from sinks.venues.live import Live
from sinks.venues.paper import Paper

_log = logging.getLogger("strikeline.gateway")


class Trading(NamedTuple):
    """How an executor trades. `accounts` is None on paper."""

    rules: Rules
    accounts: Accounts | None


def open_venue(settings: ExecutorSettings) -> Trading:
    """The venue that `settings` name. Raises BadVenue and BadInstruments."""
    instruments = {} if settings.instruments is None else load_instruments(settings.instruments)
    if settings.venue == "paper":
        if settings.venue_real_money:
            raise BadVenue("venue_real_money is set, but the venue is paper: set venue too")
        return Trading(settings.rules_on(Paper(), instruments), None)
    keys = load_keys(settings)
    exchanges = {user_id: _account(settings, found) for user_id, found in keys.items()}
    if settings.instruments is None:
        try:
            instruments = _account(settings, None).instruments()
        except (Refused, Unclear) as error:
            raise BadVenue(f"{settings.venue} does not tell its markets: {error}") from error
    money = "REAL MONEY" if settings.venue_real_money else "the sandbox"
    _log.warning("trading on %s with %s, for users: %s", settings.venue, money, ", ".join(sorted(keys)))
    venue = Live(f"{settings.venue}:{'real' if settings.venue_real_money else 'sandbox'}")
    return Trading(settings.rules_on(venue, instruments), Accounts(exchanges, wall_clock))


def load_keys(settings: ExecutorSettings) -> dict[str, Credentials]:
    """API keys by user_id, from the secrets file and, for one user, from the environment. Raises BadVenue."""
    found = {} if settings.venue_secrets is None else _read(settings.venue_secrets)
    key, secret = settings.venue_api_key, settings.venue_api_secret
    named = (settings.venue_user_id, key.get_secret_value(), secret.get_secret_value())
    if any(named):
        if not all(named):
            raise BadVenue(
                "venue_user_id, venue_api_key and venue_api_secret go together: one of them is missing"
            )
        found[settings.venue_user_id] = Credentials(key, secret)
    if not found:
        raise BadVenue(
            f"no API keys for {settings.venue}: set venue_secrets, or venue_user_id, venue_api_key and venue_api_secret"
        )
    return found


def _read(path: Path) -> dict[str, Credentials]:
    """`alice: {api_key: …, secret: …}`. An error names the place, never the value."""
    try:
        raw = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise BadVenue(f"{path}: {error}") from error
    except yaml.YAMLError:
        raise BadVenue(f"{path}: it is no YAML") from None  # its message would quote the line
    if not isinstance(raw, dict):
        raise BadVenue(f"{path}: expected users with api_key and secret")
    found = {}
    for user_id, fields in raw.items():
        if not isinstance(fields, dict) or set(fields) != {"api_key", "secret"}:
            raise BadVenue(f"{path}: {user_id}: expected api_key and secret, and nothing else")
        if not all(isinstance(value, str) and value for value in fields.values()):
            raise BadVenue(f"{path}: {user_id}: api_key and secret have to be texts")
        found[str(user_id)] = Credentials(SecretStr(fields["api_key"]), SecretStr(fields["secret"]))
    return found


def _account(settings: ExecutorSettings, credentials: Credentials | None) -> CcxtExchange:
    return CcxtExchange(
        settings.venue,
        credentials,
        real_money=settings.venue_real_money,
        receive_window_ms=int(settings.venue_receive_window * 1_000),
        timeout_ms=int(settings.venue_timeout * 1_000),
        urls=dict(settings.venue_urls),
    )
