"""What REST answers: pages, symbols, limits, errors; what is no answer is refused with a reason."""

import json

import pytest

from schemas.interval import MINUTE_MS
from streams.feeds.binance.frames import Unusable
from streams.feeds.binance.pages import Page, read_error, read_page, read_symbols, read_time
from tests.streams.feeds.binance.double import START, row


def page(rows: object, first: int = 0, end: int = 10) -> Page:
    """`rows` as the answer to a request for minutes [first, end)."""
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return read_page(
        body, symbol="AUSDT", interval="1m", feed="binance", from_ms=START + first * MINUTE_MS,
        to_ms=START + end * MINUTE_MS,
    )  # fmt: skip


def minutes(found: Page) -> list[int]:
    return [(kline.open_time_ms - START) // MINUTE_MS for kline in found.klines]


@pytest.mark.parametrize(
    "told, until",
    [
        ([0, 1, 2], 3),  # what comes behind the last row is not known
        ([2, 0], 3),
        ([9], 10),
        ([], 10),  # only an empty answer says that there is nothing
    ],
)
def test_a_page_answers_up_to_its_last_row(told: list[int], until: int) -> None:
    found = page([row("AUSDT", minute) for minute in told])
    assert minutes(found) == sorted(told)
    assert found.until_ms == START + until * MINUTE_MS
    assert found.is_empty == (not told)


def test_numbers_are_those_of_the_text() -> None:
    (kline,) = page([row("AUSDT", 4)]).klines
    assert (kline.open, kline.high, kline.low, kline.close, kline.volume) == (
        139.1,
        140.5,
        138.25,
        139.7,
        4.0,
    )
    assert (kline.closed, kline.feed) == (True, "binance")


def test_a_row_that_cannot_be_used_is_named_and_left_out() -> None:
    bad = row("AUSDT", 1)
    bad[2] = "0.5"
    found = page([row("AUSDT", 0), bad, row("AUSDT", 2)])
    assert minutes(found) == [0, 2]
    assert found.broken == (f"AUSDT {START + MINUTE_MS}: high: 0.5 is below low 135.25",)
    short = row("AUSDT", 3)
    short[6] -= 1
    assert "close time" in page([short]).broken[0]
    assert not page([short]).is_empty


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        b'[[1,"2"]]',
        b"[null]",
        b"\xff",
        b"[" * 50_000,
        json.dumps([row("AUSDT", 12)]).encode(),
    ],
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(Unusable):
        page(body)


def test_symbols_limits_time_and_errors() -> None:
    body = {
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1_200},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
        ],
        "symbols": [
            {"symbol": "AUSDT", "status": "TRADING"},
            {"symbol": "BUSDT", "status": "BREAK", "x": [1]},
        ],
    }
    found = read_symbols(json.dumps(body).encode())
    assert (found.states, found.weight_limit) == ({"AUSDT": "TRADING", "BUSDT": "BREAK"}, 1_200)
    assert read_symbols(b'{"symbols": []}').weight_limit is None
    assert read_time(b'{"serverTime": 5}') == 5
    assert read_error(b'{"code": -1121, "msg": "Invalid symbol."}') == "-1121 Invalid symbol."
    assert read_error(b"<html>\xff") == "<html>\\xff"
