"""From settings to a venue: sandbox unless told otherwise, keys that nobody sees, and what is refused."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from sinks.config import ExecutorSettings
from sinks.errors import BadVenue
from sinks.executor.core import Executor
from sinks.orders.exchange import Refused, Unclear
from sinks.venues.ccxt_exchange import CcxtExchange, Credentials
from sinks.venues.opening import load_keys, open_venue
from sinks.venues.paper import Paper
from tests.sinks.bots import TOPICS, bar, golden
from tests.sinks.loop import RULES, Loop
from tests.sinks.venues.double import KEY, SECRET, Double, Fault
from tests.sinks.venues.trading import RULES as LIVE
from tests.sinks.venues.trading import account

NOBODY = Credentials(SecretStr("k"), SecretStr("s"))


def settings(double: Double, **changes: Any) -> ExecutorSettings:
    """A deployment that trades on the double."""
    given: dict[str, Any] = {
        "venue": "binance",
        "venue_urls": double.urls,
        "venue_user_id": "alice",
        "venue_api_key": SecretStr(KEY),
        "venue_api_secret": SecretStr(SECRET),
    }
    return ExecutorSettings(**given | changes)


def addresses(exchange: CcxtExchange) -> str:
    """Where an account's orders go."""
    return str(exchange._client.urls["api"]["private"])


def test_paper_is_the_default() -> None:
    trading = open_venue(ExecutorSettings())
    assert isinstance(trading.rules.venue, Paper)
    assert trading.accounts is None


def test_the_sandbox_is_the_default_of_a_live_venue() -> None:
    assert "testnet" in addresses(CcxtExchange("binance", NOBODY, real_money=False))
    assert addresses(CcxtExchange("binance", NOBODY, real_money=True)) == "https://api.binance.com/api/v3"


def test_a_venue_tells_its_instruments_and_which_money_is_at_stake(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    trading = open_venue(settings(double))
    instrument = trading.rules.instrument("BTCUSDT")
    assert (instrument.tick, instrument.lot, instrument.min_notional) == (
        Decimal("0.01"), Decimal("0.00001"), Decimal(5),
    )  # fmt: skip
    assert (trading.rules.venue.name, trading.rules.venue.live) == ("binance:sandbox", True)
    assert open_venue(settings(double, venue_real_money=True)).rules.venue.name == "binance:real"
    assert [("REAL MONEY" in message) for message in caplog.messages] == [False, True]
    assert KEY not in caplog.text


def test_an_instruments_file_comes_first(double: Double, tmp_path: Path) -> None:
    file = tmp_path / "instruments.yaml"
    file.write_text('BTCUSDT: {tick: "0.1"}\n')
    assert open_venue(settings(double, instruments=file)).rules.instrument("BTCUSDT").tick == Decimal("0.1")
    assert double.asked == []


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"venue": "paper", "venue_real_money": True}, "the venue is paper"),
        ({"venue": "nowhere"}, "expected paper or one of binance"),
        ({"venue_api_secret": SecretStr("")}, "one of them is missing"),
        (
            {"venue_user_id": "", "venue_api_key": SecretStr(""), "venue_api_secret": SecretStr("")},
            "no API keys",
        ),
        ({"venue_secrets": Path("/nowhere")}, "No such file"),
    ],
)
def test_what_does_not_go_together_is_refused(double: Double, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadVenue, match=reason):
        open_venue(settings(double, **changes))


def test_a_venue_that_does_not_answer_at_the_start_is_named(double: Double) -> None:
    double.fail("GET /exchangeInfo", Fault(503), Fault(503))
    with pytest.raises(BadVenue, match="binance does not tell its markets"):
        open_venue(settings(double))


def test_keys_come_from_a_file_and_from_the_environment(double: Double, tmp_path: Path) -> None:
    file = tmp_path / "venues.yaml"
    file.write_text("bob: {api_key: b-key, secret: b-secret}\n")
    found = load_keys(settings(double, venue_secrets=file))
    assert {user: keys.api_key.get_secret_value() for user, keys in found.items()} == {
        "bob": "b-key",
        "alice": KEY,
    }
    assert SECRET not in repr(vars(found["alice"]))
    assert SECRET not in repr(settings(double))


@pytest.mark.parametrize(
    "text, reason",
    [
        ("- alice", "expected users"),
        ("bob: {api_key: top-secret}", "expected api_key and secret"),
        ("bob: {api_key: top-secret, secret: 5}", "have to be texts"),
        ("bob: {api_key: 'top-secret", "it is no YAML"),
    ],
)
def test_a_wrong_secrets_file_is_named_and_not_quoted(
    double: Double, tmp_path: Path, text: str, reason: str
) -> None:
    file = tmp_path / "venues.yaml"
    file.write_text(text)
    with pytest.raises(BadVenue, match=reason) as refused:
        load_keys(settings(double, venue_secrets=file))
    assert "top-secret" not in str(refused.value)


def test_without_the_extra_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(BadVenue, match=r"pip install 'strikeline\[live\]'"):
        CcxtExchange("binance", NOBODY, real_money=False)


def test_open_deals_stay_where_they_were_opened(sqlite: Engine) -> None:
    loop = Loop(sqlite)
    loop.put(golden())
    loop.feed("BTCUSDT", bar(0, 105.0), bar(1, 100.0))
    loop.run()
    with pytest.raises(BadVenue, match="has 1 open deals on paper, the venue is to be binance:sandbox"):
        Executor(sqlite, TOPICS, LIVE).begin()
    loop.feed("BTCUSDT", bar(2, 103.0))
    loop.put(golden(state="deleted", effective_from_ms=bar(2, 1.0).open_time_ms))
    loop.run()
    Executor(sqlite, TOPICS, LIVE).begin()
    Executor(sqlite, TOPICS, RULES).begin()


@pytest.mark.parametrize(
    "fault, expected, wait_s",
    [
        (Fault(503, msg="maintenance"), Unclear, 0.0),
        (Fault(429, -1003, "slow down", retry_after=7), Unclear, 7.0),
        (Fault(429, -1003, "slow down"), Unclear, 10.0),
        (Fault(400, -12345, "nobody knows"), Unclear, 0.0),
        (Fault(401, -2015, "Invalid API-key, IP, or permissions for action."), Refused, None),
        (Fault(400, -1121, "Invalid symbol."), Refused, None),
    ],
)
def test_what_ccxt_raises_says_what_happens_next(
    double: Double, fault: Fault, expected: type[Exception], wait_s: float | None
) -> None:
    exchange = account(double)
    double.fail("GET /exchangeInfo", fault)
    with pytest.raises(expected) as raised:
        exchange.instruments()
    assert getattr(raised.value, "wait_s", None) == wait_s
